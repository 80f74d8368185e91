/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_VERSION_H
#define LIB_BASE_VERSION_H

/*
 * The Postfix whose configuration this one speaks comes first: scripts compare mail_version with
 * the Postfix release that brought a feature. A suffix after a dash is what Postfix's own snapshots
 * have, so that whoever splits or sorts versions copes.
 */
#define POSTERN_VERSION "0.1.0"
#define MAIL_VERSION "3.7.0-postern-" POSTERN_VERSION

#endif
