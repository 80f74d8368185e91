/* SPDX-License-Identifier: ISC */
#ifndef LIB_SERVICE_FACILITY_H
#define LIB_SERVICE_FACILITY_H

/* The LOG_* value of a syslog_facility name ("mail", "local3"); LOG_MAIL for an unknown one. */
int service_facility(const char *name);

#endif
