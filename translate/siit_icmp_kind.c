/* SPDX-License-Identifier: ISC */
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum {
	NONE = -1,		/* no such code or field over there */
	GROWTH = IP6_HEADER - IP4_HEADER
};

bool
icmp4_is_error(uint8_t type)
{
	switch (type) {
	case ICMP4_UNREACHABLE:
	case ICMP4_QUENCH:
	case ICMP4_REDIRECT:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER:
		return true;
	}
	return false;
}

bool
icmp6_is_error(uint8_t type)
{
	return type < ICMP6_INFORMATIONAL;
}

/* --- IPv4 to IPv6 (RFC 7915 4.2) ----------------------------------------- */

/*
 * A router older than RFC 1191 tells no MTU: RFC 1191 7's greatest plateau
 * less than the packet's length, if it is one that IPv6 has.
 */
static uint32_t
plateau_below(uint32_t total)
{
	static const uint16_t plateaus[] = { 65535, 32000, 17914, 8166, 4352,
		2002, 1492 };
	size_t i;

	for (i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < total)
			return plateaus[i];
	return SIIT_MTU_MIN;
}

static uint32_t
mtu_4to6(const struct siit *siit, uint32_t mtu, uint32_t inner_total)
{
	mtu = mtu == 0 ? plateau_below(inner_total) : mtu + GROWTH;
	if (mtu > siit->mtu6)
		mtu = siit->mtu6;
	if (mtu > siit->mtu4 + GROWTH)
		mtu = siit->mtu4 + GROWTH;
	return mtu > SIIT_MTU_MIN ? mtu : SIIT_MTU_MIN;
}

static enum drop_reason
unreachable_4to6(const struct siit *siit, const uint8_t *message,
    uint32_t inner_total, struct icmp_kind *ret)
{
	static const int8_t codes[] = {	/* of Destination Unreachable */
		[0] = ICMP6_NO_ROUTE, [1] = ICMP6_NO_ROUTE,
		[2] = NONE, [3] = ICMP6_PORT, [4] = NONE,
		[5] = ICMP6_NO_ROUTE, [6] = ICMP6_NO_ROUTE,
		[7] = ICMP6_NO_ROUTE, [8] = ICMP6_NO_ROUTE,
		[9] = ICMP6_PROHIBITED, [10] = ICMP6_PROHIBITED,
		[11] = ICMP6_NO_ROUTE, [12] = ICMP6_NO_ROUTE,
		[13] = ICMP6_PROHIBITED, [14] = NONE,
		[15] = ICMP6_PROHIBITED,
	};
	uint8_t code = message[ICMP_CODE];

	if (code == ICMP4_PROTOCOL) {
		*ret = (struct icmp_kind) { ICMP6_PARAMETER, ICMP6_NEXT_HEADER,
			IP6_NEXT };
	} else if (code == ICMP4_TOO_BIG) {
		*ret = (struct icmp_kind) { ICMP6_TOO_BIG, 0,
			mtu_4to6(siit, get_u16(message + ICMP_REST + 2),
			    inner_total) };
	} else if (code >= sizeof(codes) || codes[code] == NONE) {
		return DROP_ICMP_CODE;
	} else {
		*ret = (struct icmp_kind) { ICMP6_UNREACHABLE,
			(uint8_t)codes[code], 0 };
	}
	return DROP_NONE;
}

static enum drop_reason
parameter_4to6(const uint8_t *message, struct icmp_kind *ret)
{
	static const int8_t fields[IP4_HEADER] = {	/* figure 3 */
		0, 1, 4, 4, NONE, NONE, NONE, NONE, 7, 6, NONE, NONE,
		8, 8, 8, 8, 24, 24, 24, 24
	};
	uint8_t code = message[ICMP_CODE], field = message[ICMP_REST];

	if (code != 0 && code != ICMP4_BAD_LENGTH)
		return DROP_ICMP_CODE;
	if (field >= IP4_HEADER || fields[field] == NONE)
		return DROP_ICMP_POINTER;
	*ret = (struct icmp_kind) { ICMP6_PARAMETER, 0,
		(uint32_t)fields[field] };
	return DROP_NONE;
}

