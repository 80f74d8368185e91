/* SPDX-License-Identifier: ISC */
/* -bv: says where each recipient would go, and delivers nothing. */
#include <stdio.h>
#include <sysexits.h>

#include "commands/sendmail/sendmail.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/route/route.h"

struct verify {
	struct sendmail *sendmail;
	struct router *router;
	int status;
};

static void verify_rcpt(void *arg, const char *address)
{
	struct verify *v = arg;
	struct arena arena = {0};
	struct route route = {0};
	struct err err;
	const char *full = route_rewrite(v->router, address, &arena);

	if (route_resolve(v->router, str_text(&v->sendmail->sender), full, &arena, &route, &err) <
	    0) {
		printf("%s... undecided: %s\n", full, err.text);
		v->status = EX_TEMPFAIL;
	} else if (route_recipient_known(v->router, &route, &err) == TABLE_NOT_FOUND) {
		printf("%s... User unknown\n", full);
		v->status = EX_NOUSER;
	} else {
		printf("%s... deliverable: mailer %s, host %s, user %s\n", full, route.transport,
		    route.nexthop, route.recipient);
	}
	arena_fini(&arena);
}

int verify_run(struct sendmail *s)
{
	struct verify v = {.sendmail = s};
	struct conf_report report = {0};
	struct route_params params;

	if (!s->rcpts[0])
		fatal_exit(EX_USAGE,
		    "%s(%ld): Recipient addresses must be specified on the command line", s->login,
		    (long)s->uid);
	if (conf_fill(s->command.conf, &route_params, &params, &report) < 0)
		fatal_exit(EX_CONFIG, "%s", str_text(&report.text));
	conf_report_fini(&report);
	v.router = router_new(&s->command.core, &params);
	for (char **arg = s->rcpts; *arg; arg++)
		rcpt_each(slice_text(*arg), verify_rcpt, &v);
	router_free(&v.router);
	return v.status;
}
