/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/str.h"

/*
 * A DNS message (RFC 1035 section 4) made into records. libresolv's ns_* functions check all
 * lengths and compression pointers; what is left to us is which record belongs to the question, and
 * which names are fit to be logged, compared and asked for.
 */

static const struct {
	enum dns_type type;
	const char *name;
} types[] = {
    {DNS_TYPE_A, "A"},
    {DNS_TYPE_NS, "NS"},
    {DNS_TYPE_CNAME, "CNAME"},
    {DNS_TYPE_PTR, "PTR"},
    {DNS_TYPE_MX, "MX"},
    {DNS_TYPE_TXT, "TXT"},
    {DNS_TYPE_AAAA, "AAAA"},
    {DNS_TYPE_SRV, "SRV"},
    {DNS_TYPE_TLSA, "TLSA"},
};

const char *dns_type_name(enum dns_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "unknown";
}

bool dns_status_is_soft(enum dns_status status)
{
	return status == DNS_RETRY || status == DNS_FILTERED;
}

static bool name_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool dns_name_valid(const char *name)
{
	size_t total = 0, label = 0;

	for (; *name; name++, total++) {
		if (*name == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!name_char((unsigned char)*name) || ++label > 63) {
			return false;
		}
	}
	return label > 0 && total <= 253;
}

bool dns_name_is_numeric(const char *name)
{
	return *name && name[strspn(name, "0123456789.")] == '\0';
}

/* One message being looked through. */
struct reader {
	ns_msg msg;
	struct arena *arena;
	struct dns_answer *out;
	struct dns_record *records;
	bool null_target, malformed; /* the root as a target: there is no such service */
};

/* The name at `at` inside the message, lower case. false when it is no name. "" is the root. */
static bool read_name(const struct reader *r, const u_char *at, char out[NS_MAXDNAME])
{
	if (dn_expand(ns_msg_base(r->msg), ns_msg_end(r->msg), at, out, NS_MAXDNAME) < 0)
		return false;
	text_lower(out);
	return true;
}

static void add_address(struct reader *r, const ns_rr *rr, int family)
{
	struct dns_record *rec = &r->records[r->out->count];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	size_t want = family == AF_INET ? sizeof(v4.sin_addr) : sizeof(v6.sin6_addr);

	if (ns_rr_rdlen(*rr) != want) {
		r->malformed = true;
		return;
	}
	if (family == AF_INET) {
		memcpy(&v4.sin_addr, ns_rr_rdata(*rr), want);
		memcpy(&rec->addr.sa, &v4, sizeof(v4));
		rec->addr.len = sizeof(v4);
	} else {
		memcpy(&v6.sin6_addr, ns_rr_rdata(*rr), want);
		memcpy(&rec->addr.sa, &v6, sizeof(v6));
		rec->addr.len = sizeof(v6);
	}
	rec->target = "";
	r->out->count++;
}

/* A name behind `skip` bytes, which begin with a preference. */
static void add_named(struct reader *r, const ns_rr *rr, size_t skip)
{
	struct dns_record *rec = &r->records[r->out->count];
	char name[NS_MAXDNAME];

	if (ns_rr_rdlen(*rr) <= skip || !read_name(r, ns_rr_rdata(*rr) + skip, name)) {
		r->malformed = true;
		return;
	}
	if (skip)
		rec->preference = (unsigned)ns_get16(ns_rr_rdata(*rr));
	if (skip && name[0] == '\0') {
		r->null_target = true;
		return;
	}
	if (!dns_name_valid(name) || (skip && dns_name_is_numeric(name))) {
		r->malformed = true;
		return;
	}
	rec->target = arena_strdup(r->arena, name);
	r->out->count++;
}

static void add_srv(struct reader *r, const ns_rr *rr)
{
	struct dns_record *rec = &r->records[r->out->count];

	if (ns_rr_rdlen(*rr) > 6) {
		rec->weight = (unsigned)ns_get16(ns_rr_rdata(*rr) + 2);
		rec->port = (unsigned)ns_get16(ns_rr_rdata(*rr) + 4);
	}
	add_named(r, rr, 6);
}

