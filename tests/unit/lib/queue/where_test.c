/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/queue/where.h"
#include "suite.h"

enum { NOW = 1700000000 };

/* One message: 3 hours old, 150 KiB, deferred, to two. */
static const struct where_message message = {.queue = "deferred",
    .id = "3F0ED1A2B3C",
    .sender = "News@Spam.example",
    .arrival = NOW - 3 * 3600,
    .size = 150 * 1024};

static const struct {
	const char *text;
	bool want;
} answers[] = {
    {"queue=deferred and sender=~@spam\\.example and age>2h and size>100k and reason~\"timed out\"",
        true},
    {"queue=deferred and sender=~@spam\\.example and age>2h and size>200k", false},
    {"queue=hold", false},
    {"queue != hold", true},
    {"QUEUE==Deferred", true},
    {"queue~^def", true},
    {"id=3F0ED1A2B3C", true},
    {"id=3f0ed1a2b3c", false},
    {"id~^3F", true},
    {"sender=news@spam.example", true},
    {"from='news@spam.example'", true},
    {"sender=\"\"", false},
    {"not sender=<>", true},
    {"sender_domain=spam.example", true},
    {"sender_domain=.example", true},
    {"sender_domain=.spam.example", false},
    {"domain=one.example", true},
    {"domain=two.example", true},
    {"domain=ONE.EXAMPLE AND domain=two.example", true},
    {"domain!=one.example", false},
    {"domain!=three.example", true},
    {"not domain=three.example", true},
    {"recipient=a@one.example", true},
    {"recipient!~@one", false},
    {"to~^a@", true},
    {"recipients=2", true},
    {"recipients>2", false},
    {"recipients>=2", true},
    {"recipients<2", false},
    {"recipients<=2", true},
    {"recipients!=2", false},
    {"size=153600", true},
    {"size=150k", true},
    {"size>=150K", true},
    {"size<1m", true},
    {"age>=3h", true},
    {"age=10800", true},
    {"age<3h1s", true},
    {"age>2h59m59s", true},
    {"age>1d", false},
    {"age<1w", true},
    {"expired", false},
    {"!expired", true},
    {"not not !expired", true},
    {"reason~refused", true},
    {"reason='Connection refused'", true},
    {"reason!~(refused|quota)", false},
    {"(reason~(quota))or size>1", true},
    {"(reason~(refused|quota)) and size>1", true},
    {"size>1 or size<1 and size<1", true},
    {"(size>1 or size<1) and size<1", false},
    {"size>1&&age>1||expired", true},
    {"size<1||age<1 || queue=deferred", true},
    {"reason~\"time[dr] out\" and not (domain=x.example or domain=y.example)", true},
    {"reason~\"\\(in \\\"reply\\\"\\)\"", true},
    {"\tsize>1\n", true},
};

static bool ask(struct where *w, const struct where_message *m)
{
	where_begin(w, m, NOW);
	where_rcpt(w, "a@one.example", "Connection refused");
	where_rcpt(w, "B@Two.example", "conversation timed out (in \"reply\")");
	return where_end(w);
}

START_TEST(answered)
{
	struct err err = {0};
	struct where *w = where_parse(answers[_i].text, &err);

	ck_assert_msg(w != NULL, "%s: %s", answers[_i].text, err.text);
	/* twice: nothing of one message is left for the next */
	for (int i = 0; i < 2; i++) {
		const struct where_message other = {.queue = "hold", .id = "x", .sender = ""};

		ck_assert_msg(ask(w, &message) == answers[_i].want, "%s", answers[_i].text);
		where_begin(w, &other, NOW);
		where_end(w);
	}
	where_free(&w);
	ck_assert_ptr_null(w);
}
END_TEST

static const struct {
	const char *text, *want;
} errors[] = {
    {"", "column 1: a comparison is missing at the end"},
    {"  ", "column 3: a comparison is missing at the end"},
    {"sendr=x", "column 1: there is no field \"sendr\": it is one of queue, id, sender, recipient, "
                "domain, sender_domain, reason, size, age, recipients, expired"},
    {"size>1 and sendr=x", "column 12: there is no field \"sendr\""},
    {"=x", "column 1: a comparison is missing before \"=x\""},
    {"sender", "column 7: an operator is missing behind sender: = != ~ !~"},
    {"sender x", "column 8: an operator is missing behind sender: = != ~ !~"},
    {"sender>x", "column 7: sender is compared with = != ~ !~"},
    {"size~x", "column 5: size is compared with = != < <= > >="},
    {"size >  ", "column 9: a value is missing"},
    {"size>k", "column 6: \"k\" is not a number"},
    {"size>-1", "column 6: \"-1\" is not a number"},
    {"size>10x", "column 8: \"x\" is not a unit of size (k, M, G, T)"},
    {"size>1kb", "column 8: \"b\" is not a number"},
    {"age>5y", "column 6: \"y\" is not a unit of time (s, m, h, d, w)"},
    {"recipients>5k", "column 13: \"k\" is not a unit; this is a plain number"},
    {"size>99999999999999999999", "column 24: the number is too large"},
    {"age>9999999999999999w", "column 21: the number is too large"},
    {"queue=defered", "column 7: there is no queue \"defered\": it is one of maildrop, incoming, "
                      "active, deferred, hold"},
    {"reason~\"timed", "column 8: this quote is not closed"},
    {"reason~\"a\"b", "column 11: a blank is missing behind the quote"},
    {"reason~[a", "column 8: bad regular expression /[a/: "},
    {"reason~'((a{999}){999}){999}'", "column 8: bad regular expression "},
    {"reason~a\001", "column 8: control characters are not understood"},
    {"(size>1", "column 1: this parenthesis is not closed"},
    {"size>1)", "column 7: \"and\" or \"or\" is missing before \")\""},
    {"size>1 age>1", "column 8: \"and\" or \"or\" is missing before \"age>1\""},
    {"size>1 and", "column 11: a comparison is missing at the end"},
    {"not", "column 4: a comparison is missing at the end"},
    {"expired=yes", "column 8: \"and\" or \"or\" is missing before \"=yes\""},
    {"\033[1m=x", "column 1: a comparison is missing before \"?[1m=x\""},
};

