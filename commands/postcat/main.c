/* SPDX-License-Identifier: ISC */
/* postcat(1): shows the contents of queue files and of messages by id. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/postcat/postcat.h"
#include "lib/base/log.h"
#include "lib/queue/id.h"
#include "lib/service/command.h"

enum { PATH_SIZE = 256, TEMP_CHUNK = 64 * 1024 };

static const char usage[] =
    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] "
    "[-e (envelope records)] [-h (header text)] [-o (offsets)] [-q (access queue)] [-v] "
    "[file(s)...]";

struct postcat {
	struct command command;
	struct queue_params queue_params;
	struct queue *queue;
	struct view view;
};

static int show_fd(const struct postcat *p, int fd, const char *name, struct err *err)
{
	struct view view = p->view;
	struct message m;
	int rc = message_open_fd(fd, &m, err);

	view.name = name;
	if (rc == 1)
		return show_maildrop(&view, fd, err);
	if (rc == 0) {
		rc = show_record(&view, &m, err);
		message_close(&m);
	}
	return rc;
}

static int show_file(const struct postcat *p, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return err_sys(err, "open");
	rc = show_fd(p, fd, path, err);
	close(fd);
	return rc;
}

/* Records are read at offsets, so a pipe's bytes are put into a file first. */
static int show_input(const struct postcat *p, struct err *err)
{
	FILE *temp = tmpfile();
	char buf[TEMP_CHUNK];
	size_t n;
	int rc;

	if (!temp)
		return err_sys(err, "temporary file");
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		fwrite(buf, 1, n, temp);
	if (fflush(temp) != 0 || fseek(temp, 0, SEEK_SET) != 0)
		rc = err_sys(err, "temporary file");
	else
		rc = show_fd(p, fileno(temp), "(stdin)", err);
	fclose(temp);
	return rc;
}

/* 1: not there. */
static int show_unqueued(const struct postcat *p, const char *id, struct err *err)
{
	static const char *const dirs[] = {"maildrop", "corrupt"};
	char path[PATH_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], id);
		if (access(path, F_OK) == 0)
			return show_file(p, path, err);
	}
	return 1;
}

static int show_id(const struct postcat *p, const char *id, struct err *err)
{
	struct view view = p->view;
	char path[PATH_SIZE];
	struct message m;
	int rc;

	if (!queue_id_valid(id))
		fatal_exit(EX_USAGE, "bad mail queue ID: %s", id);
	rc = message_find(p->queue, id, MESSAGE_ENVELOPE, &m, err);
	if (rc == 1) {
		rc = show_unqueued(p, id, err);
		if (rc == 1)
			fatal("open queue file %s: %s", id, strerror(ENOENT));
		return rc;
	}
	if (rc < 0)
		return -1;
	if (m.loc.lane >= 0)
		snprintf(path, sizeof(path), "journal/%02x/%s", (unsigned)m.loc.lane, id);
	else
		queue_path(p->queue, m.loc.dir, id, path, sizeof(path));
	view.name = path;
	rc = show_record(&view, &m, err);
	message_close(&m);
	return rc;
}

static void enter_queue(struct postcat *p)
{
	const struct conf_table *tables[] = {&queue_params, NULL};
	void *params[] = {&p->queue_params, NULL};
	struct err err;

	command_load(&p->command, tables, params);
	command_enter_queue(&p->command);
	command_become_owner(&p->command);
	if (queue_open(&p->queue_params, p->command.core.enable_long_queue_ids, &p->queue, &err) <
	    0)
		fatal_exit(EX_NOPERM, "%s", err.text);
}

static bool parse_options(struct postcat *p, int argc, char **argv)
{
	bool by_id = false;
	int ch, verbose = 0;

	while ((ch = getopt(argc, argv, "+bc:dehnoqrs:v")) > 0) {
		switch (ch) {
		case 'b':
			p->view.body = true;
			break;
		case 'c':
			p->command.etc = optarg;
			break;
		case 'd':
			p->view.types = true;
			break;
		case 'e':
			p->view.envelope = true;
			break;
		case 'h':
			p->view.header = true;
			break;
		case 'o':
			p->view.offsets = true;
			break;
		case 'q':
			by_id = true;
			break;
		case 'v':
			log_set_verbose(++verbose);
			break;
		case '?':
			fatal_exit(EX_USAGE, "%s", usage);
		default:
			break; /* n, r, s: about Postfix's record format */
		}
	}
	if (!p->view.body && !p->view.envelope && !p->view.header)
		p->view.body = p->view.envelope = p->view.header = true;
	return by_id;
}

int main(int argc, char **argv)
{
	static struct postcat p;
	struct err err;
	bool by_id;
	int status = 0;

	command_begin(&p.command, "postcat");
	by_id = parse_options(&p, argc, argv);
	argv += optind;
	if (by_id)
		enter_queue(&p);
	if (!*argv && !by_id && show_input(&p, &err) < 0) {
		log_warn("(stdin): %s", err.text);
		status = 1;
	}
	for (; *argv; argv++) {
		int rc = by_id ? show_id(&p, *argv, &err) : show_file(&p, *argv, &err);

		fflush(stdout);
		if (rc < 0) {
			log_warn("%s: %s", *argv, err.text);
			status = 1;
		}
	}
	queue_close(&p.queue);
	return fflush(stdout) == 0 && !ferror(stdout) ? status : EX_IOERR;
}
