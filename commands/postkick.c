/* SPDX-License-Identifier: ISC */
/* postkick(1): sends a request to a service's socket. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/peer/note.h"
#include "lib/service/command.h"

struct postkick_params {
	int drain_time;
};
static const struct conf_param rows[] = {
    CONF_SECS(struct postkick_params, drain_time, "application_event_drain_time", "100s", 1, 100000,
        "How long postkick(1) waits for a service to take its request."),
};
static const struct conf_table postkick_table = {rows, ARRAY_LEN(rows)};

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&postkick_table, NULL};
	static struct postkick_params params; /* these live as long as the process */
	void *structs[] = {&params, NULL};
	static struct command command;
	int ch, verbose = 0;
	char *path;

	command_begin(&command, "postkick");
	while ((ch = getopt(argc, argv, "+c:v")) > 0) {
		if (ch == 'c')
			command.etc = optarg;
		else if (ch == 'v')
			verbose++;
		else
			break;
	}
	if (ch > 0 || argc - optind != 3)
		fatal("usage: postkick [-c config_dir] [-v] class service request");
	log_set_verbose(verbose);
	command_load(&command, tables, structs);
	argv += optind;
	if (strcmp(argv[0], "public") != 0 && strcmp(argv[0], "private") != 0)
		fatal("unknown class \"%s\": expected public or private", argv[0]);
	if (!*argv[1] || strchr(argv[1], '/'))
		fatal("\"%s\" is no service's name", argv[1]);
	command_enter_queue(&command);
	path = alloc_printf("%s/%s", argv[0], argv[1]);
	if (trigger_send_text(path, argv[2], params.drain_time * 1000) < 0) {
		log_warn("Cannot contact class %s service %s - perhaps the mail system is down",
		    argv[0], argv[1]);
		return 1;
	}
	free(path);
	return 0;
}
