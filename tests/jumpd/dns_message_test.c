/* SPDX-License-Identifier: ISC */
#include "jumpd/dns_message.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/hostile.h"

enum { ID = 0xbeef };

static const char asked[] = "vm1.example.com";

/* An answer as it is put together. */
struct answer {
	size_t	len;
	uint8_t	bytes[4096];
};

static void
put(struct answer *a, const void *bytes, size_t len)
{
	cr_assert_leq(len, sizeof(a->bytes) - a->len);
	memcpy(a->bytes + a->len, bytes, len);
	a->len += len;
}

static void
put_u16(struct answer *a, unsigned value)
{
	const uint8_t octets[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(a, octets, 2);
}

/* "a.b" as labels. */
static void
put_name(struct answer *a, const char *name)
{
	uint8_t len;

	for (; *name != '\0'; name += name[len] == '.' ? len + 1 : len) {
		len = (uint8_t)strcspn(name, ".");
		put(a, &len, 1);
		put(a, name, len);
	}
	put(a, "", 1);
}

/* Our question turned into an answer with `n` records to come. */
static struct answer
begin(unsigned flags, unsigned n)
{
	struct answer a = { 0 };

	a.len = dns_query_write(asked, strlen(asked), ID, a.bytes);
	a.bytes[2] |= (uint8_t)(0x80 | flags >> 8);
	a.bytes[3] |= (uint8_t)flags;
	a.bytes[6] = (uint8_t)(n >> 8);
	a.bytes[7] = (uint8_t)n;
	return a;
}

static void
put_head(struct answer *a, const char *owner, unsigned type, unsigned len)
{
	if (owner == NULL)
		put(a, "\xc0\x0c", 2);	/* the question's name */
	else
		put_name(a, owner);
	put_u16(a, type);
	put_u16(a, 1);
	put(a, "\0\0\0\x3c", 4);
	put_u16(a, len);
}

static void
put_aaaa(struct answer *a, const char *owner, uint8_t last)
{
	uint8_t octets[16] = { 0x20, 1, 0xd, 0xb8 };

	octets[15] = last;
	put_head(a, owner, 28, 16);
	put(a, octets, 16);
}

static void
put_cname(struct answer *a, const char *owner, const char *to)
{
	struct answer name = { 0 };

	put_name(&name, to);
	put_head(a, owner, 5, (unsigned)name.len);
	put(a, name.bytes, name.len);
}

static enum dns_answer
answer_of(const struct answer *a, struct dns_addresses *ret)
{
	return dns_answer_read(a->bytes, a->len, asked, strlen(asked), ID,
	    ret);
}

Test(dns, asks_for_ipv6_addresses)
{
	static const uint8_t right[] = "\xbe\xef\1\0\0\1\0\0\0\0\0\0"
				       "\3vm1\7example\3com\0\0\34\0\1";
	uint8_t out[DNS_QUERY_MAX];
	char longest[254];
	size_t len;

	len = dns_query_write(asked, strlen(asked), ID, out);
	cr_expect_eq(len, sizeof(right) - 1);
	cr_expect_eq(memcmp(out, right, len), 0);
	memset(longest, 'a', 253);
	longest[63] = longest[127] = longest[191] = '.';
	cr_expect_eq(dns_query_write(longest, 253, ID, out), 12 + 255 + 4);
	cr_expect_eq(dns_query_write("x", 1, ID, out), 12 + 3 + 4);
}

Test(dns, finds_addresses)
{
	struct answer a = begin(0x8180, 3);
	struct dns_addresses found;

	put_aaaa(&a, NULL, 1);
	put_aaaa(&a, "VM1.Example.com", 2);
	put_aaaa(&a, "vm2.example.com", 3);	/* nobody asked */
	cr_assert_eq(answer_of(&a, &found), DNS_ADDRESSES);
	cr_expect_eq(found.n, 2);
	cr_expect_eq(found.addr[0].octet[15], 1);
	cr_expect_eq(found.addr[1].octet[15], 2);
}

Test(dns, follows_cnames_in_any_order)
{
	struct answer a = begin(0, 4);
	struct dns_addresses found;

	put_aaaa(&a, "c.example", 7);
	put_cname(&a, "b.example", "C.example");
	put_cname(&a, NULL, "b.example");
	put_aaaa(&a, NULL, 9);	/* beside a CNAME: not looked at */
	cr_assert_eq(answer_of(&a, &found), DNS_ADDRESSES);
	cr_expect_eq(found.n, 1);
	cr_expect_eq(found.addr[0].octet[15], 7);
}

Test(dns, bounds_cnames_and_addresses)
{
	struct answer a = begin(0, 2);
	struct dns_addresses found;
	char from[16], to[16];
	unsigned i;

	put_cname(&a, NULL, "b.example");
	put_cname(&a, "b.example", asked);
	cr_expect_eq(answer_of(&a, &found), DNS_FAILED);	/* a loop */

	a = begin(0, 14);
	put_cname(&a, NULL, "n0");
	for (i = 0; i < 12; i++) {
		snprintf(from, sizeof(from), "n%u", i);
		snprintf(to, sizeof(to), "n%u", i + 1);
		put_cname(&a, from, to);
	}
	put_aaaa(&a, "n12", 1);
	cr_expect_eq(answer_of(&a, &found), DNS_FAILED);	/* 13 links */

	a = begin(0, 100);
	for (i = 0; i < 100; i++)
		put_aaaa(&a, NULL, (uint8_t)i);
	cr_assert_eq(answer_of(&a, &found), DNS_ADDRESSES);
	cr_expect_eq(found.n, DNS_ADDRESSES_MAX);
}

Test(dns, says_why_there_is_none)
{
	static const struct {
		unsigned	 flags;
		enum dns_answer	 answer;
	} cases[] = { { 0x0000, DNS_NO_ADDRESS }, { 0x0003, DNS_NO_NAME },
		{ 0x0002, DNS_FAILED }, { 0x0005, DNS_FAILED },
		{ 0x0001, DNS_FAILED }, { 0x0200, DNS_TRUNCATED },
		{ 0x0203, DNS_TRUNCATED }, { 0x2800, DNS_NOT_OURS } };
	struct dns_addresses found;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a = begin(cases[i].flags, 0);

		cr_expect_eq(answer_of(&a, &found), cases[i].answer, "%04x",
		    cases[i].flags);
	}
	struct answer a = begin(0, 1);
	put_cname(&a, NULL, "b.example");
	cr_expect_eq(answer_of(&a, &found), DNS_NO_ADDRESS);
	a = begin(0, 1);
	put_head(&a, NULL, 1, 4);	/* IPv4 */
	put(&a, "\xc0\0\2\1", 4);
	cr_expect_eq(answer_of(&a, &found), DNS_NO_ADDRESS);
}

