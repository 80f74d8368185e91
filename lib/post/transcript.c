/* SPDX-License-Identifier: ISC */
#include "lib/post/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/post/post.h"
#include "lib/smtp/command.h"

enum { BEGINNING_MAX = 4 * 1024, END_MAX = 8 * 1024, LINE_MAX_SHOWN = 500 };

#define CLASSES_OF_SESSIONS                                                           \
	(CLASS_BOUNCE | CLASS_DATA | CLASS_POLICY | CLASS_PROTOCOL | CLASS_RESOURCE | \
	    CLASS_SOFTWARE)

struct transcript {
	uint32_t wanted, seen;
	struct str beginning, end;
	size_t dropped; /* bytes between the two */
	size_t lines;   /* of both, and dropped ones */
	struct str line;
	bool secret; /* the next line is an answer to AUTH's challenge */
};

uint32_t transcript_classes(const char *at)
{
	static const struct {
		const char *word;
		uint32_t bit;
	} words[] = {{"bounce", CLASS_BOUNCE}, {"2bounce", CLASS_2BOUNCE}, {"data", CLASS_DATA},
	    {"delay", CLASS_DELAY}, {"policy", CLASS_POLICY}, {"protocol", CLASS_PROTOCOL},
	    {"resource", CLASS_RESOURCE}, {"software", CLASS_SOFTWARE}};
	uint32_t result = 0;

	for (;;) {
		struct slice word;
		uint32_t bit = 0;

		at += strspn(at, ", \t\r\n");
		word = slice_of(at, strcspn(at, ", \t\r\n"));
		if (word.len == 0)
			return result;
		at += word.len;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (slice_eq_nocase(word, words[i].word))
				bit = words[i].bit;
		result |= bit;
	}
}

struct transcript *transcript_new(const char *notify_classes)
{
	uint32_t wanted = 0;
	struct transcript *t;

	if (notify_classes)
		wanted = transcript_classes(notify_classes) & CLASSES_OF_SESSIONS;
	if (!wanted)
		return NULL;
	t = alloc_zero(1, sizeof(*t));
	t->wanted = wanted;
	return t;
}

void transcript_free(struct transcript **t)
{
	if (!*t)
		return;
	str_fini(&(*t)->beginning);
	str_fini(&(*t)->end);
	str_fini(&(*t)->line);
	free(*t);
	*t = NULL;
}

void transcript_reset(struct transcript *t)
{
	if (!t)
		return;
	str_clear(&t->beginning);
	str_clear(&t->end);
	t->dropped = t->lines = 0;
	t->seen = 0;
	t->secret = false;
}

/* A line goes to the beginning while there is room, then to the end, whose oldest half makes room.
 */
static void keep(struct transcript *t, const struct str *line)
{
	if (t->end.len == 0 && t->beginning.len + line->len <= BEGINNING_MAX) {
		str_put(&t->beginning, line->data, line->len);
		return;
	}
	if (t->end.len + line->len > END_MAX) {
		const char *half =
		    memchr(t->end.data + END_MAX / 2, '\n', t->end.len - END_MAX / 2);
		size_t drop = half ? (size_t)(half + 1 - t->end.data) : t->end.len;

		str_consume(&t->end, drop);
		t->dropped += drop;
	}
	str_put(&t->end, line->data, line->len);
}

static void put_line(struct transcript *t, const char *mark, struct slice line)
{
	t->lines++;
	str_clear(&t->line);
	str_put_text(&t->line, mark);
	str_put(&t->line, line.data, MIN(line.len, (size_t)LINE_MAX_SHOWN));
	text_make_printable(t->line.data, t->line.len);
	str_put_text(&t->line, line.len > LINE_MAX_SHOWN ? "...\r\n" : "\r\n");
	keep(t, &t->line);
}

/* Passwords are nobody's to read: neither AUTH's argument nor what answers a challenge. */
static void put_guarded(struct transcript *t, const char *mark, struct slice line)
{
	put_line(t, mark, t->secret ? slice_text("(not shown)") : smtp_command_shown(line));
}

static void put_lines(struct transcript *t, const char *mark, const char *data, size_t len)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t take = end ? (size_t)(end - data) + 1 : len;
		struct slice line = slice_trim(slice_of(data, take));
		bool challenge = line.len >= 3 && memcmp(line.data, "334", 3) == 0;

		put_guarded(t, mark, line);
		t->secret = challenge;
		data += take;
		len -= take;
	}
}

void transcript_in(struct transcript *t, const char *data, size_t len)
{
	if (t)
		put_lines(t, " In:  ", data, len);
}

void transcript_out(struct transcript *t, const char *data, size_t len)
{
	if (t)
		put_lines(t, " Out: ", data, len);
}

void transcript_note(struct transcript *t, const char *text)
{
	if (t)
		put_line(t, "      ", slice_text(text));
}

void transcript_trouble(struct transcript *t, uint32_t class_)
{
	if (t)
		t->seen |= class_;
}

void transcript_forgive(struct transcript *t)
{
	if (t)
		t->seen = 0;
}

size_t transcript_lines(const struct transcript *t)
{
	return t ? t->lines : 0;
}

uint32_t transcript_troubles(const struct transcript *t)
{
	return t ? t->seen : 0;
}

void transcript_put(const struct transcript *t, const char *ending, struct str *out)
{
	str_put_text(out, "What was said in this session:\r\n\r\n");
	str_put(out, str_text(&t->beginning), t->beginning.len);
	if (t->dropped)
		str_printf(out, "\r\n (%zu bytes are left out here)\r\n\r\n", t->dropped);
	str_put(out, str_text(&t->end), t->end.len);
	if (ending)
		str_printf(out, "\r\nThe session did not end in good order: %s.\r\n", ending);
	str_put_text(out, "\r\nThe mail log of this host may tell more.\r\n");
}

void transcript_send(struct transcript *t, struct queue *queue, const struct core_params *core,
    const struct transcript_notice *notice)
{
	char id[QUEUE_ID_MAX];
	const char *recipient;
	struct str body = {0};
	struct err err;

	if (!t || !(t->seen & t->wanted))
		return;
	transcript_put(t, notice->ending, &body);
	recipient = notice->recipient;
	if (t->seen & t->wanted & CLASS_BOUNCE && notice->bounce_recipient)
		recipient = notice->bounce_recipient;
	if (post_notice(queue, core, notice->conf, recipient, notice->subject, &body, id, &err) < 0)
		log_warn("postmaster notify: %s", err.text);
	else
		log_debug("postmaster notify: %s", id);
	str_fini(&body);
}
