/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_NAMES_H
#define LIB_CONF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf/conf.h"
#include "lib/conf/master_cf.h"

/*
 * Which parameter names there are, for postconf and for the check of main.cf: those of tables and
 * catalogue, those that a service in master.cf makes ("<transport>_destination_recipient_limit"),
 * and those of the administrator: referenced as $name in main.cf or master.cf, restriction
 * classes, settings of a database client ("mydb_hosts" for "mysql:mydb").
 */
enum conf_name_class { CONF_NAME_UNKNOWN, CONF_NAME_BUILTIN, CONF_NAME_SERVICE, CONF_NAME_USER };

struct conf_names;

/* tables: NULL-terminated; services may be NULL. All three must outlive the result. */
struct conf_names *conf_names_new(
    struct conf *conf, const struct conf_table *const *tables, const struct master_cf *services);
void conf_names_free(struct conf_names **names);

enum conf_name_class conf_names_class(const struct conf_names *names, const char *name);
/* The row of a table, or NULL: known only from the catalogue, or not at all. */
const struct conf_param *conf_names_row(const struct conf_names *names, const char *name);
/* Does setting it change anything in this version? (Not for names of class unknown.) */
bool conf_names_has_effect(const struct conf_names *names, const char *name);
/* The known name that looks most like this one, or NULL when none does. */
const char *conf_names_nearest(const struct conf_names *names, const char *name);

/*
 * All names but the unknown, sorted, without those that only old configurations have and that are
 * not set. The array belongs to names; the texts live as long as names and conf.
 */
size_t conf_names_list(struct conf_names *names, const char *const **list_out);

/*
 * Adds one warning for each name set in main.cf, or by -o in master.cf, that nobody knows (with
 * "did you mean"), one for each whose end Postfix has announced (with what to write in its place),
 * and one for each file with those that are known but have no effect in this version.
 */
enum {
	CONF_CHECK_UNKNOWN = 1 << 0,
	CONF_CHECK_EFFECT = 1 << 1,
	CONF_CHECK_DEPRECATED = 1 << 2,
};
void conf_check_names(struct conf *conf, const struct conf_names *names,
    const struct master_cf *services, int what, struct conf_report *report);

const struct conf_table *const *conf_names_tables(const struct conf_names *names);

#endif
