/* SPDX-License-Identifier: ISC */
#ifndef TLSPROXY_PARAMS_H
#define TLSPROXY_PARAMS_H

#include "lib/conf/conf.h"

/* The client's side: what tlsproxy(8) shows of itself to servers, and whom it trusts. */
struct tlsproxy_params {
	const char *ca_file, *ca_path;
	struct conf_list chain_files;
	const char *cert_file, *key_file, *dcert_file, *dkey_file, *eccert_file, *eckey_file;
	int verify_depth, loglevel;
};
extern const struct conf_table tlsproxy_params;

#endif
