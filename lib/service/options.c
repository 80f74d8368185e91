/* SPDX-License-Identifier: ISC */
#include "lib/service/private.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/num.h"

static unsigned number(int option, const char *text, int max)
{
	int value;

	if (!num_int(text, 0, max, &value))
		fatal("option -%c \"%s\": expected a number up to %d", option, text, max);
	return (unsigned)value;
}

static uint32_t generation_of(const char *text)
{
	uint64_t value;

	if (!num_u64(text, strlen(text), UINT32_MAX, &value))
		fatal("option -g \"%s\": expected a number", text);
	return (uint32_t)value;
}

/* "UID:GID,GID" */
static void take_groups(struct service_options *options, const char *text)
{
	const char *colon = strchr(text, ':'), *end;
	uint64_t id;

	if (!colon || !num_u64(text, (size_t)(colon - text), UINT32_MAX, &id))
		fatal("option -G \"%s\": expected UID:GID,GID", text);
	options->owner = (uid_t)id;
	options->group_count = 0;
	for (const char *p = colon; *p; p = end) {
		p++;
		end = p + strcspn(p, ",");
		if (!num_u64(p, (size_t)(end - p), UINT32_MAX, &id) ||
		    options->group_count == SERVICE_GROUPS_MAX)
			fatal("option -G \"%s\": expected UID:GID,GID", text);
		options->groups[options->group_count++] = (gid_t)id;
	}
}

static enum master_cf_type type_of(const char *text)
{
	static const enum master_cf_type types[] = {
	    MASTER_CF_INET, MASTER_CF_UNIX, MASTER_CF_FIFO, MASTER_CF_UNIX_DGRAM, MASTER_CF_PASS};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(master_cf_type_name(types[i]), text) == 0)
			return types[i];
	}
	fatal("option -t \"%s\": expected inet, unix, fifo, unix-dgram or pass", text);
}

static void add_override(struct service_options *options, const char *text)
{
	if (!strchr(text, '='))
		fatal("option -o \"%s\": expected name=value", text);
	if (options->override_count == SERVICE_OVERRIDES_MAX)
		fatal("option -o: more than %d overrides", SERVICE_OVERRIDES_MAX);
	options->overrides[options->override_count++] = text;
}

void service_parse_options(struct service_options *options, int argc, char **argv)
{
	int ch;

	*options =
	    (struct service_options){.name = "", .type_name = "unix", .type = MASTER_CF_UNIX};
	while ((ch = getopt(argc, argv, "+CcG:g:i:L:n:o:Ss:t:uv")) > 0) {
		switch (ch) {
		case 'C':
			options->check = true;
			break;
		case 'c':
			options->chroot = true;
			break;
		case 'G':
			take_groups(options, optarg);
			break;
		case 'g':
			options->generation = generation_of(optarg);
			break;
		case 'i':
			options->child = number(ch, optarg, SCORE_CHILDREN - 1);
			break;
		case 'L':
			options->line = number(ch, optarg, INT_MAX);
			break;
		case 'n':
			options->name = optarg;
			break;
		case 'o':
			add_override(options, optarg);
			break;
		case 'S':
			options->standalone = true;
			break;
		case 's':
			options->listen_count = number(ch, optarg, SERVICE_LISTEN_MAX);
			break;
		case 't':
			options->type = type_of(optarg);
			options->type_name = optarg;
			break;
		case 'u':
			options->unprivileged = true;
			break;
		case 'v':
			options->verbose++;
			break;
		default:
			fatal("this program is started by master(8); see the master.cf(5) entry");
		}
	}
	options->args = argv + optind;
	options->arg_count = (size_t)(argc - optind);
}
