/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"
#include "commands/postern/user_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "lib/auth/password.h"
#include "lib/auth/users.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/sasl/server.h"

/*
 * postern user [-m METHOD] NAME            reads a password and prints the line of a table of users
 * postern user [-f TABLE] [-m METHOD] VERB [NAME]    works on the table
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

static void ask(char *password, size_t size, bool twice)
{
	char again[PASSWORD_MAX + 2];

	if (!read_secret("Password", password, size) || !*password)
		fatal("a password of 1 to %d bytes is needed", PASSWORD_MAX);
	if (twice && isatty(STDIN_FILENO) &&
	    (!read_secret("The same again", again, sizeof(again)) || strcmp(again, password) != 0))
		fatal("the two are not the same");
	digest_wipe(again, sizeof(again));
}

/* Asks for a password and makes of it what a table has. */
static void make_value(const char *method, struct str *out)
{
	char password[PASSWORD_MAX + 2], salt[SALT];
	struct scram_verifier verifier;
	struct err err;

	ask(password, sizeof(password), true);
	if (password_hash(password, method, out, &err) < 0)
		fatal("%s", err.text);
	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		fatal("no random bytes to be had");
	if (scram_verifier_make(DIGEST_SHA256, slice_text(password), slice_of(salt, sizeof(salt)),
	        SCRAM_ITERATIONS, &verifier) < 0)
		fatal("SHA-256 is not to be had");
	digest_wipe(password, sizeof(password));
	str_put_char(out, ' ');
	scram_verifier_print(out, &verifier);
}

static int print_line(const char *name, const char *method)
{
	struct str value = {0};

	make_value(method, &value);
	printf("%s\t%s\n", name, str_text(&value));
	str_fini(&value);
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

/* ---- a table -------------------------------------------------------------------------------- */

struct task {
	struct user_file *file;
	const char *name, *method, *table;
	const char *domain; /* smtpd_sasl_local_domain */
};

static void need(const struct task *t, bool there)
{
	if (user_file_has(t->file, t->name) != there)
		fatal("%s: user %s is %s", t->table, t->name,
		    there ? "not there" : "there already: change gives another password");
}

static int add(const struct task *t)
{
	struct str value = {0};

	need(t, false);
	make_value(t->method, &value);
	user_file_put(t->file, t->name, str_text(&value));
	str_fini(&value);
	return 0;
}

/* Another password; who it is, and whether he may, stays. */
static int change(const struct task *t)
{
	struct str value = {0};

	need(t, true);
	make_value(t->method, &value);
	user_file_keep_words(t->file, t->name, &value);
	user_file_put(t->file, t->name, str_text(&value));
	str_fini(&value);
	return 0;
}

static int disable(const struct task *t)
{
	need(t, true);
	user_file_disable(t->file, t->name, true);
	return 0;
}

static int enable(const struct task *t)
{
	need(t, true);
	user_file_disable(t->file, t->name, false);
	return 0;
}

static int delete (const struct task *t)
{
	need(t, true);
	user_file_put(t->file, t->name, NULL);
	return 0;
}

static int list(const struct task *t)
{
	user_file_list(t->file);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* As smtpd does it, by the table that smtpd reads. */
static int verify(const struct task *t)
{
	const struct auth_users_config config = {
	    .maps = t->table, .token_maps = "", .token_scope = "", .domain = t->domain};
	struct auth *users = auth_users_new(&config);
	struct auth_request request = {.mechanism = "PLAIN"};
	struct auth_answer answer = {0};
	struct str message = {0};
	char password[PASSWORD_MAX + 2];
	enum sasl_verdict verdict;

	ask(password, sizeof(password), false);
	str_put_char(&message, '\0');
	str_put(&message, t->name, strlen(t->name) + 1);
	str_put_text(&message, password);
	request.initial = slice_of(message.data, message.len);
	verdict = auth_begin(users, &request, &answer);
	digest_wipe(password, sizeof(password));
	digest_wipe(message.data, message.len);
	if (verdict == SASL_LATER)
		fatal("nobody can tell: %s cannot be asked", t->table);
	if (verdict == SASL_ACCEPTED)
		printf("%s: the password is right\n", str_text(&answer.user));
	else
		printf("%s: the password is wrong, or there is no such user, or he is disabled\n",
		    t->name);
	str_fini(&message);
	auth_answer_fini(&answer);
	auth_free(&users);
	return verdict == SASL_ACCEPTED ? 0 : 1;
}

static const struct verb {
	const char *name;
	int (*run)(const struct task *task);
	bool named, writes;
} verbs[] = {
    {"add", add, true, true},
    {"change", change, true, true},
    {"delete", delete, true, true},
    {"disable", disable, true, true},
    {"enable", enable, true, true},
    {"list", list, false, false},
    {"verify", verify, true, false},
};

static const struct verb *find_verb(const char *name, bool named)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0 && verbs[i].named == named)
			return &verbs[i];
	return NULL;
}

/* The table that smtpd has, or the one that -f names. */
static int run_verb(const char *etc, const struct verb *verb, struct task *t)
{
	static struct instance instance = {.program = "postern"}; /* lives as long as the process */
	struct err err;
	int status;

	instance_open(&instance, etc && *etc ? etc : "/etc/postfix");
	if (!t->table) {
		if (strcmp(conf_get(instance.conf, "smtpd_sasl_type"), "table") != 0)
			fatal("smtpd_sasl_type is not table: name one with -f, such as "
			      "-f lmdb:/etc/postfix/smtpd_users");
		t->table = conf_get(instance.conf, "smtpd_sasl_path");
	}
	t->domain = conf_get(instance.conf, "smtpd_sasl_local_domain");
	if (verb->run == verify)
		return verify(t);
	t->file = user_file_open(t->table, verb->writes, instance.core.mail_owner, &err);
	if (!t->file)
		fatal("%s", err.text);
	status = verb->run(t);
	if (verb->writes && user_file_save(t->file, &err) < 0)
		fatal("%s", err.text);
	user_file_close(&t->file);
	return status;
}

static const char usage[] = "usage: postern user [-m method] name; or postern user [-f table] "
                            "[-m method] add|change|delete|disable|enable|verify name; or "
                            "postern user [-f table] list";

int command_user(const char *etc, int argc, char **argv)
{
	struct task task = {0};
	const struct verb *verb;
	int ch;

	optind = 1;
	while ((ch = getopt(argc, argv, "+f:m:")) > 0) {
		switch (ch) {
		case 'f':
			task.table = optarg;
			break;
		case 'm':
			task.method = optarg;
			break;
		default:
			fatal("%s", usage);
		}
	}
	argc -= optind;
	argv += optind;
	verb = argc > 0 ? find_verb(argv[0], argc == 2) : NULL;
	if (argc < 1 || argc > 2 || (!verb && (argc != 1 || task.table)))
		fatal("%s", usage);
	task.name = argv[argc - 1];
	if (!verb || verb->named)
		check_name(task.name);
	return verb ? run_verb(etc, verb, &task) : print_line(task.name, task.method);
}
