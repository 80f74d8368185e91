/* SPDX-License-Identifier: ISC */
#include "lib/smtp/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/num.h"

enum { V1_MAX = 107, SIGNATURE_LEN = 12, V2_FIXED = 16, TCP4_LEN = 12, TCP6_LEN = 36 };
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static enum proxy_result bad(const char **why_out, const char *why)
{
	*why_out = why;
	return PROXY_HEADER_BAD;
}

/* ---- version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25" CR LF -----------------------------
 */

/* The next word; fields are separated by one blank each. */
static bool next_field(struct slice *rest, char *out, size_t size)
{
	const char *blank = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
	size_t len = blank ? (size_t)(blank - rest->data) : rest->len;

	if (len == 0 || len >= size || memchr(rest->data, '\0', len))
		return false;
	memcpy(out, rest->data, len);
	out[len] = '\0';
	*rest = slice_of(rest->data + len + (blank != NULL), rest->len - len - (blank != NULL));
	return true;
}

static bool parse_port(const char *text, unsigned *out)
{
	uint64_t port;

	if (!num_u64(text, strlen(text), 65535, &port))
		return false;
	*out = (unsigned)port;
	return true;
}

static enum proxy_result parse_fields(
    struct slice rest, struct proxy_header *out, const char **why_out)
{
	char family[8], client[64], server[64], client_port[8], server_port[8];
	unsigned from, to;
	bool v6;

	if (!next_field(&rest, family, sizeof(family)))
		return bad(why_out, "bad or missing protocol type");
	if (strcmp(family, "UNKNOWN") == 0) {
		out->local = true; /* whatever follows is to be ignored */
		return PROXY_HEADER_OK;
	}
	v6 = strcmp(family, "TCP6") == 0;
	if (!v6 && strcmp(family, "TCP4") != 0)
		return bad(why_out, "bad or missing protocol type");
	if (!next_field(&rest, client, sizeof(client)) || (strchr(client, ':') != NULL) != v6)
		return bad(why_out, "bad or missing client address");
	if (!next_field(&rest, server, sizeof(server)) || (strchr(server, ':') != NULL) != v6)
		return bad(why_out, "bad or missing server address");
	if (!next_field(&rest, client_port, sizeof(client_port)) || !parse_port(client_port, &from))
		return bad(why_out, "bad or missing client port");
	if (!next_field(&rest, server_port, sizeof(server_port)) || !parse_port(server_port, &to) ||
	    rest.len > 0)
		return bad(why_out, "bad or missing server port");
	if (!net_addr_parse(&out->client, client, from))
		return bad(why_out, "bad or missing client address");
	if (!net_addr_parse(&out->server, server, to))
		return bad(why_out, "bad or missing server address");
	return PROXY_HEADER_OK;
}

static enum proxy_result parse_v1(struct slice data, struct proxy_header *out, const char **why_out)
{
	const char *lf = memchr(data.data, '\n', MIN(data.len, (size_t)V1_MAX));
	size_t len;

	if (!lf)
		return data.len < V1_MAX ? PROXY_HEADER_MORE
		                         : bad(why_out, "missing protocol header terminator");
	len = (size_t)(lf - data.data);
	if (len == 0 || data.data[len - 1] != '\r' || memchr(data.data, '\r', len - 1))
		return bad(why_out, "missing protocol header terminator");
	out->used = len + 1;
	return parse_fields(slice_of(data.data + 6, len - 1 - 6), out, why_out);
}

/* ---- version 2 ------------------------------------------------------------------------------- */

static unsigned get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void set_v4(struct net_addr *addr, const unsigned char *ip, const unsigned char *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	memcpy(&sin.sin_addr, ip, 4);
	memcpy(&sin.sin_port, port, 2);
	memset(addr, 0, sizeof(*addr));
	memcpy(&addr->sa, &sin, sizeof(sin));
	addr->len = sizeof(sin);
}

static void set_v6(struct net_addr *addr, const unsigned char *ip, const unsigned char *port)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

	memcpy(&sin6.sin6_addr, ip, 16);
	memcpy(&sin6.sin6_port, port, 2);
	memset(addr, 0, sizeof(*addr));
	memcpy(&addr->sa, &sin6, sizeof(sin6));
	addr->len = sizeof(sin6);
}

static enum proxy_result parse_v2(struct slice data, struct proxy_header *out, const char **why_out)
{
	const unsigned char *p = (const unsigned char *)data.data;
	size_t len;

	if (data.len < V2_FIXED)
		return PROXY_HEADER_MORE;
	len = get16(p + 14);
	if (p[12] != 0x20 && p[12] != 0x21)
		return bad(why_out, "bad version or command in version 2 protocol header");
	if (V2_FIXED + len > PROXY_HEADER_MAX)
		return bad(why_out, "version 2 protocol header is too long");
	out->local = p[12] == 0x20 || p[13] == 0x00; /* LOCAL, or an unspecified family */
	if (!out->local && p[13] != 0x11 && p[13] != 0x21)
		return bad(why_out, "unsupported network protocol");
	if (!out->local && len < (size_t)(p[13] == 0x11 ? TCP4_LEN : TCP6_LEN))
		return bad(why_out, "short address field");
	if (data.len < V2_FIXED + len)
		return PROXY_HEADER_MORE;
	out->used = V2_FIXED + len;
	p += V2_FIXED;
	if (!out->local && data.data[13] == 0x11) {
		set_v4(&out->client, p, p + 8);
		set_v4(&out->server, p + 4, p + 10);
	} else if (!out->local) {
		set_v6(&out->client, p, p + 32);
		set_v6(&out->server, p + 16, p + 34);
	}
	return PROXY_HEADER_OK;
}

enum proxy_result proxy_header_parse(
    struct slice data, struct proxy_header *out, const char **why_out)
{
	*out = (struct proxy_header){0};
	*why_out = "";
	if (data.len > 0 && memcmp(data.data, "PROXY ", MIN(data.len, (size_t)6)) == 0)
		return data.len < 6 ? PROXY_HEADER_MORE : parse_v1(data, out, why_out);
	if (memcmp(data.data, signature, MIN(data.len, (size_t)SIGNATURE_LEN)) == 0)
		return data.len < SIGNATURE_LEN ? PROXY_HEADER_MORE : parse_v2(data, out, why_out);
	return bad(why_out, "no protocol header");
}
