/* SPDX-License-Identifier: ISC */
#include "jumpd/target.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

Test(jump_target, is_an_ipv6_address_or_a_name)
{
	static const struct {
		const char		*host;
		enum deny_reason	 reason;
		const char		*text;
	} cases[] = {
		{ "2001:db8::1", DENY_NONE, "[2001:db8::1]:22" },
		{ "[2001:db8::1]", DENY_NONE, "[2001:db8::1]:22" },
		{ "2001:DB8:0:0::1", DENY_NONE, "[2001:db8::1]:22" },
		{ "2001:db8::192.0.2.1", DENY_NONE,
		    "[2001:db8::c000:201]:22" },
		{ "VM1.Example.com.", DENY_NONE, "vm1.example.com:22" },
		{ "localhost", DENY_NONE, "localhost:22" },
		{ "_x.example", DENY_NONE, "_x.example:22" },
		/* for egress.h to refuse */
		{ "::1", DENY_NONE, "[::1]:22" },
		{ "::", DENY_NONE, "[::]:22" },
		{ "fe80::1", DENY_NONE, "[fe80::1]:22" },
		{ "64:ff9b::192.0.2.1", DENY_NONE, "[64:ff9b::c000:201]:22" },

		{ "192.0.2.1", DENY_TARGET_IPV4, NULL },
		{ "127.1", DENY_TARGET_IPV4, NULL },
		{ "0x7f000001", DENY_TARGET_IPV4, NULL },
		{ "2130706433", DENY_TARGET_IPV4, NULL },
		{ "0177.0.0.1", DENY_TARGET_IPV4, NULL },
		{ "192.0.2.1.", DENY_TARGET_IPV4, NULL },
		{ "::ffff:192.0.2.1", DENY_TARGET_IPV4, NULL },
		{ "[::ffff:c000:201]", DENY_TARGET_IPV4, NULL },
		{ "::192.0.2.1", DENY_TARGET_IPV4, NULL },
		{ "::7f00:1", DENY_TARGET_IPV4, NULL },
		{ "[192.0.2.1]", DENY_TARGET_SYNTAX, NULL },

		{ "fe80::1%eth0", DENY_TARGET_ZONE, NULL },
		{ "[fe80::1%1]", DENY_TARGET_ZONE, NULL },
		{ "fe80::1%", DENY_TARGET_ZONE, NULL },

		{ "", DENY_TARGET_SYNTAX, NULL },
		{ "[]", DENY_TARGET_SYNTAX, NULL },
		{ "[", DENY_TARGET_SYNTAX, NULL },
		{ "[2001:db8::1", DENY_TARGET_SYNTAX, NULL },
		{ "2001:db8::1]", DENY_TARGET_SYNTAX, NULL },
		{ "[[2001:db8::1]]", DENY_TARGET_SYNTAX, NULL },
		{ "[2001:db8::1]:22", DENY_TARGET_SYNTAX, NULL },
		{ "[vm1]", DENY_TARGET_SYNTAX, NULL },
		{ "vm1:22", DENY_TARGET_SYNTAX, NULL },
		{ "vm1%eth0", DENY_TARGET_SYNTAX, NULL },
		{ ":::", DENY_TARGET_SYNTAX, NULL },
		{ "2001:db8::1/64", DENY_TARGET_SYNTAX, NULL },
		{ " vm1", DENY_TARGET_SYNTAX, NULL },
		{ "vm1\n", DENY_TARGET_SYNTAX, NULL },
		{ "vm..1", DENY_TARGET_SYNTAX, NULL },
		{ "-vm", DENY_TARGET_SYNTAX, NULL },
		{ "*.example.com", DENY_TARGET_SYNTAX, NULL },
		{ "v\xc3\xbcm", DENY_TARGET_SYNTAX, NULL },
		{ "/run/socket", DENY_TARGET_SYNTAX, NULL },
		{ LABEL_63 "a.example", DENY_TARGET_SYNTAX, NULL },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".a",
		    DENY_TARGET_SYNTAX, NULL },
	};
	char text[JUMP_TARGET_TEXT_MAX];
	struct jump_target t;
	enum deny_reason reason;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reason = jump_target_parse(cases[i].host,
		    strlen(cases[i].host), 22, &t);
		cr_expect_eq(reason, cases[i].reason, "%s: %s",
		    cases[i].host, deny_reason_label(reason));
		if (reason == DENY_NONE && cases[i].text != NULL)
			cr_expect_str_eq(jump_target_format(&t, text),
			    cases[i].text);
	}
}

Test(jump_target, has_no_nul_in_it)
{
	static const char nul[] = "vm1.example.com\0.evil.example";
	struct jump_target t;

	cr_expect_eq(jump_target_parse(nul, sizeof(nul) - 1, 22, &t),
	    DENY_TARGET_SYNTAX);
	cr_expect_eq(jump_target_parse("2001:db8::1\0", 12, 22, &t),
	    DENY_TARGET_SYNTAX);
	cr_expect_eq(jump_target_parse("\0", 1, 22, &t), DENY_TARGET_SYNTAX);
}

Test(jump_target, has_a_port)
{
	struct jump_target t;

	cr_expect_eq(jump_target_parse("vm1", 3, 0, &t), DENY_TARGET_PORT);
	cr_expect_eq(jump_target_parse("vm1", 3, 1, &t), DENY_NONE);
	cr_expect_eq(jump_target_parse("vm1", 3, 65535, &t), DENY_NONE);
	cr_expect_eq(t.port, 65535);
	cr_expect_eq(jump_target_parse("vm1", 3, 65536, &t),
	    DENY_TARGET_PORT);
	cr_expect_eq(jump_target_parse("vm1", 3, 65536 + 22, &t),
	    DENY_TARGET_PORT);
	cr_expect_eq(jump_target_parse("vm1", 3, UINT32_MAX, &t),
	    DENY_TARGET_PORT);
}

static void
is_sane(const uint8_t *bytes, size_t len, void *arg)
{
	struct jump_target t, before;

	(void)arg;
	memset(&before, 0xa5, sizeof(before));
	memcpy(&t, &before, sizeof(t));
	if (jump_target_parse(bytes, len, 22, &t) != DENY_NONE) {
		cr_assert_eq(memcmp(&t, &before, sizeof(t)), 0);
		return;
	}
	cr_assert_eq(t.port, 22);
	cr_assert(t.kind == JUMP_TARGET_ADDRESS ? !addr_is_v4(&t.addr) :
						  t.name_len > 0);
}

Test(jump_target, survives_every_cut_and_bit_flip)
{
	static const char *const good[] = { "[2001:db8::1]",
		"64:ff9b::192.0.2.33", "vm1.example.com", "fe80::1%eth0" };
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		hostile_cuts(good[i], strlen(good[i]), is_sane, NULL);
		hostile_bit_flips(good[i], strlen(good[i]), is_sane, NULL);
	}
}
