/* SPDX-License-Identifier: ISC */
/*
 * A daemon to test master and lib/service with. One session per process; under the name "testloop"
 * an event loop. A session says "hello PID GENERATION", then answers lines: "pid", "busy", "crash",
 * "exit", "quit"; a wake-up byte 'W' is logged.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/service/service.h"

struct params {
	bool fails, ends, crashes;
	int patience;
};

static const struct conf_param rows[] = {
    CONF_BOOL(struct params, fails, "testd_fails", "no", "Exit before serving."),
    CONF_BOOL(struct params, ends, "testd_ends", "no", "Exit with status 0 before serving."),
    CONF_BOOL(struct params, crashes, "testd_crashes", "no", "Be killed by each trigger."),
    CONF_SECS(struct params, patience, "testd_patience", "30s", 1, 3600, "Wait for a line."),
};
static const struct conf_table table = {rows, ARRAY_LEN(rows)};
static struct params params;
static const struct conf_table *const tables[] = {&table, NULL};
static void *const filled[] = {&params};

static void init(struct service *service)
{
	(void)service;
	if (params.fails)
		fatal("told to fail");
	if (params.ends) {
		log_info("told to end");
		exit(0);
	}
}

static bool answer(struct service *service, int fd, const char *line)
{
	if (strcmp(line, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(line, "exit") == 0)
		exit(7);
	if (strcmp(line, "quit") == 0)
		return false;
	if (strcmp(line, "pid") == 0)
		dprintf(fd, "%d\n", (int)getpid());
	else if (strcmp(line, "user") == 0)
		dprintf(fd, "%d %d\n", (int)getuid(), (int)getgid());
	else if (strcmp(line, "stress") == 0)
		dprintf(fd, "%d\n", service_under_stress(service));
	else if (strcmp(line, "patience") == 0)
		dprintf(fd, "%d\n", params.patience);
	else
		dprintf(fd, "%s\n", line);
	return true;
}

static void session(struct service *service, int fd)
{
	char line[256];
	FILE *in;

	in = fdopen(dup(fd), "r");
	if (!in)
		return;
	dprintf(fd, "hello %d %u\n", (int)getpid(), service_generation(service));
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == 'W') {
			log_info("woken up");
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if (!answer(service, fd, line))
			break;
	}
	fclose(in);
}

static void trigger(struct service *service, const char *bytes, size_t len)
{
	log_info("%s: trigger %.*s", service_name(service), (int)len, bytes);
	if (params.crashes)
		raise(SIGKILL);
}

static void accepted(struct service *service, int fd)
{
	dprintf(fd, "hello %d %u\n", (int)getpid(), service_generation(service));
	close(fd);
}

static void exiting(struct service *service)
{
	log_info("%s: exiting", service_name(service));
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	struct service_spec spec = {.program = "testd",
	    .tables = tables,
	    .params = filled,
	    .init = init,
	    .trigger = trigger,
	    .exiting = exiting};

	if (strcmp(name, "testloop") == 0)
		spec.accepted = accepted;
	else if (strcmp(name, "testtrigger") != 0)
		spec.session = session;
	return service_run(&spec, argc, argv);
}
