/* SPDX-License-Identifier: ISC */
#include "translate/icmp_reply.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/packet_check.h"

/* A packet of `len` octets with a right header; `type` is its first octet. */
struct subject {
	const char	*source, *destination;
	uint8_t		 protocol, type;
	unsigned	 offset;	/* of the fragment, octets */
	size_t		 payload;
	bool		 answered;
};

static struct packet
packet_of(const struct subject *s, uint8_t *at)
{
	struct addr from = addr_of(s->source), to = addr_of(s->destination);
	size_t header = 20, sum;

	memset(at, 0, 200);
	if (addr_is_v4(&from)) {
		at[0] = 0x45;
		at[3] = (uint8_t)(20 + s->payload);
		at[6] = s->offset > 0 ? 0x20 : 0;
		at[7] = (uint8_t)(s->offset / 8);
		at[8] = 64;
		at[9] = s->protocol;
		memcpy(at + 12, from.octet + 12, 4);
		memcpy(at + 16, to.octet + 12, 4);
		sum = plain_sum(at, 20, 0) ^ 0xffffu;
		at[10] = (uint8_t)(sum >> 8);
		at[11] = (uint8_t)sum;
	} else {
		header = s->offset > 0 ? 48 : 40;
		at[0] = 0x60;
		at[5] = (uint8_t)(header - 40 + s->payload);
		at[6] = s->offset > 0 ? 44 : s->protocol;
		at[7] = 64;
		memcpy(at + 8, from.octet, 16);
		memcpy(at + 24, to.octet, 16);
		at[40] = s->protocol;
		at[43] = (uint8_t)(s->offset | 1);
	}
	at[header] = s->type;
	return (struct packet) { .at = at, .len = header + s->payload };
}

/* RFC 1812 4.3.2.7, RFC 4443 2.4 (e). */
Test(icmp_reply, errors_are_not_sent_about_everything)
{
	static const struct subject subjects[] = {
		{ "192.0.2.1", "198.51.100.1", 17, 0, 0, 16, true },
		{ "192.0.2.1", "198.51.100.1", 17, 0, 16, 16, false },
		{ "192.0.2.1", "224.0.0.5", 17, 0, 0, 16, false },
		{ "192.0.2.1", "255.255.255.255", 17, 0, 0, 16, false },
		{ "0.0.0.0", "198.51.100.1", 17, 0, 0, 16, false },
		{ "127.0.0.1", "198.51.100.1", 17, 0, 0, 16, false },
		{ "224.0.0.1", "198.51.100.1", 17, 0, 0, 16, false },
		{ "255.255.255.255", "198.51.100.1", 17, 0, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 8, 0, 16, true },
		{ "192.0.2.1", "198.51.100.1", 1, 13, 0, 16, true },
		{ "192.0.2.1", "198.51.100.1", 1, 3, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 4, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 5, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 11, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 12, 0, 16, false },
		{ "192.0.2.1", "198.51.100.1", 1, 8, 0, 0, false },
		{ "2001:db8::1", "2001:db8::2", 17, 0, 0, 16, true },
		{ "2001:db8::1", "2001:db8::2", 17, 0, 16, 16, true },
		{ "2001:db8::1", "ff0e::5", 17, 0, 0, 16, false },
		{ "::", "2001:db8::2", 17, 0, 0, 16, false },
		{ "ff02::1", "2001:db8::2", 17, 0, 0, 16, false },
		{ "2001:db8::1", "2001:db8::2", 58, 128, 0, 16, true },
		{ "2001:db8::1", "2001:db8::2", 58, 1, 0, 16, false },
		{ "2001:db8::1", "2001:db8::2", 58, 127, 0, 16, false },
		{ "2001:db8::1", "2001:db8::2", 58, 137, 0, 16, false },
		{ "2001:db8::1", "2001:db8::2", 58, 128, 16, 16, false },
		{ "2001:db8::1", "2001:db8::2", 58, 128, 0, 0, false },
	};
	const struct addr own4 = addr_of("192.0.2.254");
	const struct addr own6 = addr_of("2001:db8::ffff");
	const struct icmp_error error = { 11, 0, 0 };
	uint8_t octets[200], out[ICMP6_ERROR_MAX];
	const struct subject *s;
	struct packet packet;
	const char *wrong;
	size_t i, len;
	bool v4;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		s = &subjects[i];
		packet = packet_of(s, octets);
		v4 = packet_version(&packet) == 4;
		len = icmp_error_write(&packet, &error, v4 ? &own4 : &own6,
		    out);
		cr_assert_eq(len > 0, s->answered, "%zu: %s > %s", i,
		    s->source, s->destination);
		if (len == 0)
			continue;
		cr_assert_eq(len, (v4 ? 28 : 48) + packet.len, "%zu", i);
		wrong = packet_check_sums(&(struct packet) { .at = out,
		    .len = len }, false);
		cr_assert_null(wrong, "%zu: %s", i, wrong);
	}
}

Test(icmp_reply, says_what_it_is_told)
{
	const struct subject s = { "2001:db8::1", "2001:db8::2", 17, 0, 0, 16,
		true };
	const struct icmp_error error = { 2, 7, 0x01020304 };
	const struct addr own = addr_of("2001:db8::ffff");
	uint8_t octets[200], out[ICMP6_ERROR_MAX];
	struct packet packet = packet_of(&s, octets);
	size_t len = icmp_error_write(&packet, &error, &own, out);

	cr_assert_eq(len, 48 + packet.len);
	cr_assert_arr_eq(out + 8, own.octet, 16);
	cr_assert_arr_eq(out + 24, octets + 8, 16);
	cr_assert_eq(out[40], 2);
	cr_assert_eq(out[41], 7);
	cr_assert_arr_eq(out + 44, "\1\2\3\4", 4);
	cr_assert_arr_eq(out + 48, octets, packet.len);
}

/* What is no packet at all gets no answer, and no echo. */
Test(icmp_reply, says_nothing_to_what_is_no_packet)
{
	const struct subject s = { "192.0.2.1", "198.51.100.1", 1, 8, 0, 16,
		true };
	const struct addr own = addr_of("192.0.2.254");
	const struct icmp_error error = { 11, 0, 0 };
	uint8_t octets[200], out[ICMP6_ERROR_MAX];
	struct packet packet = packet_of(&s, octets);
	size_t len;

	for (len = 0; len < packet.len; len++) {
		struct packet cut = { .at = octets, .len = len };

		cr_assert_eq(icmp_error_write(&cut, &error, &own, out), 0);
		cr_assert_not(icmp_echo_answer(&cut));
	}
}
