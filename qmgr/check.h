/* SPDX-License-Identifier: ISC */
#ifndef QMGR_CHECK_H
#define QMGR_CHECK_H

struct conf;
struct conf_report;
struct qmgr_params;

/*
 * Reads through the tables of rates and back-offs, as far as their type has a list of entries, and
 * tells what is wrong: parameter, table, key or line, value, what was expected. For a reload, so
 * that the old configuration stays in force; while the queue manager runs, a bad value is a
 * warning when it is looked up.
 */
void check_tables(struct conf *conf, const struct qmgr_params *params, struct conf_report *report);

#endif