Test(dns, waits_for_the_answer_to_its_question)
{
	struct answer good = begin(0, 1), a;
	struct dns_addresses found;

	put_aaaa(&good, NULL, 1);
	cr_assert_eq(answer_of(&good, &found), DNS_ADDRESSES);
	a = good;
	a.bytes[0] ^= 1;			/* another id */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[2] &= 0x7f;			/* a question */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[14] ^= 1;			/* another name */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[5] = 2;				/* two questions */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[5] = 0;
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[a.len - 28 - 3] = 1;		/* the question's type */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = good;
	a.bytes[7] = 2;				/* a record too few */
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
	a = begin(0, 1);
	put_head(&a, NULL, 28, 15);		/* an address too short */
	put(&a, "0123456789abcde", 15);
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
}

Test(dns, follows_no_pointer_forward_or_in_a_loop)
{
	static const uint8_t pointers[][2] = { { 0xc0, 0x21 }, { 0xc0, 0x22 },
		{ 0xff, 0xff }, { 0xc0, 0x30 }, { 0x80, 0 }, { 0x40, 0 } };
	struct dns_addresses found;
	size_t i;

	for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct answer a = begin(0, 1);

		cr_assert_eq(a.len, 0x21);
		put_aaaa(&a, NULL, 1);
		memcpy(a.bytes + 0x21, pointers[i], 2);
		cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS, "case %zu",
		    i);
	}
}

/* a label with a dot in it is not two labels */
Test(dns, tells_labels_with_dots_from_names)
{
	struct answer a = begin(0, 1);
	struct dns_addresses found;

	put(&a, "\17vm1.example.com", 17);
	put(&a, "\0\34\0\1\0\0\0\0\0\20", 10);
	put(&a, "0123456789abcdef", 16);
	cr_expect_eq(answer_of(&a, &found), DNS_NOT_OURS);
}

static void
survives(const uint8_t *bytes, size_t len, void *arg)
{
	struct dns_addresses found;

	(void)arg;
	if (dns_answer_read(bytes, len, asked, strlen(asked), ID, &found) ==
	    DNS_ADDRESSES)
		cr_assert(found.n >= 1 && found.n <= DNS_ADDRESSES_MAX);
}

Test(dns, survives_every_cut_and_bit_flip)
{
	struct answer a = begin(0, 4);

	put_cname(&a, NULL, "b.example");
	put_cname(&a, "b.example", "c.example");
	put_aaaa(&a, "c.example", 1);
	put_aaaa(&a, NULL, 1);
	hostile_cuts(a.bytes, a.len, survives, NULL);
	hostile_bit_flips(a.bytes, a.len, survives, NULL);
}
