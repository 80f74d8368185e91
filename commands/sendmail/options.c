/* SPDX-License-Identifier: ISC */
/* The command line of thirty years of sendmail(8): what works, what is accepted, what is refused.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "lib/base/log.h"
#include "lib/queue/envelope.h"
#include "lib/smtp/command.h"

enum { ENVID_MAX = 100 };

/* -q and -d have their argument attached or none. */
static const char option_letters[] = "+A:B:C:F:GIL:N:O:R:UV:X:ab:cd::e:f:h:imno:p:q::r:stvx";

static const struct {
	const char *letters;
	enum mode mode;
} call_modes[] = {
    {"m", MODE_ENQUEUE}, {"s", MODE_SMTP}, {"p", MODE_LIST}, {"i", MODE_NEWALIASES},
    {"d", MODE_DAEMON}, {"l", MODE_DAEMON}, {"v", MODE_VERIFY}, {"h", MODE_NOTHING},
    {"H", MODE_NOTHING}, /* host status: there is none here */
};

static enum mode mode_of_b(const char *letter)
{
	for (size_t i = 0; i < ARRAY_LEN(call_modes); i++) {
		if (strcmp(call_modes[i].letters, letter) == 0)
			return call_modes[i].mode;
	}
	fatal_exit(EX_USAGE, "unsupported: -b%s", letter);
}

static uint32_t notify_of(const char *text)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} names[] = {{"never", NOTIFY_NEVER}, {"success", NOTIFY_SUCCESS},
	    {"failure", NOTIFY_FAILURE}, {"delay", NOTIFY_DELAY}};
	uint32_t bits = 0;

	while (*text) {
		size_t len = strcspn(text, ", ");
		uint32_t bit = 0;

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (slice_eq_nocase(slice_of(text, len), names[i].name))
				bit = names[i].bit;
		}
		bits |= bit;
		if (!bit && len > 0) {
			log_warn("bad -N option value -- ignored");
			return 0;
		}
		text += len;
		text += strspn(text, ", ");
	}
	if (bits & NOTIFY_NEVER && bits != NOTIFY_NEVER) {
		log_warn("bad -N option value -- ignored");
		return 0;
	}
	return bits;
}

static const char *ret_of(const char *text)
{
	if (text_eq_nocase(text, "hdrs"))
		return "HDRS";
	if (text_eq_nocase(text, "full"))
		return "FULL";
	log_warn("bad -R option value -- ignored");
	return "";
}

static const char *envid_of(const char *text)
{
	struct str plain = {0};
	bool good = smtp_xtext_decode(slice_text(text), &plain);

	for (size_t i = 0; i < plain.len; i++)
		good = good && (unsigned char)plain.data[i] >= ' ' && plain.data[i] < 127;
	str_fini(&plain);
	if (strlen(text) > ENVID_MAX)
		log_warn("too long -V option value -- ignored");
	else if (!good)
		log_warn("bad syntax in -V option value -- ignored");
	else
		return text;
	return "";
}

static void body_type(struct sendmail *s, const char *text)
{
	if (text_eq_nocase(text, "8BITMIME"))
		s->flags |= MAILDROP_8BIT;
	else if (text_eq_nocase(text, "7BIT"))
		s->flags &= ~(uint32_t)MAILDROP_8BIT;
	else
		fatal_exit(EX_USAGE, "-B option needs 8BITMIME or 7BIT");
}

static void queue_run(struct sendmail *s, const char *text)
{
	if (text && text[0] == 'R') {
		s->flush_site = text + 1;
		if (!*s->flush_site)
			fatal_exit(EX_USAGE, "specify: -qRsitename");
	} else if (text && text[0] == 'I') {
		s->flush_id = text + 1;
		if (!*s->flush_id)
			fatal_exit(EX_USAGE, "specify: -qIqueueid");
	} else if (text && text[0] == 'S') {
		s->flush_sender = text + 1;
		if (strpbrk(s->flush_sender, "\"\\"))
			fatal_exit(EX_USAGE, "bad sender: -q%s", text);
	} else if (text && text[0] >= '0' && text[0] <= '9') {
		/* an interval, for a daemon: queue_run_delay says it */
		if (s->mode == MODE_ENQUEUE)
			s->mode = MODE_DAEMON;
		return;
	} else if (text && text[0]) {
		fatal_exit(EX_USAGE, "-q%c is not implemented", text[0]);
	}
	s->mode = MODE_FLUSH;
}

