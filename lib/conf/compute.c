/* SPDX-License-Identifier: ISC */
/*
 * Defaults that depend on the host: its name, its domain, the networks it is on. They are texts
 * like other defaults (and may hold $name), made when first asked for and kept until an override
 * changes what they were made of.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf/private.h"
#include "lib/sys/net.h"

static const char *compute_myhostname(struct conf *conf)
{
	char host[256];

	if (gethostname(host, sizeof(host)) < 0 || host[0] == '\0')
		snprintf(host, sizeof(host), "localhost");
	host[sizeof(host) - 1] = '\0';
	text_lower(host);
	/* What the kernel says is not ours: nothing in it may look like an expression. */
	for (char *p = host; *p; p++) {
		if (*p == '$' || (unsigned char)*p <= ' ')
			*p = '-';
	}
	if (strchr(host, '.'))
		return arena_strdup(&conf->arena, host);
	return arena_printf(&conf->arena, "%s.%s", host,
	    conf_is_set(conf, "mydomain") ? "$mydomain" : "localdomain");
}

static const char *compute_mydomain(struct conf *conf)
{
	const char *host, *dot;

	if (conf->in_mydomain) /* myhostname = mail.$mydomain, and mydomain unset */
		return "localdomain";
	conf->in_mydomain = true;
	host = conf_get(conf, "myhostname");
	conf->in_mydomain = false;
	dot = strchr(host, '.');
	return dot && dot[1] ? dot + 1 : "localdomain";
}

static const char *compute_config_directory(struct conf *conf)
{
	return conf->etc;
}

static const char *compute_process_id(struct conf *conf)
{
	return arena_printf(&conf->arena, "%ld", (long)getpid());
}

static const char *compute_process_name(struct conf *conf)
{
	return arena_strdup(&conf->arena, program_invocation_short_name);
}

/* Address and mask as bytes in network order; 4 or 16 of them. */
static const unsigned char *bytes_of(const struct sockaddr *sa, size_t *len_out)
{
	union {
		const struct sockaddr *sa;
		const struct sockaddr_in *v4;
		const struct sockaddr_in6 *v6;
	} u = {.sa = sa};

	*len_out = sa->sa_family == AF_INET ? 4 : 16;
	if (sa->sa_family == AF_INET)
		return (const unsigned char *)&u.v4->sin_addr;
	return (const unsigned char *)&u.v6->sin6_addr;
}

enum style { STYLE_HOST, STYLE_SUBNET, STYLE_CLASS };

static unsigned prefix_of(const struct ifaddrs *ifa, enum style style)
{
	size_t len, mask_len;
	const unsigned char *a = bytes_of(ifa->ifa_addr, &len), *m;
	unsigned bits = 0;

	if (style == STYLE_CLASS && len == 4)
		return a[0] < 128 ? 8 : a[0] < 192 ? 16 : a[0] < 224 ? 24 : 4;
	if (style == STYLE_HOST || !ifa->ifa_netmask)
		return (unsigned)len * 8;
	/* Some systems leave the family of a mask empty; its bytes are in the same place. */
	m = bytes_of(ifa->ifa_netmask, &mask_len);
	if (mask_len < len)
		return (unsigned)len * 8;
	while (bits < len * 8 && (m[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	return bits;
}

static bool wanted(const struct ifaddrs *ifa, int family, const char *interfaces)
{
	struct net_addr own, named;
	char word[64];
	size_t n;

	if (!ifa->ifa_addr || ifa->ifa_addr->sa_family != family || !(ifa->ifa_flags & IFF_UP))
		return false;
	if (strcmp(interfaces, "loopback-only") == 0)
		return (ifa->ifa_flags & IFF_LOOPBACK) != 0;
	memset(&own, 0, sizeof(own));
	own.len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	memcpy(&own.sa, ifa->ifa_addr, own.len);
	for (const char *p = interfaces; *(p += strspn(p, ", \t\r\n[]")); p += n) {
		n = strcspn(p, ", \t\r\n[]");
		if (n == 3 && memcmp(p, "all", 3) == 0)
			return true;
		if (n >= sizeof(word))
			continue;
		memcpy(word, p, n);
		word[n] = '\0';
		if (strcmp(word, "localhost") == 0 && (ifa->ifa_flags & IFF_LOOPBACK))
			return true;
		if (net_addr_parse(&named, word, 0) && net_addr_same_host(&named, &own))
			return true;
	}
	return false;
}

static void put_network(struct str *out, const struct ifaddrs *ifa, enum style style)
{
	struct net_addr net;
	char text[64], item[80];
	unsigned prefix = prefix_of(ifa, style);
	size_t len;
	union {
		const unsigned char *in;
		unsigned char *out;
	} raw;

	memset(&net, 0, sizeof(net));
	net.len = ifa->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
	                                              : sizeof(struct sockaddr_in6);
	memcpy(&net.sa, ifa->ifa_addr, net.len);
	raw.in = bytes_of((struct sockaddr *)&net.sa, &len);
	for (size_t i = 0; i < len; i++) {
		unsigned keep = prefix > i * 8 ? prefix - (unsigned)i * 8 : 0;

		if (keep < 8)
			raw.out[i] &= (unsigned char)(0xff00 >> keep);
	}
	net_addr_text(&net, text, sizeof(text));
	text[strcspn(text, "%")] = '\0';
	snprintf(item, sizeof(item), len == 4 ? "%s/%u" : "[%s]/%u", text, prefix);
	if (out->len > 0 && strstr(str_text(out), item))
		return;
	str_printf(out, "%s%s", out->len ? " " : "", item);
}

static const char *compute_mynetworks(struct conf *conf)
{
	const char *style = conf_get(conf, "mynetworks_style");
	const char *interfaces = conf_get(conf, "inet_interfaces");
	const char *protocols = conf_get(conf, "inet_protocols");
	bool all = strstr(protocols, "all") != NULL;
	enum style how = strcmp(style, "subnet") == 0  ? STYLE_SUBNET
	                 : strcmp(style, "class") == 0 ? STYLE_CLASS
	                                               : STYLE_HOST;
	static const int families[] = {AF_INET, AF_INET6};
	struct ifaddrs *list = NULL;
	struct str out = {0};
	const char *result;

	if (getifaddrs(&list) < 0)
		return "127.0.0.0/8 [::1]/128";
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		if (!all && !strstr(protocols, families[f] == AF_INET ? "ipv4" : "ipv6"))
			continue;
		for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
			if (wanted(ifa, families[f], interfaces))
				put_network(&out, ifa, how);
		}
	}
	freeifaddrs(list);
	result = arena_strdup(&conf->arena, str_text(&out));
	str_fini(&out);
	return result;
}

static const struct {
	const char *name;
	const char *(*compute)(struct conf *conf);
} computed[] = {
    {"myhostname", compute_myhostname},
    {"mydomain", compute_mydomain},
    {"mynetworks", compute_mynetworks},
    {"config_directory", compute_config_directory},
    {"process_id", compute_process_id},
    {"process_name", compute_process_name},
};

const char *conf_compute(struct conf *conf, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(computed); i++) {
		union {
			const char *text;
			void *value;
		} u;

		if (strcmp(computed[i].name, name) != 0)
			continue;
		u.value = map_get(conf->computed, name);
		if (!u.value) {
			bool nested = conf->in_mydomain;

			u.text = computed[i].compute(conf);
			if (!nested)
				map_put(conf->computed, name, u.value);
		}
		return u.text;
	}
	return NULL;
}