START_TEST(refused)
{
	struct err err = {0};

	ck_assert_ptr_null(where_parse(errors[_i].text, &err));
	ck_assert_msg(strncmp(err.text, errors[_i].want, strlen(errors[_i].want)) == 0, "%s: %s",
	    errors[_i].text, err.text);
}
END_TEST

static const struct {
	const char *text;
	unsigned want;
} queues[] = {
    {"queue=deferred", WHERE_DEFERRED},
    {"queue!=deferred", WHERE_ALL & ~WHERE_DEFERRED},
    {"queue=deferred and size>1", WHERE_DEFERRED},
    {"queue=deferred or size>1", WHERE_ALL},
    {"queue=deferred or queue=hold and size>1", WHERE_DEFERRED | WHERE_HOLD},
    {"not (queue=deferred or queue=hold)", WHERE_MAILDROP | WHERE_INCOMING | WHERE_ACTIVE},
    {"not (queue=deferred and size>1)", WHERE_ALL},
    {"queue=deferred and queue=hold", 0},
    {"queue~^(in|ac)", WHERE_INCOMING | WHERE_ACTIVE},
    {"size>1", WHERE_ALL},
};

START_TEST(queues_named)
{
	struct err err;
	struct where *w = where_parse(queues[_i].text, &err);

	ck_assert_ptr_nonnull(w);
	ck_assert_uint_eq(where_queues(w), queues[_i].want);
	where_free(&w);
}
END_TEST

/* A match that would go on for ever selects nothing. */
START_TEST(endless_match)
{
	static const struct where_message m = {.queue = "hold", .id = "x", .sender = ""};
	struct err err = {0};
	struct where *w = where_parse("reason~^(a+)+$", &err);

	ck_assert_msg(w != NULL, "%s", err.text);
	where_begin(w, &m, NOW);
	where_rcpt(w, "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	ck_assert(!where_end(w));
	where_begin(w, &m, NOW);
	where_rcpt(w, "a", "aaaa");
	ck_assert(where_end(w));
	where_free(&w);
	w = where_parse("not reason~^(a+)+$", &err);
	where_begin(w, &m, NOW);
	where_rcpt(w, "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	ck_assert(!where_end(w));
	where_free(&w);
}
END_TEST

START_TEST(reasons_are_asked_for)
{
	struct err err;
	struct where *w = where_parse("size>1 and (age>1 or not reason~x)", &err);

	ck_assert(where_asks_reasons(w));
	where_free(&w);
	w = where_parse("size>1 and domain=reason", &err);
	ck_assert(!where_asks_reasons(w));
	where_free(&w);
}
END_TEST

/* What is too deep, too long or has too many parts is an error, not a crash. */
START_TEST(bounded)
{
	char *text = alloc_zero(1, WHERE_TEXT_MAX + 10);
	struct err err;

	memset(text, '(', WHERE_TEXT_MAX);
	ck_assert_ptr_null(where_parse(text, &err));
	ck_assert_str_eq(err.text, "column 51: more than 50 levels");
	memset(text, '!', WHERE_TEXT_MAX);
	ck_assert_ptr_null(where_parse(text, &err));
	ck_assert_str_eq(err.text, "column 51: more than 50 levels");
	memset(text, 'x', WHERE_TEXT_MAX + 1);
	ck_assert_ptr_null(where_parse(text, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "the expression is too long"));
	for (size_t at = 0; at + 12 < WHERE_TEXT_MAX; at += 12)
		snprintf(text + at, 13, "%s", "size!=1 and ");
	ck_assert_ptr_null(where_parse(text, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "the expression has too many parts"));
	free(text);
}
END_TEST

TCase *where_tcase(void)
{
	TCase *tcase = tcase_create("where");

	tcase_add_loop_test(tcase, answered, 0, ARRAY_LEN(answers));
	tcase_add_loop_test(tcase, refused, 0, ARRAY_LEN(errors));
	tcase_add_loop_test(tcase, queues_named, 0, ARRAY_LEN(queues));
	tcase_add_test(tcase, reasons_are_asked_for);
	tcase_add_test(tcase, endless_match);
	tcase_add_test(tcase, bounded);
	return tcase;
}