static void o_option(struct sendmail *s, const char *text)
{
	if (text[0] == 'i')
		s->ignore_dot = true;
	else if (text[0] == 'A' && !text[1])
		fatal_exit(EX_USAGE, "-oA requires pathname");
	else if (text[0] == 'A')
		s->alias_file = text + 1;
}

/* main.cf itself, or the folder that it is in. */
static const char *config_dir(char *text)
{
	if (text_ends_nocase(text, "/main.cf") && access(text, F_OK) == 0)
		text[strlen(text) - strlen("/main.cf")] = '\0';
	return text;
}

static void one_option(struct sendmail *s, int ch)
{
	switch (ch) {
	case 'B':
		body_type(s, optarg);
		break;
	case 'C':
		s->command.etc = config_dir(optarg);
		break;
	case 'F':
		s->full_name = optarg;
		break;
	case 'G':
		s->flags |= MAILDROP_REMOTE;
		break;
	case 'I':
		s->mode = MODE_NEWALIASES;
		break;
	case 'N':
		s->notify = notify_of(optarg);
		break;
	case 'R':
		s->ret = ret_of(optarg);
		break;
	case 'V':
		s->envid = envid_of(optarg);
		break;
	case 'b':
		s->mode = mode_of_b(optarg);
		break;
	case 'f':
	case 'r':
		s->sender_text = optarg;
		break;
	case 'i':
		s->ignore_dot = true;
		break;
	case 'o':
		o_option(s, optarg);
		break;
	case 'q':
		queue_run(s, optarg);
		break;
	case 't':
		s->extract = true;
		break;
	case 'v':
		s->verbose++;
		break;
	case 'X':
		if (optarg[0] == 'V')
			s->verp = optarg + 1;
		break;
	case '?':
		fatal_exit(EX_USAGE, "usage: sendmail [options]");
	default:
		break; /* accepted, without effect */
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void check_sense(const struct sendmail *s)
{
	static const char *const no_rcpts[] = {[MODE_SMTP] = "stand-alone mode",
	    [MODE_LIST] = "display queue mode",
	    [MODE_FLUSH] = "flush queue mode",
	    [MODE_NEWALIASES] = "alias initialization mode",
	    [MODE_DAEMON] = "daemon mode",
	    [MODE_VERIFY] = NULL,
	    [MODE_NOTHING] = NULL};

	if (no_rcpts[s->mode] && s->rcpts[0])
		fatal_exit(EX_USAGE, "%s requires no recipient", no_rcpts[s->mode]);
	if (s->extract && s->mode == MODE_VERIFY)
		fatal_exit(EX_USAGE, "-t option cannot be used with -bv");
	if (s->extract && s->mode != MODE_ENQUEUE)
		fatal_exit(EX_USAGE, "-t can be used only in delivery mode");
}

void options_parse(struct sendmail *s, int argc, char **argv)
{
	const char *called = argc > 0 ? base_name(argv[0]) : "";
	int ch;

	s->envid = s->ret = "";
	if (strcmp(called, "mailq") == 0)
		s->mode = MODE_LIST;
	else if (strcmp(called, "newaliases") == 0)
		s->mode = MODE_NEWALIASES;
	while ((ch = getopt(argc, argv, option_letters)) > 0)
		one_option(s, ch);
	s->rcpts = argv + optind;
	check_sense(s);
	if (s->mode == MODE_VERIFY)
		s->flags |= MAILDROP_VERIFY;
	/* -v alone asks for a delivery report; twice and more it is for us */
	if (s->verbose > 0 && s->mode == MODE_ENQUEUE)
		s->flags |= MAILDROP_TRACE;
	log_set_verbose(s->verbose > 1 ? s->verbose - 1 : 0);
}
