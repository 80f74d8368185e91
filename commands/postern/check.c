/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Names and values: postconf has the tables of all programs. 0, or the number of problems. */
static size_t check_parameters(const struct instance *in)
{
	char commands[PATH_MAX], daemons[PATH_MAX];
	/* ours: command_directory may still be that of the system whose configuration this is */
	bool own = install_find(commands, daemons, sizeof(commands));
	char *path = alloc_printf("%s/postconf", own ? commands : in->core.command_directory);
	char c[] = "-c", k[] = "-k", *etc = alloc_strdup(in->etc);
	char *argv[] = {path, c, etc, k, NULL};
	size_t problems = 0;

	if (access(path, X_OK) == 0)
		problems += run_program(path, argv, true) != 0;
	free(etc);
	free(path);
	return problems;
}

int command_check(struct instance *in)
{
	char check[] = "-C", c[] = "-c", *etc = alloc_strdup(in->etc);
	char *argv[] = {in->master, check, c, etc, NULL};
	size_t problems = 0;

	problems += check_parameters(in);
	if (problems == 0) /* it would say the same again, and then less */
		problems += run_program(in->master, argv, false) != 0;
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
