/* SPDX-License-Identifier: ISC */
/*
 * fuzz_broker_msg.c - a message between child and broker: it is decoded for
 * one direction at most, within its bounds, and means the same octets.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "jumpd/broker_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static uint8_t out[BROKER_MSG_MAX];
	struct broker_msg m, before;
	enum broker_msg_from side;
	unsigned decoded = 0;

	memset(&before, 0xa5, sizeof(before));
	for (side = BROKER_MSG_FROM_CHILD; side <= BROKER_MSG_FROM_BROKER;
	    side++) {
		memcpy(&m, &before, sizeof(m));
		if (!broker_msg_decode(side, bytes, len, &m)) {
			assert(memcmp(&m, &before, sizeof(m)) == 0);
			continue;
		}
		decoded++;
		assert(broker_msg_encode(&m, out) == len);
		assert(memcmp(out, bytes, len) == 0);
	}
	assert(decoded <= 1);
	return 0;
}
