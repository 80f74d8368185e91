/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Unknown and useless names: postconf has the tables of all programs and says it while it prints.
 */
static void check_names(const struct instance *in)
{
	char *path = alloc_printf("%s/postconf", in->core.command_directory);
	char c[] = "-c", n[] = "-n", *etc = alloc_strdup(in->etc);
	char *argv[] = {path, c, etc, n, NULL};

	if (access(path, X_OK) == 0)
		run_program(path, argv, true);
	free(etc);
	free(path);
}

int command_check(struct instance *in)
{
	char check[] = "-C", c[] = "-c", *etc = alloc_strdup(in->etc);
	char *argv[] = {in->master, check, c, etc, NULL};
	size_t problems = 0;

	problems += run_program(in->master, argv, false) != 0;
	check_names(in);
	problems += dirs_check(in, DIRS_LOOK);
	free(etc);
	return problems > 0;
}

int command_set_permissions(struct instance *in)
{
	size_t problems = dirs_check(in, DIRS_FIX);

	dirs_fix_commands(in);
	return problems > 0;
}
