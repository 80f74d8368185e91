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

#endif
