/* SPDX-License-Identifier: ISC */
#include "lib/auth/cyrus.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/auth/bound.h"
#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"

/* Names of lib/sasl that libsasl2's header has, too. */
static const enum sasl_verdict verdict_continue = SASL_CONTINUE;
#define sasl_server_new cyrus_server_new
#define sasl_server_step cyrus_server_step

#if __has_include(<sasl/sasl.h>)
#include <sasl/sasl.h>

enum { MECHANISMS_MAX = 64 };

/* Everything that is called of the library, which is mapped when somebody needs it. */
#define CALLS(X)        \
	X(set_path)     \
	X(server_init)  \
	X(server_new)   \
	X(setprop)      \
	X(getprop)      \
	X(listmech)     \
	X(server_start) \
	X(server_step)  \
	X(errstring)    \
	X(dispose)      \
	X(done)

struct calls {
#define MEMBER(name) __typeof__(&sasl_##name) name;
	CALLS(MEMBER)
};

static const struct {
	const char *name;
	size_t offset;
} call_names[] = {
#define ROW(name) {"sasl_" #name, offsetof(struct calls, name)},
    CALLS(ROW)};

struct mechanism {
	char name[SASL_MECHNAMEMAX + 1];
	unsigned security; /* enum sasl_security */
};

struct cyrus {
	struct auth auth;
	struct calls call;
	char *hostname, *realm, *service;
	sasl_callback_t callbacks[2];
	struct bound bound;
	struct mechanism mechanisms[MECHANISMS_MAX];
	size_t mechanism_count;
	sasl_conn_t *conn; /* of the exchange */
	bool plaintext;    /* the client sends the password itself */
};

/* ---- the library ---------------------------------------------------------------------------- */

