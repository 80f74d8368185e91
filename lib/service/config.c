/* SPDX-License-Identifier: ISC */
/*
 * The parameters of a process are those of the text that master checked and hands down, not of
 * what main.cf holds by now: a file that is being edited, or was found bad, hurts nobody.
 */
#include "lib/service/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/facility.h"
#include "lib/sys/fd.h"

enum { CONFIG_MAX = 16 * 1024 * 1024 };

static bool is_null_device(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) < 0 || stat("/dev/null", &null) < 0 ||
	       (S_ISCHR(st.st_mode) && st.st_rdev == null.st_rdev);
}

void service_log_early(struct service *s)
{
	struct stat st;

	log_set_tag("postfix", s->program);
	if (fstat(SCORE_FD_BOARD, &st) < 0)
		return; /* not from master: standard error */
	if (is_null_device(SCORE_FD_LOG))
		log_open(LOG_TO_SYSLOG, -1, LOG_MAIL);
	else
		log_open(LOG_TO_FD, SCORE_FD_LOG, 0);
}

/* The text that master hands down; on our own, the file. */
static int load_main_cf(struct service *s, struct err *err)
{
	const char *etc = getenv("MAIL_CONFIG");
	struct stat st;
	char *path, *text;
	int rc = -1;

	if (!etc || !*etc)
		etc = "/etc/postfix";
	if (s->options.standalone || (s->options.check && fstat(SCORE_FD_CONFIG, &st) < 0))
		return conf_load(etc, &s->conf, err);
	if (fstat(SCORE_FD_CONFIG, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return err_set(err, 0, "descriptor %d is not master's main.cf", SCORE_FD_CONFIG);
	path = alloc_printf("%s/main.cf", etc);
	text = alloc((size_t)st.st_size + 1);
	/* the file offset is shared with others, so it is not used */
	if (fd_pread_full(SCORE_FD_CONFIG, text, (size_t)st.st_size, 0) != st.st_size)
		err_sys(err, "read master's copy of %s", path);
	else
		rc = conf_load_text(etc, path, text, (size_t)st.st_size, &s->conf, err);
	free(path);
	free(text);
	return rc;
}

static int load(struct service *s, struct err *err)
{
	char *name;

	if (load_main_cf(s, err) < 0)
		return -1;
	conf_set(s->conf, "service_name", s->options.name, "master.cf");
	conf_set(s->conf, "process_name", s->spec->program, "master.cf");
	for (size_t i = 0; i < s->options.override_count; i++) {
		const char *text = s->options.overrides[i];
		const char *equals = strchr(text, '=');
		char origin[1024];

		snprintf(origin, sizeof(origin), "%s/master.cf: line %u: %s/%s", conf_etc(s->conf),
		    s->options.line, s->options.name, s->options.type_name);
		name = alloc_strndup(text, (size_t)(equals - text));
		conf_set(s->conf, name, equals + 1, origin);
		free(name);
	}
	return 0;
}

static int fill(struct service *s, struct conf_report *report)
{
	int rc = conf_fill(s->conf, &core_params, &s->core, report);

	for (size_t i = 0; s->spec->tables && s->spec->tables[i]; i++) {
		/* core_params may be listed, too: then its problems are already told */
		if (s->spec->tables[i] == &core_params)
			memcpy(s->spec->params[i], &s->core, sizeof(s->core));
		else if (conf_fill(s->conf, s->spec->tables[i], s->spec->params[i], report) < 0)
			rc = -1;
	}
	return rc;
}

static void log_lines(char *text)
{
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		log_warn("%s", line);
}

void service_load(struct service *s)
{
	struct conf_report report = {0};
	struct err err;

	log_set_verbose(s->options.verbose);
	if (load(s, &err) < 0)
		fatal("%s", err.text);
	if (fill(s, &report) < 0) {
		log_lines(report.text.data);
		fatal("the parameters of this service cannot be used");
	}
	conf_report_fini(&report);
	log_set_tag(s->core.syslog_name, s->program);
	log_set_host(s->core.myhostname);
	log_set_plain_addresses(s->core.log_addresses == LOG_ADDRESSES_INTERNAL);
	if (!s->board)
		return;
	if (s->core.maillog_file[0])
		log_open(LOG_TO_FD, SCORE_FD_LOG, 0);
	else
		log_open(LOG_TO_SYSLOG, -1, service_facility(s->core.syslog_facility));
}

/* "-o name=permit_mynetworks, reject": the rest of the value would be lost without a word. */
static void check_arguments(struct service *s, struct conf_report *report)
{
	if (s->options.arg_count > 0 && !s->spec->takes_arguments)
		conf_report_problem(report,
		    "master.cf: %s/%s: %s: unexpected argument; expected -o name=value, or "
		    "-o { name = value } when the value has blanks in it",
		    s->options.name, s->options.type_name, s->options.args[0]);
}

/* What the program has to say, and what it would log. */
static void check_rest(struct service *s, struct conf_report *report)
{
	struct str said = {0};
	char *save = NULL;

	log_capture(&said);
	s->spec->check(s, report);
	log_capture(NULL);
	for (char *line = said.len ? strtok_r(said.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		conf_report_warning(report, "%s", line);
	str_fini(&said);
}

int service_check(struct service *s)
{
	struct conf_report report = {0};
	struct err err;
	int rc = load(s, &err);

	if (rc < 0)
		printf("%s\n", err.text);
	else
		rc = fill(s, &report);
	str_clear(&report.warned); /* of all programs together: master's to say */
	if (rc == 0)
		check_arguments(s, &report);
	if (rc == 0)
		service_check_tables(s, &report);
	if (rc == 0 && s->spec->check)
		check_rest(s, &report);
	rc = report.problems > 0 ? -1 : rc;
	if (report.problems > 0)
		fputs(str_text(&report.text), stdout);
	else if (rc == 0)
		fputs(str_text(&report.warned), stdout);
	conf_report_fini(&report);
	return fflush(stdout) != 0 || rc < 0;
}
