/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_CHECK_H
#define LIB_TABLE_CHECK_H

#include "lib/conf/conf.h"

/*
 * What is wrong with tables and match lists before anybody needs them: each is opened and closed
 * again, and what that has to say becomes warnings "PLACE: text". Warnings and no problems: a table
 * may come to be any time, and until then mail waits.
 */
void table_check_list(const char *list, int flags, const char *place, struct conf_report *report);
void match_list_check(const char *patterns, const char *place, struct conf_report *report);

/*
 * What a parameter is by its name, which nobody chose at random: "virtual_alias_maps" is a list of
 * tables, "smtpd_authorized_xclient_hosts" a match list.
 */
enum table_use { TABLE_USE_NONE, TABLE_USE_TABLES, TABLE_USE_MATCH_LIST };
enum table_use table_use_of(const char *parameter);

#endif
