/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_FOOTER_H
#define SMTPD_FOOTER_H

#include "smtpd/smtpd.h"

/*
 * smtpd_reject_footer and smtpd_reject_footer_maps: puts the administrator's text behind the 4xx or
 * 5xx reply in `reply` (all of its lines, separated by CR LF, without the last). Other replies stay
 * as they are.
 */
void footer_put(struct session *s, struct str *reply);

#endif
