/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTPD_SCRATCH_H
#define TESTS_UNIT_SMTPD_SCRATCH_H

#include "smtpd/smtpd.h"

/*
 * A whole smtpd process without sockets and master: a configuration from text, a queue in a scratch
 * folder, which becomes the working directory.
 */
struct scratch {
	char dir[64], before[512];
	struct conf *conf;
	struct core_params core;
	struct smtpd_config config;
	struct smtpd server;
};

/* settings: lines of main.cf behind the defaults of the tests. false: printed why. */
bool scratch_open(struct scratch *scratch, const char *settings);
void scratch_close(struct scratch *scratch); /* removes the folder, goes back */

#endif
