/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "suite.h"
#include "verify/verify.h"

static const struct verify_params params = {
    .map = "", /* memory */
    .negative_cache = true,
    .positive_expire = 31 * 86400,
    .positive_refresh = 7 * 86400,
    .negative_expire = 3 * 86400,
    .negative_refresh = 3 * 3600,
    .pending_limit = 3,
};
static int probes;

static bool count_probe(struct verifier *v, const char *address, struct err *err)
{
	(void)v, (void)address, (void)err;
	probes++;
	return true;
}

static struct verifier fresh(const struct verify_params *p)
{
	struct verifier v = {.params = p, .probe = count_probe};

	probes = 0;
	cache_open(&v);
	return v;
}

/* Asks at the time and checks status and number of probes so far. */
static void ask(struct verifier *v, const char *address, int64_t now, enum verify_status status,
    int probes_so_far)
{
	struct arena arena = {0};
	struct verify_answer answer;

	cache_query(v, address, now, &arena, &answer);
	ck_assert_int_eq(answer.status, status);
	ck_assert_int_eq(probes, probes_so_far);
	arena_fini(&arena);
}

static void tell(struct verifier *v, const char *address, enum verify_status status, int64_t now)
{
	const struct verify_update update = {address, status, "because"};

	cache_update(v, &update, now);
}

enum { T0 = 1700000000, DAY = 86400 };

START_TEST(good)
{
	struct verifier v = fresh(&params);

	ask(&v, "a@x", T0, VERIFY_TODO, 1);
	ask(&v, "a@x", T0 + 3, VERIFY_TODO, 1);
	tell(&v, "a@x", VERIFY_OK, T0 + 4);
	ask(&v, "a@x", T0 + 5, VERIFY_OK, 1);
	/* a new probe, the old answer; a failure then is not believed */
	ask(&v, "a@x", T0 + 8 * DAY, VERIFY_OK, 2);
	tell(&v, "a@x", VERIFY_BOUNCE, T0 + 8 * DAY);
	ask(&v, "a@x", T0 + 8 * DAY + 1, VERIFY_OK, 3);
	ask(&v, "a@x", T0 + 40 * DAY, VERIFY_TODO, 4);
	tell(&v, "a@x", VERIFY_BOUNCE, T0 + 40 * DAY);
	ask(&v, "a@x", T0 + 40 * DAY, VERIFY_BOUNCE, 4);
	cache_close(&v);
}
END_TEST

START_TEST(bad)
{
	struct verifier v = fresh(&params);

	ask(&v, "a@x", T0, VERIFY_TODO, 1);
	tell(&v, "a@x", VERIFY_DEFER, T0);
	ask(&v, "a@x", T0 + 2 * 3600, VERIFY_DEFER, 1);
	ask(&v, "a@x", T0 + 4 * 3600, VERIFY_DEFER, 2);
	tell(&v, "a@x", VERIFY_OK, T0 + 4 * 3600);
	ask(&v, "a@x", T0 + 4 * 3600, VERIFY_OK, 2);
	cache_close(&v);
}
END_TEST

START_TEST(lost_and_limited)
{
	struct verifier v = fresh(&params);

	ask(&v, "a@x", T0, VERIFY_TODO, 1);
	ask(&v, "b@x", T0, VERIFY_TODO, 2);
	ask(&v, "c@x", T0, VERIFY_TODO, 3);
	ask(&v, "d@x", T0, VERIFY_TODO, 3); /* the limit */
	ask(&v, "d@x", T0 + VERIFY_PROBE_TTL + 1, VERIFY_TODO, 4);
	cache_close(&v);
}
END_TEST

START_TEST(no_negative)
{
	struct verify_params p = params;
	struct verifier v;

	p.negative_cache = false;
	v = fresh(&p);
	ask(&v, "a@x", T0, VERIFY_TODO, 1);
	tell(&v, "a@x", VERIFY_BOUNCE, T0);
	ask(&v, "a@x", T0, VERIFY_TODO, 1);
	cache_close(&v);
}
END_TEST

START_TEST(entries)
{
	static const char *const broken[] = {
	    "", "0", "0:1:2", "4:1:2:x", "-1:1:2:x", "0:x:2:y", "0:99999999999999999999:2:y"};
	struct entry e;
	struct str out = {0};

	ck_assert(verify_entry_parse("2:10:20:550 no: such", &e));
	ck_assert_int_eq(e.status, VERIFY_BOUNCE);
	ck_assert_str_eq(e.text, "550 no: such");
	entry_print(&out, &e);
	ck_assert_str_eq(str_text(&out), "2:10:20:550 no: such");
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		ck_assert_msg(!verify_entry_parse(broken[i], &e), "%s", broken[i]);
	str_fini(&out);
}
END_TEST

TCase *cache_tcase(void)
{
	TCase *tcase = tcase_create("cache");

	tcase_add_test(tcase, good);
	tcase_add_test(tcase, bad);
	tcase_add_test(tcase, lost_and_limited);
	tcase_add_test(tcase, no_negative);
	tcase_add_test(tcase, entries);
	return tcase;
}