static int map_library(struct calls *out, struct err *err)
{
	void *library = dlopen("libsasl2.so.2", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return err_set(err, 0, "Cyrus SASL library: %s", dlerror());
	for (size_t i = 0; i < ARRAY_LEN(call_names); i++) {
		void *function = dlsym(library, call_names[i].name);

		if (!function)
			return err_set(err, 0, "Cyrus SASL library: %s", dlerror());
		memcpy((char *)out + call_names[i].offset, &function, sizeof(function));
	}
	return 0;
}

/* Passwords may be in what is beyond these levels. */
static int log_message(void *context, int level, const char *message)
{
	char *text = alloc_strdup(message);

	(void)context;
	text_make_printable(text, strlen(text));
	if (level == SASL_LOG_ERR || level == SASL_LOG_WARN)
		log_warn("SASL authentication problem: %s", text);
	else if (level == SASL_LOG_FAIL)
		log_warn("SASL authentication failure: %s", text);
	free(text);
	return SASL_OK;
}

static int failed(struct cyrus *c, const char *what, int rc, struct err *err)
{
	return err_set(err, 0, "Cyrus SASL: %s: %s", what, c->call.errstring(rc, NULL, NULL));
}

/* A conversation in which only mechanisms with these properties of libsasl2's count. */
static int open_conversation(struct cyrus *c, unsigned flags, struct err *err)
{
	/* the bytes behind AUTH stay as they are: no layers */
	sasl_security_properties_t properties = {.security_flags = flags};
	int rc = c->call.server_new(
	    c->service, c->hostname, *c->realm ? c->realm : NULL, NULL, NULL, NULL, 0, &c->conn);

	if (rc != SASL_OK) {
		c->conn = NULL;
		return failed(c, "a new connection", rc, err);
	}
	rc = c->call.setprop(c->conn, SASL_SEC_PROPS, &properties);
	return rc == SASL_OK ? 0 : failed(c, "security properties", rc, err);
}

static void close_conversation(struct cyrus *c)
{
	if (c->conn)
		c->call.dispose(&c->conn);
	c->conn = NULL;
}

/* ---- mechanisms ----------------------------------------------------------------------------- */

static const struct {
	unsigned theirs, ours;
} properties[] = {
    {SASL_SEC_NOPLAINTEXT, SASL_NOPLAINTEXT},
    {SASL_SEC_NOACTIVE, SASL_NOACTIVE},
    {SASL_SEC_NODICTIONARY, SASL_NODICTIONARY},
    {SASL_SEC_NOANONYMOUS, SASL_NOANONYMOUS},
    {SASL_SEC_MUTUAL_AUTH, SASL_MUTUAL_AUTH},
    {SASL_SEC_FORWARD_SECRECY, SASL_FORWARD_SECRECY},
};

static void keep_mechanism(struct cyrus *c, struct slice name, unsigned security)
{
	struct mechanism *m = c->mechanisms;

	while (m < c->mechanisms + c->mechanism_count && !slice_eq(name, m->name))
		m++;
	if (m == c->mechanisms + c->mechanism_count) {
		if (c->mechanism_count == MECHANISMS_MAX || name.len >= sizeof(m->name))
			return;
		memcpy(m->name, name.data, name.len);
		c->mechanism_count++;
	}
	m->security |= security;
}

static int learn_mechanisms_of(struct cyrus *c, unsigned flags, unsigned security, struct err *err)
{
	const char *names = "";
	int rc, result = open_conversation(c, flags, err);

	if (result == 0) {
		rc = c->call.listmech(c->conn, NULL, "", " ", "", &names, NULL, NULL);
		if (rc != SASL_OK && rc != SASL_NOMECH)
			result = failed(c, "mechanisms", rc, err);
	}
	while (result == 0 && *names) {
		size_t len = strcspn(names, " ");

		if (len)
			keep_mechanism(c, slice_of(names, len), security);
		names += len + strspn(names + len, " ");
	}
	close_conversation(c);
	return result;
}

/* The library does not tell what a mechanism is worth, but which are worth something. */
static int learn_mechanisms(struct cyrus *c, struct err *err)
{
	if (learn_mechanisms_of(c, 0, 0, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(properties); i++)
		if (learn_mechanisms_of(c, properties[i].theirs, properties[i].ours, err) < 0)
			return -1;
	return 0;
}

static int list_mechanisms(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err)
{
	struct cyrus *c = (struct cyrus *)auth;

	(void)err;
	for (size_t i = 0; i < c->mechanism_count; i++)
		each(arg, c->mechanisms[i].name, c->mechanisms[i].security);
	return 0;
}

/* ---- an exchange ---------------------------------------------------------------------------- */

/* Whom the library knows by now. */
static void take_user(struct cyrus *c, struct auth_answer *out)
{
	static const int names[] = {SASL_USERNAME, SASL_AUTHUSER};
	const void *user = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names) && !user; i++)
		if (c->call.getprop(c->conn, names[i], &user) != SASL_OK)
			user = NULL;
	str_clear(&out->user);
	if (user)
		str_put_text(&out->user, user);
}

/*
 * Is it not the client's fault? A check of a plain password that fails in no particular way has not
 * reached whoever checks; but a name that is none is the client's.
 */
static bool is_trouble(const struct cyrus *c, int rc, const struct auth_answer *answer)
{
	return rc == SASL_UNAVAIL || rc == SASL_TRYAGAIN || rc == SASL_NOMEM ||
	       rc == SASL_NOTINIT || (rc == SASL_FAIL && c->plaintext && answer->user.len > 0);
}

static enum sasl_verdict judge(
    struct cyrus *c, int rc, bool too_late, struct slice challenge, struct auth_answer *out)
{
	if (rc == SASL_CONTINUE) {
		str_put(&out->challenge, challenge.data, challenge.len);
		return verdict_continue;
	}
	take_user(c, out);
	if (rc == SASL_OK && out->user.len > 0) {
		close_conversation(c);
		return SASL_ACCEPTED;
	}
	if (too_late)
		log_warn("SASL: no answer within %d seconds", c->bound.seconds);
	if (too_late || is_trouble(c, rc, out)) {
		close_conversation(c);
		str_put_text(&out->reason, auth_unavailable);
		return SASL_LATER;
	}
	/* which users there are is nobody's business */
	if (rc == SASL_NOUSER || rc == SASL_NOVERIFY)
		rc = SASL_BADAUTH;
	str_put_text(
	    &out->reason, rc == SASL_OK ? "no user name" : c->call.errstring(rc, NULL, NULL));
	close_conversation(c);
	return SASL_REFUSED;
}