enum drop_reason
icmp_kind_4to6(const struct siit *siit, const uint8_t *message,
    uint32_t inner_total, struct icmp_kind *ret)
{
	uint8_t code = message[ICMP_CODE];

	switch (message[0]) {
	case ICMP4_ECHO:
		*ret = (struct icmp_kind) { ICMP6_ECHO, code, 0 };
		return DROP_NONE;
	case ICMP4_ECHO_REPLY:
		*ret = (struct icmp_kind) { ICMP6_ECHO_REPLY, code, 0 };
		return DROP_NONE;
	case ICMP4_UNREACHABLE:
		return unreachable_4to6(siit, message, inner_total, ret);
	case ICMP4_TIME_EXCEEDED:
		*ret = (struct icmp_kind) { ICMP6_TIME_EXCEEDED, code, 0 };
		return DROP_NONE;
	case ICMP4_PARAMETER:
		return parameter_4to6(message, ret);
	}
	return DROP_ICMP_TYPE;
}

/* --- IPv6 to IPv4 (RFC 7915 5.2) ----------------------------------------- */

/*
 * "Taking into account whether or not the packet in error includes a Fragment
 * Header": what that one takes is not there in IPv4.
 */
static uint32_t
mtu_6to4(const struct siit *siit, uint32_t mtu, bool inner_fragment)
{
	uint32_t growth = GROWTH + (inner_fragment ? FRAGMENT_HEADER : 0u);

	if (mtu > siit->mtu6)
		mtu = siit->mtu6;
	mtu = mtu > growth ? mtu - growth : 0;
	if (mtu > siit->mtu4)
		mtu = siit->mtu4;
	return mtu > SIIT_MTU4_LEAST ? mtu : SIIT_MTU4_LEAST;
}

/* Figure 6; NONE where it says "n/a" or nothing. */
static int
field_6to4(uint32_t pointer)
{
	static const int8_t fields[IP6_SOURCE] = { 0, 1, NONE, NONE, 2, 2,
		9, 8 };

	if (pointer < IP6_SOURCE)
		return fields[pointer];
	if (pointer < IP6_DESTINATION)
		return IP4_SOURCE;
	return pointer < IP6_HEADER ? IP4_DESTINATION : NONE;
}

static enum drop_reason
parameter_6to4(const uint8_t *message, struct icmp_kind *ret)
{
	int field;

	switch (message[ICMP_CODE]) {
	case 0:
		field = field_6to4(get_u32(message + ICMP_REST));
		if (field == NONE)
			return DROP_ICMP_POINTER;
		*ret = (struct icmp_kind) { ICMP4_PARAMETER, 0,
			(uint32_t)field << 24 };
		return DROP_NONE;
	case ICMP6_NEXT_HEADER:
		*ret = (struct icmp_kind) { ICMP4_UNREACHABLE, ICMP4_PROTOCOL,
			0 };
		return DROP_NONE;
	}
	return DROP_ICMP_CODE;
}

enum drop_reason
icmp_kind_6to4(const struct siit *siit, const uint8_t *message,
    bool inner_fragment, struct icmp_kind *ret)
{
	static const uint8_t codes[] = {	/* of Destination Unreachable */
		ICMP4_HOST, ICMP4_HOST_PROHIBITED, ICMP4_HOST, ICMP4_HOST,
		ICMP4_PORT
	};
	uint8_t code = message[ICMP_CODE];

	switch (message[0]) {
	case ICMP6_ECHO:
		*ret = (struct icmp_kind) { ICMP4_ECHO, code, 0 };
		return DROP_NONE;
	case ICMP6_ECHO_REPLY:
		*ret = (struct icmp_kind) { ICMP4_ECHO_REPLY, code, 0 };
		return DROP_NONE;
	case ICMP6_UNREACHABLE:
		if (code >= sizeof(codes))
			return DROP_ICMP_CODE;
		*ret = (struct icmp_kind) { ICMP4_UNREACHABLE, codes[code], 0 };
		return DROP_NONE;
	case ICMP6_TOO_BIG:
		*ret = (struct icmp_kind) { ICMP4_UNREACHABLE, ICMP4_TOO_BIG,
			mtu_6to4(siit, get_u32(message + ICMP_REST),
			    inner_fragment) };
		return DROP_NONE;
	case ICMP6_TIME_EXCEEDED:
		*ret = (struct icmp_kind) { ICMP4_TIME_EXCEEDED, code, 0 };
		return DROP_NONE;
	case ICMP6_PARAMETER:
		return parameter_6to4(message, ret);
	}
	return DROP_ICMP_TYPE;
}
