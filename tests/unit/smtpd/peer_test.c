/* SPDX-License-Identifier: ISC */
#include "smtpd/smtpd.h"
#include "suite.h"

static const struct {
	const char *name, *addr;
	bool log_port;
	const char *namaddr, *rfc_addr;
	enum peer_status status;
} cases[] = {
    {"a.example", "192.0.2.1", false, "a.example[192.0.2.1]", "192.0.2.1", PEER_NAME_OK},
    {"a.example", "192.0.2.1", true, "a.example[192.0.2.1]:77", "192.0.2.1", PEER_NAME_OK},
    {"unknown", "2001:db8::1", false, "unknown[2001:db8::1]", "IPv6:2001:db8::1",
        PEER_NAME_PERMFAIL},
    {"b", "::ffff:192.0.2.7", false, "b[192.0.2.7]", "192.0.2.7", PEER_NAME_OK},
    {"c", "no address", false, "c[unknown]", "unknown", PEER_NAME_OK},
};

START_TEST(described)
{
	struct smtpd_config config = {.smtpd.client_port_logging = cases[_i].log_port};
	struct smtpd server = {.config = &config};
	struct arena arena = {0};
	struct peer peer = {0};

	peer_set(&server, &arena, &peer, cases[_i].name, cases[_i].addr, "77");
	ck_assert_str_eq(peer.namaddr, cases[_i].namaddr);
	ck_assert_str_eq(peer.rfc_addr, cases[_i].rfc_addr);
	ck_assert_int_eq(peer.name_status, cases[_i].status);
	arena_fini(&arena);
}
END_TEST

/* Descriptors that are no network connections count as this host. */
START_TEST(not_a_socket)
{
	struct smtpd_config config = {.smtpd.peername_lookup = true};
	struct smtpd server = {.config = &config};
	struct arena arena = {0};
	struct peer peer = {0};

	peer_from_fd(&server, 0, &arena, &peer);
	ck_assert_str_eq(peer.namaddr, "localhost[127.0.0.1]");
	arena_fini(&arena);
}
END_TEST

TCase *peer_tcase(void)
{
	TCase *tcase = tcase_create("peer");

	tcase_add_loop_test(tcase, described, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, not_a_socket);
	return tcase;
}
