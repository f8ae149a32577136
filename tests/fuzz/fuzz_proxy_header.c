/* SPDX-License-Identifier: ISC */
/*
 * Any octets as the beginning of a connection behind a load balancer.  What
 * must hold of each:
 *  - the verdict is MORE up to some octet, then one that never changes, and
 *    there is one at PROXY_V2_MAX;
 *  - a header ends where its version says, as a reader of its own finds;
 *  - endpoints that were read are read again from either header we write of
 *    them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
assert_equal(const struct proxy_header *a, const struct proxy_header *b)
{
	assert(a->verdict == b->verdict && a->fault == b->fault);
	assert(a->len == b->len && a->relayed == b->relayed);
	assert(endpoint_equal(&a->source, &b->source));
	assert(endpoint_equal(&a->destination, &b->destination));
}

static void
check_cuts(const uint8_t *bytes, size_t len, const struct proxy_header *whole)
{
	struct proxy_header h;
	size_t n, decided = 0;

	for (n = 0; n < len; n++) {
		h = proxy_header_parse(bytes, n);
		if (h.verdict != PROXY_HEADER_MORE)
			assert_equal(&h, whole);
		else
			decided = n + 1;
		assert(h.verdict != PROXY_HEADER_OK || h.len <= n);
	}
	/* No MORE after a verdict. */
	for (n = decided; n < len; n++)
		assert(proxy_header_parse(bytes, n).verdict !=
		    PROXY_HEADER_MORE);
	assert(decided <= PROXY_V2_MAX);
	if (whole->verdict == PROXY_HEADER_OK)
		assert(decided == whole->len);
}

static void
check_end(const uint8_t *bytes, const struct proxy_header *h)
{
	if (bytes[0] != 'P') {
		assert(h->len == 16 + (size_t)(bytes[14] << 8 | bytes[15]));
		assert(bytes[12] == 0x20 || bytes[12] == 0x21);
		assert(!h->relayed || bytes[12] == 0x21);
		assert(h->len <= PROXY_V2_MAX);
		return;
	}
	assert(h->len <= PROXY_V1_MAX);
	assert(memchr(bytes, '\n', h->len) == bytes + h->len - 1);
	assert(memchr(bytes, '\r', h->len) == bytes + h->len - 2);
	assert(h->relayed == (memcmp(bytes + 6, "TCP", 3) == 0));
}

static void
check_again(const struct proxy_header *h, const uint8_t *header, size_t len)
{
	struct proxy_header again = proxy_header_parse(header, len);

	again.len = h->len;
	assert_equal(&again, h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = calloc(len > 0 ? len : 1, 1), out[PROXY_HEADER_MAX];
	struct proxy_tlvs tlvs = { data, len % (PROXY_ALPN_MAX + 1), NULL, 0,
		data, len % (PROXY_UNIQUE_ID_MAX + 1) };
	struct proxy_header h;

	assert(bytes != NULL);
	if (len > 0)
		memcpy(bytes, data, len);
	h = proxy_header_parse(bytes, len);
	assert((h.verdict == PROXY_HEADER_BAD) ==
	    (h.fault != PROXY_FAULT_NONE));
	assert(h.verdict != PROXY_HEADER_MORE || len < PROXY_V2_MAX);
	check_cuts(bytes, len, &h);
	if (h.verdict == PROXY_HEADER_OK)
		check_end(bytes, &h);
	else
		assert(h.len == 0 && !h.relayed);
	if (h.relayed) {
		check_again(&h, out, proxy_header_write_v1(&h.source,
		    &h.destination, out));
		check_again(&h, out, proxy_header_write_v2(&h.source,
		    &h.destination, &tlvs, out));
	}
	free(bytes);
	return 0;
}
