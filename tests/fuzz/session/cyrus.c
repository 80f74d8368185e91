/* SPDX-License-Identifier: ISC */
/*
 * libsasl2, as far as lib/auth/cyrus.c calls it, with answers of the fuzzer's. A line of the script
 * is an answer: a letter for the result, then the user's name (O) or the challenge (any other).
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "tests/fuzz/session/play.h"

void *__real_dlopen(const char *path, int flags);
void *__wrap_dlopen(const char *path, int flags);
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);

#if __has_include(<sasl/sasl.h>)
#include <sasl/sasl.h>

typedef int log_fn(void *context, int level, const char *message);
static log_fn *log_line;

struct sasl_conn {
	char *user, *challenge; /* of the size that it has, so that reads beyond it are seen */
	unsigned flags;
};
static int conversations;

static int fake_set_path(int type, char *path)
{
	must(type == SASL_PATH_TYPE_CONFIG && *path);
	return SASL_OK;
}

static int fake_server_init(const sasl_callback_t *callbacks, const char *application)
{
	must(callbacks && callbacks[0].id == SASL_CB_LOG && *application);
	log_line = (log_fn *)(void (*)(void))callbacks[0].proc;
	return SASL_OK;
}

static int fake_server_new(const char *service, const char *host, const char *realm,
    const char *local_port, const char *remote_port, const sasl_callback_t *callbacks,
    unsigned flags, sasl_conn_t **out)
{
	(void)realm;
	(void)local_port;
	(void)remote_port;
	(void)callbacks;
	(void)flags;
	must(*service && *host);
	if (play.answers[FAKE_CYRUS].len > 0 && play.answers[FAKE_CYRUS].data[0] == 'X') {
		play_take_until(&play.answers[FAKE_CYRUS], "\n");
		return SASL_NOMEM;
	}
	*out = calloc(1, sizeof(**out));
	conversations++;
	return *out ? SASL_OK : SASL_NOMEM;
}

static int fake_setprop(sasl_conn_t *conn, int what, const void *value)
{
	must(what == SASL_SEC_PROPS);
	conn->flags = ((const sasl_security_properties_t *)value)->security_flags;
	return SASL_OK;
}

static int fake_getprop(sasl_conn_t *conn, int what, const void **value)
{
	must(what == SASL_USERNAME || what == SASL_AUTHUSER);
	*value = what == SASL_USERNAME ? conn->user : NULL;
	return *value ? SASL_OK : SASL_NOTDONE;
}

static int fake_listmech(sasl_conn_t *conn, const char *user, const char *prefix, const char *sep,
    const char *suffix, const char **out, unsigned *len, int *count)
{
	(void)user;
	(void)len;
	(void)count;
	must(!*prefix && *sep == ' ' && !*suffix);
	if (conn->flags & SASL_SEC_MUTUAL_AUTH)
		return SASL_NOMECH;
	*out = conn->flags & SASL_SEC_NOPLAINTEXT ? "CRAM-MD5 DIGEST-MD5 "
	                                          : "PLAIN  LOGIN CRAM-MD5 DIGEST-MD5 ANONYMOUS";
	return SASL_OK;
}

static char *copy(struct slice text)
{
	char *out = malloc(text.len + 1);

	if (!out)
		abort();
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return out;
}

static int answer(sasl_conn_t *conn, bool first, const char **challenge, unsigned *len)
{
	static const struct {
		char letter;
		int result;
	} results[] = {{'O', SASL_OK}, {'C', SASL_CONTINUE}, {'B', SASL_BADAUTH}, {'F', SASL_FAIL},
	    {'U', SASL_UNAVAIL}, {'N', SASL_NOUSER}, {'M', SASL_NOMECH}, {'P', SASL_BADPROT},
	    {'V', SASL_NOVERIFY}, {'T', SASL_TRYAGAIN}, {'I', SASL_INTERACT}};
	struct slice line = play_take_until(&play.answers[FAKE_CYRUS], "\n"), text;
	int result = SASL_BADAUTH;

	if (line.len > 0 && line.data[line.len - 1] == '\n')
		line.len--;
	if (line.len == 0)
		line = first ? slice_text("CUsername:") : slice_text("Ojoe");
	for (size_t i = 0; i < ARRAY_LEN(results); i++)
		if (results[i].letter == line.data[0])
			result = results[i].result;
	text = slice_of(line.data + 1, line.len - 1);
	free(conn->challenge);
	conn->challenge = NULL;
	if (result == SASL_OK || result == SASL_NOUSER || result == SASL_FAIL) {
		free(conn->user);
		conn->user = copy(text);
		play.logins += result == SASL_OK;
		return result;
	}
	conn->challenge = malloc(text.len ? text.len : 1);
	if (!conn->challenge)
		abort();
	memcpy(conn->challenge, text.data, text.len);
	*challenge = text.len ? conn->challenge : NULL;
	*len = (unsigned)text.len;
	return result;
}

/* It reads what it is given, and speaks of it. */
static void read_all(const char *data, unsigned len)
{
	char *seen_data = copy(slice_of(data ? data : "", data ? len : 0));

	log_line(NULL, len % 2 ? SASL_LOG_ERR : SASL_LOG_FAIL, seen_data);
	log_line(NULL, SASL_LOG_PASS, "password");
	free(seen_data);
}

static int fake_server_start(sasl_conn_t *conn, const char *mechanism, const char *data,
    unsigned len, const char **challenge, unsigned *challenge_len)
{
	must(*mechanism && (data || len == 0));
	read_all(data, len);
	return answer(conn, data == NULL, challenge, challenge_len);
}

static int fake_server_step(sasl_conn_t *conn, const char *data, unsigned len,
    const char **challenge, unsigned *challenge_len)
{
	must(data);
	read_all(data, len);
	return answer(conn, false, challenge, challenge_len);
}

static const char *fake_errstring(int result, const char *languages, const char **language_out)
{
	(void)languages;
	(void)language_out;
	return result == SASL_BADAUTH ? "authentication failure" : "some\r\nother trouble";
}

static void fake_dispose(sasl_conn_t **conn)
{
	free((*conn)->user);
	free((*conn)->challenge);
	free(*conn);
	*conn = NULL;
	conversations--;
}

static void fake_done(void)
{
	must(conversations == 0);
}

#define CALLS(X)       \
	X(set_path)    \
	X(server_init) \
	X(server_new)  \
	X(setprop)     \
	X(getprop) X(listmech) X(server_start) X(server_step) X(errstring) X(dispose) X(done)

static void *find(const char *name)
{
	static const struct {
		const char *name;
		void (*function)(void);
	} functions[] = {
#define ROW(name) {"sasl_" #name, (void (*)(void))fake_##name},
	    CALLS(ROW)};
	void *out = NULL;

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			memcpy(&out, &functions[i].function, sizeof(out));
	return out;
}

/* A session leaves no conversation open. */
void cyrus_end(void)
{
	must(conversations == 0);
}

#else

static void *find(const char *name)
{
	(void)name;
	return NULL;
}

void cyrus_end(void)
{
}

#endif

static int library; /* its address stands for it */

void *__wrap_dlopen(const char *path, int flags)
{
	return path && strstr(path, "libsasl2") ? &library : __real_dlopen(path, flags);
}

void *__wrap_dlsym(void *handle, const char *name)
{
	return handle == &library ? find(name) : __real_dlsym(handle, name);
}
