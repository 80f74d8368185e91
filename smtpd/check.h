/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_CHECK_H
#define SMTPD_CHECK_H

#include "lib/conf/conf.h"
#include "smtpd/smtpd.h"

/* For smtpd -C: warnings of restriction lists and classes that do not do what they seem to. */
void restrictions_check(
    const struct smtpd_config *config, struct conf *conf, struct conf_report *report);

#endif
