/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "lib/auth/entry.h"
#include "lib/auth/password.h"
#include "lib/base/log.h"
#include "lib/sasl/server.h"

/*
 * postern user [-m METHOD] NAME   reads a password and prints the line of a table of users
 * From a terminal the password is asked for twice; otherwise it is the first line of the input.
 */
enum { PASSWORD_MAX = 255, SALT = 16 };

/* A line without its end. false: there is none, or it does not fit. */
static bool read_secret(const char *prompt, char *out, size_t size)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0, good;

	if (terminal) {
		fprintf(stderr, "%s: ", prompt);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	good = fgets(out, (int)size, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!good)
		return false;
	good = strchr(out, '\n') != NULL || feof(stdin);
	out[strcspn(out, "\r\n")] = '\0';
	return good;
}

static void ask(char *password, size_t size)
{
	char again[PASSWORD_MAX + 2];

	if (!read_secret("Password", password, size) || !*password)
		fatal("a password of 1 to %d bytes is needed", PASSWORD_MAX);
	if (isatty(STDIN_FILENO) &&
	    (!read_secret("The same again", again, sizeof(again)) || strcmp(again, password) != 0))
		fatal("the two are not the same");
	digest_wipe(again, sizeof(again));
}

static int print_line(const char *name, const char *password, const char *method)
{
	struct scram_verifier verifier;
	char salt[SALT];
	struct str line = {0};
	struct err err;

	str_printf(&line, "%s\t", name);
	if (password_hash(password, method, &line, &err) < 0)
		fatal("%s", err.text);
	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		fatal("no random bytes to be had");
	if (scram_verifier_make(DIGEST_SHA256, slice_text(password), slice_of(salt, sizeof(salt)),
	        SCRAM_ITERATIONS, &verifier) < 0)
		fatal("SHA-256 is not to be had");
	str_put_char(&line, ' ');
	scram_verifier_print(&line, &verifier);
	puts(str_text(&line));
	str_fini(&line);
	return fflush(stdout) == 0 ? 0 : 1;
}

static void check_name(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > SASL_USER_MAX)
		fatal("%s: expected a name of 1 to %d bytes", name, SASL_USER_MAX);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127 || *p == '#')
			fatal("%s: expected a name without blanks", name);
}

int command_user(int argc, char **argv)
{
	const char *method = NULL;
	char password[PASSWORD_MAX + 2];
	int ch, result;

	optind = 1;
	while ((ch = getopt(argc, argv, "+m:")) > 0) {
		if (ch != 'm')
			fatal("usage: postern user [-m method] name");
		method = optarg;
	}
	if (argc - optind != 1)
		fatal("usage: postern user [-m method] name");
	check_name(argv[optind]);
	ask(password, sizeof(password));
	result = print_line(argv[optind], password, method);
	digest_wipe(password, sizeof(password));
	return result;
}
