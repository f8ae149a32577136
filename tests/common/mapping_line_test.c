/* SPDX-License-Identifier: ISC */
#include "common/mapping_line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/hostile.h"

enum { LINE_TEXT_MAX = 2048 };

/* A line as text again, with every default spelt out. */
static void
format(const struct mapping_line *line, char out[LINE_TEXT_MAX])
{
	static const char *const flags[] = { "proxy=v1", "proxy=v2",
		"source=embed", "forwarded=yes" };
	char addr[ADDR_TEXT_MAX];
	const char *before = " services=";
	size_t n;
	unsigned i;
	enum service s;

	n = (size_t)snprintf(out, LINE_TEXT_MAX, "%s ", line->name);
	for (i = 0; i < line->n_targets; i++)
		n += (size_t)snprintf(out + n, LINE_TEXT_MAX - n, "%s%s",
		    i > 0 ? "," : "", addr_format(&line->target[i], addr));
	for (s = 0; s < N_SERVICES; s++) {
		if ((line->services >> s & 1) == 0)
			continue;
		n += (size_t)snprintf(out + n, LINE_TEXT_MAX - n, "%s%s",
		    before, service_name(s));
		before = ",";
	}
	for (s = 0; s < N_SERVICES; s++) {
		if (line->port[s] != 0)
			n += (size_t)snprintf(out + n, LINE_TEXT_MAX - n,
			    " %s=%u", service_name(s), line->port[s]);
	}
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((line->flags >> i & 1) != 0)
			n += (size_t)snprintf(out + n, LINE_TEXT_MAX - n,
			    " %s", flags[i]);
	}
	cr_assert_lt(n, LINE_TEXT_MAX);
}

Test(mapping_line, reads_what_the_manual_shows)
{
	static const struct {
		const char *line, *same;
	} cases[] = {
		{ "www.example.com     2001:db8::aa64",
		    "www.example.com 2001:db8::aa64 services=http,https,ssh" },
		{ "*.example.org\t2001:db8::bb,2001:db8::bc  https=8443",
		    "*.example.org 2001:db8::bb,2001:db8::bc "
		    "services=http,https,ssh https=8443" },
		{ "shop.example.net [2001:db8::cc] services=https",
		    "shop.example.net 2001:db8::cc services=https" },
		{ "  Shop.Example.NET.  2001:DB8:0::CC  # ours",
		    "shop.example.net 2001:db8::cc services=http,https,ssh" },
		{ "a.example 2001:db8::1 services=ssh,http ssh=2222 http=81",
		    "a.example 2001:db8::1 services=http,ssh http=81 "
		    "ssh=2222" },
		{ "a.example 2001:db8::1 http=1 https=65535 ssh=00022",
		    "a.example 2001:db8::1 services=http,https,ssh http=1 "
		    "https=65535 ssh=22" },
		{ "a.example ::1 proxy=v2 https=8443",
		    "a.example ::1 services=http,https,ssh https=8443 "
		    "proxy=v2" },
		{ "a.example ::1 services=https source=embed proxy=v1",
		    "a.example ::1 services=https proxy=v1 source=embed" },
		{ "a.example ::1 forwarded=yes services=http",
		    "a.example ::1 services=http forwarded=yes" },
		{ "a.example ::1 forwarded=no",
		    "a.example ::1 services=http,https,ssh" },
		{ "a.example ::1 services=ssh source=embed",
		    "a.example ::1 services=ssh source=embed" },
		{ "a.example ::1 forwarded=yes source=embed proxy=v2",
		    "a.example ::1 services=http,https,ssh proxy=v2 "
		    "source=embed forwarded=yes" },
		{ "xn--bcher-kva.example ::1 #", "xn--bcher-kva.example ::1 "
						 "services=http,https,ssh" },
		{ "_a.b 64:ff9b::1,[64:ff9b::2],::3 \t ",
		    "_a.b 64:ff9b::1,64:ff9b::2,::3 "
		    "services=http,https,ssh" },
	};
	static const char *const endings[] = { "", "\n", "\r\n", "\r" };
	struct mapping_line line;
	char text[LINE_TEXT_MAX], problem[256], with[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t e = 0; e < 4; e++) {
			snprintf(with, sizeof(with), "%s%s", cases[i].line,
			    endings[e]);
			cr_assert(mapping_line_parse(with, strlen(with), &line,
				      problem, sizeof(problem)),
			    "%s: %s", cases[i].line, problem);
			format(&line, text);
			cr_assert_str_eq(text, cases[i].same);
			cr_assert_eq(line.name_len, strlen(line.name));
		}
	}
}

