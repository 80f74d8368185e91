/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/dns/dns.h"

/* First byte: the type of the question; the rest: a DNS message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_TYPE_A, DNS_TYPE_CNAME, DNS_TYPE_PTR, DNS_TYPE_MX,
	    DNS_TYPE_AAAA, DNS_TYPE_SRV, DNS_TYPE_TLSA};
	struct arena arena = {0};
	struct dns_answer answer;

	if (size == 0)
		return 0;
	dns_decode(data + 1, size - 1, types[data[0] % ARRAY_LEN(types)], &arena, &answer);
	must((answer.status == DNS_FOUND) == (answer.count > 0));
	must(answer.count <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < answer.count; i++) {
		const struct dns_record *r = &answer.records[i];

		must(r->addr.len > 0 || r->data_len > 0 || dns_name_valid(r->target));
	}
	arena_fini(&arena);
	return 0;
}
