/* SPDX-License-Identifier: ISC */
#ifndef LIB_SECURE_SECURE_H
#define LIB_SECURE_SECURE_H

#include "lib/conf/conf.h"
#include "lib/peer/tlsmgr.h"
#include "lib/tls/context.h"

/*
 * TLS as all programs set it up: the tls_* parameters and what they share by way of tlsmgr(8).
 */
struct secure_params {
	struct tls_common common;
	const char *tlsmgr_service_name;
	struct {
		const char *database;
		int timeout; /* seconds */
	} sessions[TLSMGR_CACHES];
};
extern const struct conf_table secure_params;

/* Kinds of values, both read as text (const char *): protocols as tls_protocols_parse has them, and
 * a cipher grade. */
extern const struct conf_kind secure_kind_protocols, secure_kind_grade;
#define SECURE_PROTOCOLS(st, m, name, dflt, doc)                                                  \
	{                                                                                         \
		name, &secure_kind_protocols, CONF_AT(st, m, const char *), dflt, 0, 0, NULL, doc \
	}
#define SECURE_GRADE(st, m, name, dflt, doc)                                                  \
	{                                                                                     \
		name, &secure_kind_grade, CONF_AT(st, m, const char *), dflt, 0, 0, NULL, doc \
	}

#endif
