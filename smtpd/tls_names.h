/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_NAMES_H
#define SMTPD_TLS_NAMES_H

#include "lib/tls/context.h"

/*
 * Keys and certificates by the name that a client asks for (tls_server_sni_maps). A value is what
 * postmap -F has put there, or the names of files: those of tables that can be listed (lmdb,
 * texthash, inline) are read at the start, too, so that keys which only root may read can be used;
 * what is renewed later is read by who still may, or by the next process.
 */
struct tls_names;

struct tls_names *tls_names_open(const char *maps);
void tls_names_close(struct tls_names **names); /* NULL allowed */

/* A chain_for_name of struct tls_server_hooks; arg is the tls_names. */
enum tls_named tls_names_find(void *arg, const char *name, struct str *pem_out);
/* Has a file been asked for that only the next process can read anew? */
bool tls_names_blind(const struct tls_names *names);

#endif
