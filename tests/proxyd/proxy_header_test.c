/* SPDX-License-Identifier: ISC */
#include "proxyd/proxy_header.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
#define V6(last) "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last
#define OCTETS(literal) (const uint8_t *)(literal), sizeof(literal) - 1

struct vector {
	const char	*what;
	const uint8_t	*bytes;
	size_t		 len;
	const char	*source;	/* NULL: not relayed */
	uint16_t	 source_port;
	const char	*destination;
	uint16_t	 destination_port;
};

/* Headers of which proxy_header_write makes exactly these bytes. */
static const struct vector written_v1[] = {
	{ "the example of 2.1",
	    OCTETS("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
	    "192.168.0.1", 56324, "192.168.0.11", 443 },
	{ "longest TCP4",
	    OCTETS("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535"
		   "\r\n"),
	    "255.255.255.255", 65535, "255.255.255.255", 65535 },
	{ "longest TCP6",
	    OCTETS("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535 },
	{ "short TCP6", OCTETS("PROXY TCP6 :: ::1 0 1\r\n"), "::", 0, "::1",
	    1 },
	{ "client IPv4, destination IPv6",
	    OCTETS("PROXY TCP6 ::ffff:c000:201 2001:db8::1 1024 443\r\n"),
	    "192.0.2.1", 1024, "2001:db8::1", 443 },
	{ "client IPv6, destination IPv4",
	    OCTETS("PROXY TCP6 2001:db8::1 ::ffff:0:0 1024 443\r\n"),
	    "2001:db8::1", 1024, "0.0.0.0", 443 },
	{ "as haproxy 2.6 wrote it",
	    OCTETS("PROXY TCP4 127.0.0.1 127.0.0.1 60654 39002\r\n"),
	    "127.0.0.1", 60654, "127.0.0.1", 39002 },
};

static const struct vector written_v2[] = {
	{ "TCP4", OCTETS(SIG "\x21\x11\0\x0c\xc0\xa8\0\x01\xc0\xa8\0\x0b"
			 "\xdc\x04\x01\xbb"),
	    "192.168.0.1", 56324, "192.168.0.11", 443 },
	{ "TCP6", OCTETS(SIG "\x21\x21\0\x24" V6("\x01") V6("\x02")
			 "\xff\xff\0\0"),
	    "2001:db8::1", 65535, "2001:db8::2", 0 },
	{ "client IPv4, destination IPv6",
	    OCTETS(SIG "\x21\x21\0\x24" MAPPED "\xc0\0\x02\x01" V6("\x02")
		   "\x04\0\x01\xbb"),
	    "192.0.2.1", 1024, "2001:db8::2", 443 },
	{ "client IPv6, destination IPv4",
	    OCTETS(SIG "\x21\x21\0\x24" V6("\x02") MAPPED "\xc0\0\x02\x01"
		   "\x04\0\x01\xbb"),
	    "2001:db8::2", 1024, "192.0.2.1", 443 },
};

/* Headers that are only read. */
static const struct vector read_only[] = {
	{ "the shortest UNKNOWN", OCTETS("PROXY UNKNOWN\r\n"), NULL, 0, NULL,
	    0 },
	{ "the longest UNKNOWN",
	    OCTETS("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    NULL, 0, NULL, 0 },
	{ "UNKNOWN and rubbish", OCTETS("PROXY UNKNOWN  x 1 y~\r\n"), NULL, 0,
	    NULL, 0 },
	{ "upper case", OCTETS("PROXY TCP6 2001:DB8::A ::B 1 2\r\n"),
	    "2001:db8::a", 1, "::b", 2 },
	{ "a dotted quad in TCP6",
	    OCTETS("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n"),
	    "192.0.2.1", 1, "2001:db8::1", 2 },
	{ "LOCAL", OCTETS(SIG "\x20\0\0\0"), NULL, 0, NULL, 0 },
	{ "LOCAL with rubbish", OCTETS(SIG "\x20\x99\0\x03xyz"), NULL, 0,
	    NULL, 0 },
	{ "UNSPEC", OCTETS(SIG "\x21\0\0\0"), NULL, 0, NULL, 0 },
	{ "UNSPEC with rubbish", OCTETS(SIG "\x21\0\0\x01x"), NULL, 0, NULL,
	    0 },
	{ "UDP4", OCTETS(SIG "\x21\x12\0\x0c" "abcdefghijkl"), NULL, 0, NULL,
	    0 },
	{ "UDP6", OCTETS(SIG "\x21\x22\0\x24" V6("\x01") V6("\x02") "abcd"),
	    NULL, 0, NULL, 0 },
	{ "NOOPs and an unknown TLV",
	    OCTETS(SIG "\x21\x11\0\x17" "\x7f\0\0\x01\x7f\0\0\x02\0\x01\0\x02"
		   "\x04\0\0" "\x04\0\x01x" "\xea\0\x01y"),
	    "127.0.0.1", 1, "127.0.0.2", 2 },
	{ "haproxy 2.6, TCP4, CRC32C, empty UNIQUE_ID",
	    OCTETS(SIG "\x21\x11\0\x16" "\x7f\0\0\x01\x7f\0\0\x01"
		   "\xe2\x5a\x98\x59" "\x03\0\x04\x98\x90\x0b\x6d"
		   "\x05\0\0"),
	    "127.0.0.1", 57946, "127.0.0.1", 39001 },
	{ "haproxy 2.6, TCP6, CRC32C, empty UNIQUE_ID",
	    OCTETS(SIG "\x21\x21\0\x2e" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
		   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "\xeb\xb8\x98\x59"
		   "\x03\0\x04\xcd\0\x74\x76" "\x05\0\0"),
	    "::1", 60344, "::1", 39001 },
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

static struct endpoint
endpoint_of(const char *text, uint16_t port)
{
	struct endpoint ep = { .port = port };

	cr_assert(addr_parse(text, strlen(text), &ep.addr), "%s", text);
	return ep;
}

static void
expect_read(const struct vector *v)
{
	struct proxy_header h = proxy_header_parse(v->bytes, v->len);
	struct endpoint ep;

	cr_expect_eq(h.verdict, PROXY_HEADER_OK, "%s: %s", v->what,
	    proxy_fault_text(h.fault));
	cr_expect_eq(h.fault, PROXY_FAULT_NONE, "%s", v->what);
	cr_expect_eq(h.len, v->len, "%s", v->what);
	cr_expect_eq(h.relayed, v->source != NULL, "%s", v->what);
	if (v->source == NULL)
		return;
	ep = endpoint_of(v->source, v->source_port);
	cr_expect(endpoint_equal(&h.source, &ep), "%s: source", v->what);
	ep = endpoint_of(v->destination, v->destination_port);
	cr_expect(endpoint_equal(&h.destination, &ep), "%s: destination",
	    v->what);
}

Test(proxy_header, reads_the_vectors)
{
	size_t i;

	for (i = 0; i < N(written_v1); i++)
		expect_read(&written_v1[i]);
	for (i = 0; i < N(written_v2); i++)
		expect_read(&written_v2[i]);
	for (i = 0; i < N(read_only); i++)
		expect_read(&read_only[i]);
}

Test(proxy_header, writes_the_vectors)
{
	const struct vector *v;
	struct endpoint from, to;
	uint8_t out[PROXY_HEADER_MAX];
	size_t i, len;

	for (i = 0; i < N(written_v1) + N(written_v2); i++) {
		v = i < N(written_v1) ? &written_v1[i] :
					&written_v2[i - N(written_v1)];
		from = endpoint_of(v->source, v->source_port);
		to = endpoint_of(v->destination, v->destination_port);
		len = i < N(written_v1) ?
		    proxy_header_write_v1(&from, &to, out) :
		    proxy_header_write_v2(&from, &to, NULL, out);
		cr_expect_eq(len, v->len, "%s: %zu octets", v->what, len);
		cr_expect(memcmp(out, v->bytes, v->len) == 0, "%s: %.*s",
		    v->what, (int)len, (const char *)out);
	}
}

Test(proxy_header, writes_tlvs_in_order_and_leaves_out_empty_ones)
{
	static const struct {
		struct proxy_tlvs tlvs;
		const uint8_t *bytes;
		size_t len;
	} cases[] = {
		{ { OCTETS("h2"), "a.example", 9, OCTETS("\0\xff\x01") },
		    OCTETS("\x01\0\x02h2\x02\0\x09" "a.example"
			   "\x05\0\x03\0\xff\x01") },
		{ { NULL, 0, "b.example", 9, NULL, 0 },
		    OCTETS("\x02\0\x09" "b.example") },
		{ { NULL, 0, NULL, 0, OCTETS("x") }, OCTETS("\x05\0\x01x") },
		{ { NULL, 0, NULL, 0, NULL, 0 }, NULL, 0 },
	};
	struct endpoint from = endpoint_of("192.0.2.1", 1);
	uint8_t out[PROXY_HEADER_MAX];
	struct proxy_header h;
	size_t i, len;

	for (i = 0; i < N(cases); i++) {
		len = proxy_header_write_v2(&from, &from, &cases[i].tlvs, out);
		cr_assert_eq(len, 28 + cases[i].len, "case %zu", i);
		cr_expect_eq(out[14] << 8 | out[15], (int)len - 16);
		if (cases[i].len > 0)
			cr_expect(memcmp(out + 28, cases[i].bytes,
			    cases[i].len) == 0, "case %zu", i);
		h = proxy_header_parse(out, len);
		cr_expect(h.verdict == PROXY_HEADER_OK && h.len == len);
	}
}

Test(proxy_header, fits_its_buffer_exactly_with_everything_full)
{
	struct endpoint from = endpoint_of("2001:db8::1", 1);
	uint8_t *out = malloc(PROXY_HEADER_MAX), full[255];
	struct proxy_tlvs tlvs = { full, PROXY_ALPN_MAX, (const char *)full,
		PROXY_AUTHORITY_MAX, full, PROXY_UNIQUE_ID_MAX };
	struct proxy_header h;

	memset(full, 'x', sizeof(full));
	cr_assert_eq(proxy_header_write_v2(&from, &from, &tlvs, out),
	    PROXY_HEADER_MAX);
	h = proxy_header_parse(out, PROXY_HEADER_MAX);
	cr_expect(h.verdict == PROXY_HEADER_OK && h.len == PROXY_HEADER_MAX);
	free(out);
}

/* A header, the client's first bytes after it; cut at every octet. */
static void
expect_more_before_the_end(const uint8_t *bytes, size_t len, void *arg)
{
	const struct vector *v = arg;
	struct proxy_header h = proxy_header_parse(bytes, len);

	cr_expect_eq(h.verdict,
	    len < v->len ? PROXY_HEADER_MORE : PROXY_HEADER_OK,
	    "%s cut after %zu octets: %s", v->what, len,
	    proxy_fault_text(h.fault));
	if (h.verdict == PROXY_HEADER_OK)
		cr_expect_eq(h.len, v->len, "%s + %zu", v->what,
		    len - v->len);
}

static void
cut(const struct vector *v)
{
	static const char payload[] = "\r\nGET /";
	uint8_t *bytes = malloc(v->len + sizeof(payload));

	memcpy(bytes, v->bytes, v->len);
	memcpy(bytes + v->len, payload, sizeof(payload));
	hostile_cuts(bytes, v->len + sizeof(payload),
	    expect_more_before_the_end, (void *)(uintptr_t)v);
	free(bytes);
}

Test(proxy_header, asks_for_more_at_every_cut_and_leaves_what_follows)
{
	size_t i;

	for (i = 0; i < N(written_v1); i++)
		cut(&written_v1[i]);
	for (i = 0; i < N(written_v2); i++)
		cut(&written_v2[i]);
	for (i = 0; i < N(read_only); i++)
		cut(&read_only[i]);
}

/* Whatever the bytes: octet by octet the verdict is MORE, then it stays. */
static void
expect_a_steady_verdict(const uint8_t *bytes, size_t len, void *arg)
{
	const struct vector *v = arg;
	struct proxy_header whole = proxy_header_parse(bytes, len), h;
	bool decided = false;
	size_t n;

	cr_expect(whole.len <= len, "%s", v->what);
	cr_expect_eq(whole.verdict == PROXY_HEADER_BAD,
	    whole.fault != PROXY_FAULT_NONE, "%s", v->what);
	for (n = 0; n <= len; n++) {
		h = proxy_header_parse(bytes, n);
		decided = decided || h.verdict != PROXY_HEADER_MORE;
		if (decided)
			cr_expect(h.verdict == whole.verdict &&
			    h.fault == whole.fault && h.len == whole.len &&
			    h.relayed == whole.relayed,
			    "%s: %d at %zu, %d whole", v->what, h.verdict, n,
			    whole.verdict);
	}
	cr_expect(decided || whole.verdict == PROXY_HEADER_MORE);
}

Test(proxy_header, has_one_steady_verdict_for_every_bit_flip)
{
	size_t i;

	for (i = 0; i < N(written_v1); i++)
		hostile_bit_flips(written_v1[i].bytes, written_v1[i].len,
		    expect_a_steady_verdict,
		    (void *)(uintptr_t)&written_v1[i]);
	for (i = 0; i < N(written_v2); i++)
		hostile_bit_flips(written_v2[i].bytes, written_v2[i].len,
		    expect_a_steady_verdict,
		    (void *)(uintptr_t)&written_v2[i]);
	for (i = 0; i < N(read_only); i++)
		hostile_bit_flips(read_only[i].bytes, read_only[i].len,
		    expect_a_steady_verdict, (void *)(uintptr_t)&read_only[i]);
}

/* But for the bit that makes LOCAL of PROXY, and those of the checksum's type
 * and length, which make another TLV of it. */
static void
expect_not_relayed(const uint8_t *bytes, size_t len, void *arg)
{
	const size_t type = len - 3 - 7;
	struct proxy_header h = proxy_header_parse(bytes, len);

	(void)arg;
	if (bytes[type] == 0x03)
		cr_expect(!h.relayed, "an error was not seen");
}

Test(proxy_header, sees_every_bit_error_of_a_header_with_a_checksum)
{
	hostile_bit_flips(read_only[N(read_only) - 1].bytes,
	    read_only[N(read_only) - 1].len, expect_not_relayed, NULL);
	hostile_bit_flips(read_only[N(read_only) - 2].bytes,
	    read_only[N(read_only) - 2].len, expect_not_relayed, NULL);
}

struct refused {
	enum proxy_fault fault;
	const uint8_t	*bytes;
	size_t		 len;
};

#define TCP4_(length) SIG "\x21\x11\0" length "abcdefghijkl"
#define REFUSED(fault, literal) { PROXY_FAULT_##fault, OCTETS(literal) }

static const struct refused refused[] = {
	REFUSED(SIGNATURE, "G"), REFUSED(SIGNATURE, "PROX\r"),
	REFUSED(SIGNATURE, "p"), REFUSED(SIGNATURE, "\r\n\r\n\1"),
	REFUSED(SIGNATURE, "\0"),
	REFUSED(V1_PROTOCOL, "PROXY\t"), REFUSED(V1_PROTOCOL, "PROXY  "),
	REFUSED(V1_PROTOCOL, "PROXY TCP5"), REFUSED(V1_PROTOCOL, "PROXY t"),
	REFUSED(V1_PROTOCOL, "PROXY TCP4\r"),
	REFUSED(V1_PROTOCOL, "PROXY TCP4\t"),
	REFUSED(V1_PROTOCOL, "PROXY UD"), REFUSED(V1_PROTOCOL, "PROXY\r"),
	REFUSED(V1_PROTOCOL, "PROXY UNKNOWNS"),
	REFUSED(V1_PROTOCOL, "PROXY UNKNOWN\n"),
	REFUSED(V1_OCTET, "PROXY UNKNOWN \n"),
	REFUSED(V1_OCTET, "PROXY UNKNOWN\r "),
	REFUSED(V1_OCTET, "PROXY UNKNOWN x\r\r"),
	REFUSED(V1_OCTET, "PROXY UNKNOWN \0"),
	REFUSED(V1_OCTET, "PROXY UNKNOWN \x7f"),
	REFUSED(V1_OCTET, "PROXY UNKNOWN \x80"),
	REFUSED(V1_OCTET, "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
	REFUSED(V1_OCTET, "PROXY TCP4 1.2.3.4\t"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 \r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3.4\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3.4 1.2.3.00 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 ::1 ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP4 1.2.3.4 ::ffff:1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 1.2.3.4 ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 ::1 1.2.3.4 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 1::2::3 ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 12345:: ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 fe80::1%lo ::1 1 2\r\n"),
	REFUSED(V1_ADDRESS, "PROXY TCP6 [::1] ::1 1 2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 \r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 00\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1 100000\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"),
	REFUSED(V1_PORT, "PROXY TCP4 1.2.3.4 1.2.3.4 1a 2\r\n"),
	REFUSED(V2_VERSION, SIG "\x11"), REFUSED(V2_VERSION, SIG "\x31"),
	REFUSED(V2_VERSION, SIG "\x01"), REFUSED(V2_COMMAND, SIG "\x22"),
	REFUSED(V2_COMMAND, SIG "\x2f"), REFUSED(V2_FAMILY, SIG "\x21\x01"),
	REFUSED(V2_FAMILY, SIG "\x21\x02"), REFUSED(V2_FAMILY, SIG "\x21\x10"),
	REFUSED(V2_FAMILY, SIG "\x21\x13"), REFUSED(V2_FAMILY, SIG "\x21\x20"),
	REFUSED(V2_FAMILY, SIG "\x21\x30"), REFUSED(V2_FAMILY, SIG "\x21\x41"),
	REFUSED(V2_FAMILY, SIG "\x21\xff"),
	REFUSED(V2_TOO_SHORT, SIG "\x21\x11\0\0"),
	REFUSED(V2_TOO_SHORT, SIG "\x21\x11\0\x0b"),
	REFUSED(V2_TOO_SHORT, SIG "\x21\x12\0\x0b"),
	REFUSED(V2_TOO_SHORT, SIG "\x21\x21\0\x23"),
	REFUSED(V2_TOO_SHORT, SIG "\x21\x31\0\xd7"),
	REFUSED(V2_TOO_LONG, SIG "\x21\x11\x0f\xf1"),
	REFUSED(V2_TOO_LONG, SIG "\x20\0\xff\xff"),
	REFUSED(V2_TLV, TCP4_("\x0d") "\x04"),
	REFUSED(V2_TLV, TCP4_("\x0e") "\x04\0"),
	REFUSED(V2_TLV, TCP4_("\x0f") "\x04\0\x01"),
	REFUSED(V2_TLV, TCP4_("\x10") "\x04\xff\xffx"),
	REFUSED(V2_TLV, TCP4_("\x13") "\x04\0\0" "\x04\0\x02y"),
	REFUSED(V2_TLV, TCP4_("\x12") "\x03\0\x03xyz"),
	REFUSED(V2_TLV, TCP4_("\x14") "\x03\0\x05xyzzy"),
	REFUSED(V2_TLV, TCP4_("\x0f") "\x03\0\0"),
	REFUSED(V2_TLV, TCP4_("\x1a") "\x03\0\x04" "abcd" "\x03\0\x04" "abcd"),
	REFUSED(V2_CHECKSUM, TCP4_("\x13") "\x03\0\x04" "abcd"),
};

static void
expect_more_before_the_end_of(const uint8_t *bytes, size_t len, void *arg)
{
	const struct refused *r = arg;
	struct proxy_header h = proxy_header_parse(bytes, len);

	cr_expect_eq(h.verdict,
	    len < r->len ? PROXY_HEADER_MORE : PROXY_HEADER_BAD,
	    "case %td, %zu octets of %zu: %d", r - refused, len, r->len,
	    h.verdict);
	cr_expect_eq(h.fault, len < r->len ? PROXY_FAULT_NONE : r->fault,
	    "case %td: %s", r - refused, proxy_fault_text(h.fault));
	cr_expect(!h.relayed && h.len == 0);
}

/* Each case ends at the first octet that can be known to be wrong. */
Test(proxy_header, refuses_at_the_first_octet_that_cannot_be_right)
{
	size_t i;

	for (i = 0; i < N(refused); i++)
		hostile_cuts(refused[i].bytes, refused[i].len,
		    expect_more_before_the_end_of,
		    (void *)(uintptr_t)&refused[i]);
}

Test(proxy_header, bounds_a_line_at_107_octets)
{
	char line[PROXY_V1_MAX + 3];
	size_t end;
	struct proxy_header h;

	for (end = 100; end <= PROXY_V1_MAX + 1; end++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, "PROXY UNKNOWN ", 14);
		line[end - 2] = '\r';
		line[end - 1] = '\n';
		h = proxy_header_parse((const uint8_t *)line, sizeof(line));
		if (end <= PROXY_V1_MAX)
			cr_expect(h.verdict == PROXY_HEADER_OK &&
			    h.len == end, "%zu", end);
		else
			cr_expect_eq(h.fault, PROXY_FAULT_V1_TOO_LONG);
	}
	cr_expect_eq(proxy_header_parse((const uint8_t *)line,
	    PROXY_V1_MAX - 1).verdict, PROXY_HEADER_MORE);
	cr_expect_eq(proxy_header_parse((const uint8_t *)line,
	    PROXY_V1_MAX).fault, PROXY_FAULT_V1_TOO_LONG);
}

Test(proxy_header, takes_v2_up_to_its_bound_and_unix_addresses)
{
	uint8_t *bytes = calloc(1, PROXY_V2_MAX);
	struct proxy_header h;

	memcpy(bytes, SIG "\x21\x31\x0f\xf0", 16);
	bytes[16 + 216] = 0x04;		/* one NOOP to the end */
	bytes[16 + 217] = (PROXY_V2_MAX - 16 - 219) >> 8;
	bytes[16 + 218] = (PROXY_V2_MAX - 16 - 219) & 0xff;
	h = proxy_header_parse(bytes, PROXY_V2_MAX - 1);
	cr_expect_eq(h.verdict, PROXY_HEADER_MORE);
	h = proxy_header_parse(bytes, PROXY_V2_MAX);
	cr_expect(h.verdict == PROXY_HEADER_OK && !h.relayed &&
	    h.len == PROXY_V2_MAX);
	memcpy(bytes + 13, "\x32\0\xd8", 3);
	h = proxy_header_parse(bytes, 16 + 216);
	cr_expect(h.verdict == PROXY_HEADER_OK && !h.relayed);
	free(bytes);
}

Test(proxy_header, bounds_unique_ids_at_128_octets)
{
	uint8_t bytes[16 + 12 + 3 + 129] = SIG "\x21\x11\0";
	size_t n;

	for (n = 127; n <= 129; n++) {
		bytes[15] = (uint8_t)(12 + 3 + n);
		bytes[28] = 0x05;
		bytes[30] = (uint8_t)n;
		cr_expect_eq(proxy_header_parse(bytes, 31 + n).fault,
		    n <= 128 ? PROXY_FAULT_NONE : PROXY_FAULT_V2_TLV,
		    "%zu", n);
	}
}

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* IPv4, IPv6, and addresses with runs of zeros. */
static struct endpoint
random_endpoint(uint32_t *seed)
{
	struct endpoint ep = { .port = (uint16_t)next_random(seed) };
	uint32_t kind = next_random(seed) % 3;
	unsigned i;

	for (i = 0; i < 16; i++)
		if (kind == 0 || next_random(seed) % 3 == 0)
			ep.addr.octet[i] = (uint8_t)next_random(seed);
	if (kind == 1) {
		memset(ep.addr.octet, 0, 10);
		memset(ep.addr.octet + 10, 0xff, 2);
	}
	return ep;
}

Test(proxy_header, reads_what_it_writes)
{
	uint32_t seed = 1;
	unsigned i;

	for (i = 0; i < 20000; i++) {
		struct endpoint from = random_endpoint(&seed);
		struct endpoint to = random_endpoint(&seed);
		uint8_t junk[255] = { (uint8_t)i, 0, 0xff, 0x03 };
		struct proxy_tlvs tlvs = { junk, next_random(&seed) % 256,
			(const char *)junk, next_random(&seed) % 254, junk,
			next_random(&seed) % 129 };
		uint8_t out[PROXY_HEADER_MAX];
		size_t len = i % 2 == 0 ?
		    proxy_header_write_v1(&from, &to, out) :
		    proxy_header_write_v2(&from, &to, &tlvs, out);
		struct proxy_header h = proxy_header_parse(out, len);

		cr_assert(h.verdict == PROXY_HEADER_OK && h.relayed &&
		    h.len == len, "%u: %s", i, proxy_fault_text(h.fault));
		cr_assert(endpoint_equal(&h.source, &from) &&
		    endpoint_equal(&h.destination, &to), "%u", i);
	}
}

Test(proxy_header, has_a_text_for_every_fault)
{
	unsigned i, j;

	for (i = 0; i < N_PROXY_FAULTS; i++)
		for (j = 0; j < i; j++)
			cr_expect_str_neq(proxy_fault_text(i),
			    proxy_fault_text(j));
}