Test(mapping_line, ignores_blank_lines_and_comments)
{
	static const char *const lines[] = { "", "\n", "\r\n", " ", "\t \n",
		"#", "# name target", "  # 1.2.3.4 = x", "#\xff\x01" };
	struct mapping_line line;
	char problem[64];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memset(&line, 0xa5, sizeof(line));
		cr_assert(mapping_line_parse(lines[i], strlen(lines[i]), &line,
			      problem, sizeof(problem)),
		    "%s", lines[i]);
		cr_assert_eq(line.name_len, 0, "%s", lines[i]);
	}
}

Test(mapping_line, says_what_is_wrong_with_which_setting)
{
	static const struct {
		const char *line, *problem;
	} cases[] = {
		{ "1.2.3.4 ::1",
		    "name: \"1.2.3.4\" is an IP address, not a name" },
		{ "[::1] ::1", "name: \"[::1]\" is an IP address, not a name" },
		{ "a..b ::1", "name: \"a..b\" has an empty label" },
		{ "a.*.b ::1", "name: \"a.*.b\" has a character that no host "
			       "name has" },
		{ "* ::1", "name: \"*\" has a character that no host name "
			   "has" },
		{ "*. ::1", "name: \"*.\" has an empty label" },
		{ "a#b ::1", "name: \"a#b\" has a character that no host name "
			     "has" },
		{ "b\xc3\xbc ::1", "name: \"b\\xc3\\xbc\" is not ASCII; write "
				   "its A-label (xn--...)" },
		{ "a.example", "target: none given for a.example" },
		{ "a.example # ::1", "target: none given for a.example" },
		{ "a.example 192.0.2.1",
		    "target: \"192.0.2.1\" is not an IPv6 address" },
		{ "a.example ::ffff:192.0.2.1",
		    "target: \"::ffff:192.0.2.1\" is not an IPv6 address" },
		{ "a.example fe80::1%eth0",
		    "target: \"fe80::1%eth0\" is not an IPv6 address" },
		{ "a.example [::1", "target: \"[::1\" is not an IPv6 address" },
		{ "a.example []", "target: \"[]\" is not an IPv6 address" },
		{ "a.example [", "target: \"[\" is not an IPv6 address" },
		{ "a.example [::1]:80",
		    "target: \"[::1]:80\" is not an IPv6 address; give ports "
		    "as http=PORT, https=PORT, ssh=PORT" },
		{ "a.example ::1, ::2",
		    "target: \"::1,\" has a comma without an address" },
		{ "a.example ,::1",
		    "target: \",::1\" has a comma without an address" },
		{ "a.example ::1,[::0:1]",
		    "target: \"[::0:1]\" is given twice" },
		{ "a.example ::1 ::2", "option: \"::2\" is not OPTION=VALUE" },
		{ "a.example ::1\r ::2",
		    "target: \"::1\\x0d\" is not an IPv6 address" },
		{ "a.example ::1 speed=9", "option: \"speed\" is unknown" },
		{ "a.example ::1 HTTP=9", "option: \"HTTP\" is unknown" },
		{ "a.example ::1 =9", "option: \"\" is unknown" },
		{ "a.example ::1 services=",
		    "services: \"\" is none of http, https, ssh" },
		{ "a.example ::1 services=http,",
		    "services: \"\" is none of http, https, ssh" },
		{ "a.example ::1 services=smtp",
		    "services: \"smtp\" is none of http, https, ssh" },
		{ "a.example ::1 services=ssh,ssh",
		    "services: \"ssh\" is given twice" },
		{ "a.example ::1 services=ssh services=http",
		    "services: given twice" },
		{ "a.example ::1 http=0",
		    "http: \"0\" is not a port (1-65535)" },
		{ "a.example ::1 http=",
		    "http: \"\" is not a port (1-65535)" },
		{ "a.example ::1 https=65536",
		    "https: \"65536\" is not a port (1-65535)" },
		{ "a.example ::1 https=4294967376",
		    "https: \"4294967376\" is not a port (1-65535)" },
		{ "a.example ::1 ssh=+22",
		    "ssh: \"+22\" is not a port (1-65535)" },
		{ "a.example ::1 ssh=22 ssh=22", "ssh: given twice" },
		{ "a.example ::1 ssh=22 services=http",
		    "ssh: a port for what services= leaves out" },
		{ "a.example ::1 proxy=v3",
		    "proxy: \"v3\" is neither v1 nor v2" },
		{ "a.example ::1 proxy=v1,v2",
		    "proxy: \"v1,v2\" is neither v1 nor v2" },
		{ "a.example ::1 proxy=",
		    "proxy: \"\" is neither v1 nor v2" },
		{ "a.example ::1 proxy=v1 proxy=v2", "proxy: given twice" },
		{ "a.example ::1 proxy=v2 proxy=v2", "proxy: given twice" },
		{ "a.example ::1 proxy=v2 services=ssh",
		    "proxy: is for http and https, which services= leaves "
		    "out" },
		{ "a.example ::1 source=::2",
		    "source: \"::2\" is not embed" },
		{ "a.example ::1 source=embed source=embed",
		    "source: given twice" },
		{ "a.example ::1 forwarded=1",
		    "forwarded: \"1\" is neither yes nor no" },
		{ "a.example ::1 forwarded=no forwarded=yes",
		    "forwarded: given twice" },
		{ "a.example ::1 services=https,ssh forwarded=yes",
		    "forwarded: is for http, which services= leaves out" },
		{ "a.example ::1 forwarded=no services=ssh",
		    "forwarded: is for http, which services= leaves out" },
	};
	struct mapping_line line, before;
	char problem[256];

	memset(&line, 0xa5, sizeof(line));
	before = line;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_not(mapping_line_parse(cases[i].line,
				  strlen(cases[i].line), &line, problem,
				  sizeof(problem)),
		    "%s", cases[i].line);
		cr_assert_str_eq(problem, cases[i].problem);
		cr_assert_eq(memcmp(&line, &before, sizeof(line)), 0, "%s",
		    cases[i].line);
	}
}