/* RFC 1035 3.3.14: strings of up to 255 bytes, one behind the other; together they are the text. */
static void add_txt(struct reader *r, const ns_rr *rr)
{
	struct dns_record *rec = &r->records[r->out->count];
	const unsigned char *data = ns_rr_rdata(*rr);
	size_t len = ns_rr_rdlen(*rr), at = 0, put = 0;
	unsigned char *text = arena_zero(r->arena, len + 1, 1);

	while (at < len && (size_t)data[at] < len - at) {
		memcpy(text + put, data + at + 1, data[at]);
		put += data[at];
		at += 1 + (size_t)data[at];
	}
	if (at != len) {
		r->malformed = true;
		return;
	}
	for (size_t i = 0; i < put; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = ' ';
	rec->target = "";
	rec->data = text;
	rec->data_len = put;
	r->out->count++;
}

static void add_tlsa(struct reader *r, const ns_rr *rr)
{
	struct dns_record *rec = &r->records[r->out->count];
	const unsigned char *data = ns_rr_rdata(*rr);
	size_t len = ns_rr_rdlen(*rr);

	if (len < 4) {
		r->malformed = true;
		return;
	}
	rec->usage = data[0];
	rec->selector = data[1];
	rec->matching = data[2];
	rec->target = "";
	rec->data_len = len - 3;
	rec->data = memcpy(arena_alloc(r->arena, rec->data_len), data + 3, rec->data_len);
	r->out->count++;
}

static void add_record(struct reader *r, const ns_rr *rr, enum dns_type type)
{
	if (r->out->count >= DNS_RECORDS_MAX)
		return;
	r->records[r->out->count].type = type;
	r->records[r->out->count].ttl = ns_rr_ttl(*rr);
	switch (type) {
	case DNS_TYPE_A:
		add_address(r, rr, AF_INET);
		break;
	case DNS_TYPE_AAAA:
		add_address(r, rr, AF_INET6);
		break;
	case DNS_TYPE_MX:
		add_named(r, rr, 2);
		break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		add_named(r, rr, 0);
		break;
	case DNS_TYPE_SRV:
		add_srv(r, rr);
		break;
	case DNS_TYPE_TXT:
		add_txt(r, rr);
		break;
	case DNS_TYPE_TLSA:
		add_tlsa(r, rr);
		break;
	}
}

/*
 * One pass over the answers: takes those of `owner` and `type`; when there is none but a CNAME,
 * its target goes to next ("" when there is none either). false: the message is broken.
 */
static bool collect(struct reader *r, const char *owner, enum dns_type type, char next[NS_MAXDNAME])
{
	char name[NS_MAXDNAME];
	ns_rr rr;

	next[0] = '\0';
	for (int i = 0; i < ns_msg_count(r->msg, ns_s_an); i++) {
		if (ns_parserr(&r->msg, ns_s_an, i, &rr) < 0)
			return false;
		if (ns_rr_class(rr) != ns_c_in || !text_eq_nocase(ns_rr_name(rr), owner))
			continue;
		if (ns_rr_type(rr) == (ns_type)type)
			add_record(r, &rr, type);
		else if (ns_rr_type(rr) == ns_t_cname && !next[0] &&
		         read_name(r, ns_rr_rdata(rr), name) && dns_name_valid(name))
			strcpy(next, name);
	}
	return true;
}

static enum dns_status status_of_rcode(int rcode)
{
	switch (rcode) {
	case ns_r_noerror:
		return DNS_FOUND;
	case ns_r_nxdomain:
		return DNS_NOT_FOUND;
	case ns_r_servfail:
		return DNS_RETRY;
	default:
		return DNS_FAILED;
	}
}

static enum dns_status decode_answers(struct reader *r, enum dns_type type)
{
	char owner[NS_MAXDNAME], next[NS_MAXDNAME];
	ns_rr question;

	if (ns_msg_count(r->msg, ns_s_qd) != 1 || ns_parserr(&r->msg, ns_s_qd, 0, &question) < 0)
		return DNS_RETRY;
	strcpy(owner, ns_rr_name(question));
	text_lower(owner);
	for (int hops = 0; hops < DNS_CHAIN_MAX; hops++) {
		if (!collect(r, owner, type, next))
			return DNS_RETRY;
		r->out->name = arena_strdup(r->arena, owner);
		r->out->expanded = hops > 0;
		if (r->out->count > 0)
			return DNS_FOUND;
		if (r->null_target)
			return type == DNS_TYPE_SRV ? DNS_NULL_SRV : DNS_NULL_MX;
		if (r->malformed)
			return DNS_INVALID;
		if (!next[0])
			return DNS_NO_DATA;
		strcpy(owner, next);
	}
	return DNS_FAILED;
}

void dns_decode(
    const void *packet, size_t len, enum dns_type type, struct arena *arena, struct dns_answer *out)
{
	struct reader r = {.arena = arena, .out = out};

	memset(out, 0, sizeof(*out));
	out->name = "";
	out->status = DNS_RETRY;
	if (len > NS_MAXMSG || ns_initparse(packet, (int)len, &r.msg) < 0)
		return;
	out->secure = ns_msg_getflag(r.msg, ns_f_ad);
	out->status = status_of_rcode(ns_msg_getflag(r.msg, ns_f_rcode));
	if (out->status != DNS_FOUND)
		return;
	r.records = arena_zero(arena, DNS_RECORDS_MAX, sizeof(*r.records));
	out->records = r.records;
	out->status = decode_answers(&r, type);
	if (out->status != DNS_FOUND)
		out->count = 0; /* what came before the damage does not count */
}
