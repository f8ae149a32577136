/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_answer.c - what comes from a name server's address: an answer to
 * the question, or not.  The id is taken from the input, or nothing would
 * ever be an answer.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "jumpd/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char asked[] = "vm1.example.com";
	struct dns_addresses found, before;
	uint16_t id = 0;

	if (len >= 2)
		id = (uint16_t)(bytes[0] << 8 | bytes[1]);
	memset(&before, 0xa5, sizeof(before));
	memcpy(&found, &before, sizeof(found));
	if (dns_answer_read(bytes, len, asked, sizeof(asked) - 1, id,
		&found) == DNS_ADDRESSES)
		assert(found.n >= 1 && found.n <= DNS_ADDRESSES_MAX);
	else
		assert(memcmp(&found, &before, sizeof(found)) == 0);
	return 0;
}
