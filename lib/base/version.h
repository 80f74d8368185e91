/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_VERSION_H
#define LIB_BASE_VERSION_H

/* What mail_version is by default, and what master says when it starts. */
#define POSTERN_VERSION "0.1.0"

#endif
