/* SPDX-License-Identifier: ISC */
/* Restrictions on how names are written: HELO names, domains of addresses. */
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "smtpd/restrict.h"

static bool is_literal(const char *name)
{
	return name[0] == '[';
}

/* A host name; one dot at its end is no fault. */
static bool is_hostname(const char *name)
{
	char copy[256];
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, name, len + 1);
	if (copy[len - 1] == '.')
		copy[len - 1] = '\0';
	return address_domain_valid(copy);
}

static bool is_fqdn(const char *name)
{
	const char *dot = strchr(name, '.');

	if (is_literal(name))
		return address_domain_valid(name);
	return is_hostname(name) && dot && dot[1] != '\0';
}

static enum verdict refuse_non_fqdn_address(
    struct check *check, const char *address, const char *class_)
{
	struct slice local;
	const char *domain;

	if (!address || address[0] == '\0')
		return VERDICT_DUNNO;
	address_split(address, &local, &domain);
	if (domain && is_fqdn(domain))
		return VERDICT_DUNNO;
	return check_refuse(check, check->s->params->non_fqdn_reject_code, "5.5.2",
	    "<%s>: %s rejected: need fully-qualified address", address, class_);
}

enum verdict check_non_fqdn_sender(struct check *check)
{
	return refuse_non_fqdn_address(check, check->s->tx.sender.given, "Sender address");
}

enum verdict check_non_fqdn_recipient(struct check *check)
{
	return check->s->tx.has_rcpt
	           ? refuse_non_fqdn_address(check, check->s->tx.rcpt.given, "Recipient address")
	           : VERDICT_DUNNO;
}

static bool is_ascii(const char *text)
{
	while (*text > 0)
		text++;
	return *text == '\0';
}

static enum verdict refuse_helo(struct check *check, int code, const char *why)
{
	return check_refuse(
	    check, code, "5.5.2", "<%s>: Helo command rejected: %s", check->s->helo, why);
}

/* "[192.0.2.1]" must be an address. true: the name is a literal, and the verdict is in *out. */
static bool literal_decides(struct check *check, enum verdict *out)
{
	const char *helo = check->s->helo;

	*out = VERDICT_DUNNO;
	if (!is_literal(helo))
		return false;
	if (!address_domain_valid(helo))
		*out = refuse_helo(
		    check, check->s->params->invalid_hostname_reject_code, "invalid ip address");
	return true;
}

enum verdict check_non_fqdn_helo(struct check *check)
{
	const char *helo = check->s->helo;
	enum verdict verdict;

	if (!helo)
		return VERDICT_DUNNO;
	if (literal_decides(check, &verdict) || (is_ascii(helo) && is_fqdn(helo)))
		return verdict;
	return refuse_helo(
	    check, check->s->params->non_fqdn_reject_code, "need fully-qualified hostname");
}

enum verdict check_invalid_helo(struct check *check)
{
	const char *helo = check->s->helo;
	enum verdict verdict;
	struct net_addr addr;

	if (!helo)
		return VERDICT_DUNNO;
	if (literal_decides(check, &verdict) || (is_ascii(helo) && is_hostname(helo)) ||
	    net_addr_parse(&addr, helo, 0))
		return verdict;
	return refuse_helo(check, check->s->params->invalid_hostname_reject_code, "Invalid name");
}

enum verdict check_unknown_helo(struct check *check)
{
	enum verdict verdict = VERDICT_DUNNO;

	if (!check->s->helo || literal_decides(check, &verdict))
		return verdict;
	return check_helo_in_dns(check);
}

enum verdict check_naked_address(struct check *check)
{
	const char *helo = check->s->helo;
	struct net_addr addr;

	log_warn("restriction permit_naked_ip_address is deprecated. Use permit_mynetworks or "
	         "permit_sasl_authenticated instead");
	if (!helo || helo[strspn(helo, "0123456789.:")] != '\0')
		return VERDICT_DUNNO;
	if (!strchr(helo, ':') && net_addr_parse(&addr, helo, 0))
		return check_permit(check);
	return refuse_helo(
	    check, check->s->params->invalid_hostname_reject_code, "invalid ip address");
}