static enum sasl_verdict begin(
    struct auth *auth, const struct auth_request *request, struct auth_answer *out)
{
	struct cyrus *c = (struct cyrus *)auth;
	const char *challenge = NULL;
	unsigned len = 0;
	struct err err;
	int rc;

	close_conversation(c);
	if (open_conversation(c, 0, &err) < 0) {
		close_conversation(c);
		log_warn("%s", err.text);
		str_put_text(&out->reason, auth_unavailable);
		return SASL_LATER;
	}
	c->plaintext = text_eq_nocase(request->mechanism, "PLAIN") ||
	               text_eq_nocase(request->mechanism, "LOGIN");
	bound_begin(&c->bound);
	rc = c->call.server_start(c->conn, request->mechanism, request->initial.data,
	    (unsigned)request->initial.len, &challenge, &len);
	return judge(c, rc, bound_end(&c->bound), slice_of(challenge ? challenge : "", len), out);
}

static enum sasl_verdict step(struct auth *auth, struct slice response, struct auth_answer *out)
{
	struct cyrus *c = (struct cyrus *)auth;
	const char *challenge = NULL;
	unsigned len = 0;
	int rc;

	if (!c->conn)
		return SASL_REFUSED;
	bound_begin(&c->bound);
	rc = c->call.server_step(
	    c->conn, response.data ? response.data : "", (unsigned)response.len, &challenge, &len);
	return judge(c, rc, bound_end(&c->bound), slice_of(challenge ? challenge : "", len), out);
}

static void cancel(struct auth *auth)
{
	close_conversation((struct cyrus *)auth);
}

static void free_cyrus(struct auth *auth)
{
	struct cyrus *c = (struct cyrus *)auth;

	close_conversation(c);
	c->call.done();
	bound_fini(&c->bound);
	free(c->hostname);
	free(c->realm);
	free(c->service);
	free(c);
}

/* ---- the beginning -------------------------------------------------------------------------- */

static int start_library(struct cyrus *c, const struct auth_cyrus_config *config, struct err *err)
{
	char *path = alloc_strdup(config->config_path);
	int rc = c->call.set_path(SASL_PATH_TYPE_CONFIG, path);

	free(path);
	if (rc != SASL_OK)
		return failed(c, config->config_path, rc, err);
	/* a type that stands for all, as the library wants it */
	c->callbacks[0].id = SASL_CB_LOG;
	c->callbacks[0].proc = (int (*)(void))(void (*)(void))log_message;
	c->callbacks[1].id = SASL_CB_LIST_END;
	rc = c->call.server_init(c->callbacks, config->application);
	if (rc != SASL_OK)
		return err_set(err, 0, "Cyrus SASL: %s.conf in %s: %s", config->application,
		    config->config_path, c->call.errstring(rc, NULL, NULL));
	return learn_mechanisms(c, err);
}

struct auth *auth_cyrus_new(const struct auth_cyrus_config *config, struct err *err)
{
	static const struct auth_ops ops = {list_mechanisms, begin, step, cancel, free_cyrus,
	    {.bad_initial = "bad protocol / cancel",
	        .bad_continued = "bad protocol / cancel",
	        .no_mechanism = "no mechanism available"},
	    NULL};
	struct cyrus *c = alloc_zero(1, sizeof(*c));

	c->auth.ops = &ops;
	if (map_library(&c->call, err) < 0 || bound_init(&c->bound, config->time_limit, err) < 0) {
		free(c);
		return NULL;
	}
	c->hostname = alloc_strdup(config->hostname);
	c->realm = alloc_strdup(config->realm);
	c->service = alloc_strdup(config->service);
	if (start_library(c, config, err) < 0) {
		free_cyrus(&c->auth);
		return NULL;
	}
	return &c->auth;
}

#else

struct auth *auth_cyrus_new(const struct auth_cyrus_config *config, struct err *err)
{
	(void)config;
	(void)verdict_continue;
	err_set(err, 0, "Cyrus SASL: this was built without libsasl2-dev");
	return NULL;
}

#endif