Test(mapping_line, has_at_most_4096_octets_and_16_targets)
{
	char text[MAPPING_LINE_MAX + 3], problem[256];
	struct mapping_line line;
	size_t n;

	memset(text, ' ', sizeof(text));
	memcpy(text, "a.b ::1", 7);
	cr_assert(mapping_line_parse(text, MAPPING_LINE_MAX, &line, problem,
	    sizeof(problem)));
	cr_assert_not(mapping_line_parse(text, MAPPING_LINE_MAX + 1, &line,
	    problem, sizeof(problem)));
	cr_assert_str_eq(problem, "line: longer than 4096 octets");
	memcpy(text + MAPPING_LINE_MAX, "\r\n", 2);
	cr_assert(mapping_line_parse(text, MAPPING_LINE_MAX + 2, &line,
	    problem, sizeof(problem)));

	n = (size_t)snprintf(text, sizeof(text), "a.b ::1");
	for (unsigned i = 2; i <= MAPPING_TARGETS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",::%x", i);
	cr_assert(mapping_line_parse(text, n, &line, problem,
	    sizeof(problem)));
	cr_assert_eq(line.n_targets, MAPPING_TARGETS_MAX);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ",::ffff");
	cr_assert_not(mapping_line_parse(text, n, &line, problem,
	    sizeof(problem)));
	cr_assert_str_eq(problem, "target: more than 16");
}

Test(mapping_line, cuts_its_message_to_the_room)
{
	static const char whole[] =
	    "target: \"192.0.2.1\" is not an IPv6 address";
	struct mapping_line line;
	char problem[64];

	for (size_t room = 1; room <= sizeof(whole) + 1; room++) {
		memset(problem, '~', sizeof(problem));
		cr_assert_not(mapping_line_parse("a.b 192.0.2.1", 13, &line,
		    problem, room));
		cr_assert_eq(strlen(problem), room - 1 < strlen(whole) ?
			room - 1 : strlen(whole));
		cr_assert_eq(memcmp(problem, whole, strlen(problem)), 0);
		cr_assert_eq(problem[room], '~');
	}
}

/* Whatever the bytes are: a line that makes sense, or a printable message. */
static void
parse_hostile(const uint8_t *bytes, size_t len, void *arg)
{
	struct mapping_line line = { .name_len = 0 }, again = line;
	char problem[256] = "", text[LINE_TEXT_MAX], name[HOSTNAME_MAX + 1];
	size_t name_len;
	unsigned *n_good = arg;

	if (!mapping_line_parse((const char *)bytes, len, &line, problem,
		sizeof(problem))) {
		cr_assert_neq(problem[0], '\0');
		for (const char *c = problem; *c != '\0'; c++)
			cr_assert(*c >= 0x20 && *c < 0x7f);
		return;
	}
	(*n_good)++;
	if (line.name_len == 0)
		return;
	cr_assert_eq(hostname_normalise_pattern((uint8_t *)line.name,
			 line.name_len, name, &name_len),
	    HOSTNAME_OK);
	cr_assert_str_eq(name, line.name);
	format(&line, text);
	cr_assert(mapping_line_parse(text, strlen(text), &again, problem,
		      sizeof(problem)),
	    "%s: %s", text, problem);
	cr_assert_eq(memcmp(&line, &again, sizeof(line)), 0, "%s", text);
}

Test(mapping_line, survives_every_cut_and_bit_flip)
{
	static const char good[] =
	    "*.example.com [2001:db8::1],2001:db8:0:1::2\tservices=http,https "
	    "https=8443 proxy=v1 source=embed forwarded=yes # comment\r\n";
	unsigned n_good = 0;

	hostile_cuts(good, strlen(good), parse_hostile, &n_good);
	hostile_bit_flips(good, strlen(good), parse_hostile, &n_good);
	/* So many that the good ones were looked at too. */
	cr_assert_gt(n_good, 100);
}
