/* SPDX-License-Identifier: ISC */
#include "smtpd/ccert_search.h"
#include "suite.h"

/* order: c and k, for the certificate's fingerprint and the key's; NULL: refused */
static const struct {
	const char *arg, *table, *order;
} cases[] = {
    {"lmdb:/x", "lmdb:/x", "ck"},
    {"inline:{a=b, c=d}", "inline:{a=b, c=d}", "ck"},
    {"{lmdb:/x}", "lmdb:/x", "ck"},
    {"{ lmdb:/x, { search_order = cert_fingerprint } }", "lmdb:/x", "c"},
    {"{ lmdb:/x { search_order = pubkey_fingerprint cert_fingerprint } }", "lmdb:/x", "kc"},
    {"{ lmdb:/x, { search_order = cert_fingerprint, pubkey_fingerprint } }", "lmdb:/x", "ck"},
    {"{lmdb:/x, search_order=pubkey_fingerprint}", "lmdb:/x", "k"},
    {"{ inline:{ {a = b} }, { search_order=Pubkey_Fingerprint } }", "inline:{ {a = b} }", "k"},
    {"{ lmdb:/x, { search_order = subject } }", NULL, NULL},
    {"{ lmdb:/x, { search_order = } }", NULL, NULL},
    {"{ lmdb:/x, { order = cert_fingerprint } }", NULL, NULL},
    {"{ lmdb:/x, { search_order = cert_fingerprint cert_fingerprint cert_fingerprint } }", NULL,
        NULL},
    {"{ }", NULL, NULL},
    {"{ nothing }", NULL, NULL},
    {"{ lmdb:/x, ", NULL, NULL},
    {"{", NULL, NULL},
};

START_TEST(argument)
{
	struct ccert_search search;
	struct str table = {0};
	struct err err = {.text = ""};
	char order[CCERT_SEARCH_MAX + 1] = "";
	int rc = ccert_search_parse(cases[_i].arg, &search, &table, &err);

	ck_assert_msg((rc == 0) == (cases[_i].order != NULL), "%s: %s", cases[_i].arg, err.text);
	for (size_t i = 0; rc == 0 && i < search.count; i++)
		order[i] = search.by_key[i] ? 'k' : 'c';
	if (rc == 0) {
		ck_assert_str_eq(str_text(&table), cases[_i].table);
		ck_assert_str_eq(order, cases[_i].order);
	}
	str_fini(&table);
}
END_TEST

TCase *ccert_search_tcase(void)
{
	TCase *tc = tcase_create("ccert_search");

	tcase_add_loop_test(tc, argument, 0, sizeof(cases) / sizeof(cases[0]));
	return tc;
}
