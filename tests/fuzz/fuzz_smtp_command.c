/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a parser hands out lies within what it was given. */
static void check_slice(struct slice s, struct slice line)
{
	must(!s.data || (s.data >= line.data && s.data + s.len <= line.data + line.len));
}

static void one(struct slice line, const char *keyword, bool strict)
{
	struct smtp_path_args args = {0};
	struct slice verb, rest;
	size_t i;

	smtp_command_split(line, &verb, &rest);
	check_slice(verb, line);
	check_slice(rest, line);
	if (!smtp_parse_path_args(rest, keyword, strict, &args)) {
		must(str_cstr(&args.address) != NULL);
		must(!strpbrk(str_text(&args.address), "\r\n"));
		for (i = 0; i < args.param_count; i++) {
			check_slice(args.params[i].keyword, line);
			check_slice(args.params[i].value, line);
			must(args.params[i].keyword.len > 0);
		}
	}
	smtp_path_args_fini(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice line = slice_of((const char *)data, size);
	struct str plain = {0}, coded = {0}, again = {0};

	one(line, "FROM", false);
	one(line, "TO", true);
	if (smtp_xtext_decode(line, &plain)) {
		smtp_xtext_encode(&coded, str_text(&plain));
		must(smtp_xtext_decode(slice_of(str_text(&coded), coded.len), &again));
		must(strcmp(str_text(&plain), str_text(&again)) == 0);
	}
	str_fini(&plain);
	str_fini(&coded);
	str_fini(&again);
	return 0;
}
