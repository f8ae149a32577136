/* SPDX-License-Identifier: ISC */
#include "translate/map_line.h"

#include <stdio.h>
#include <string.h>

#include "common/line_words.h"
#include "common/quote.h"

enum {
	QUOTED_MAX = 160,	/* octets of a message that show the word */
	V4_MAPPED = 96
};

/* Write "setting: "word" text"; a NULL word is left out. */
static enum map_line
bad(char problem[MAP_LINE_PROBLEM_MAX], const char *setting,
    const struct word *word, const char *text)
{
	char quoted[QUOTED_MAX] = "";

	if (word != NULL)
		quote(word->at, word->len, quoted, sizeof(quoted));
	snprintf(problem, MAP_LINE_PROBLEM_MAX, "%s: %s%s%s", setting, quoted,
	    word != NULL ? " " : "", text);
	return MAP_LINE_BAD;
}

/*
 * Is all of it addresses that are no host's elsewhere?  (A wider prefix may
 * hold some: packets to those are refused one by one, or mean nobody.)  As
 * siit_address.c has them, RFC 1812 5.3.7, RFC 3927 7 and RFC 4291 2.5, 2.7.
 */
static bool
is_no_hosts(const struct prefix *prefix)
{
#define V4(a, b, len) \
	{ { { [10] = 0xff, 0xff, a, b } }, V4_MAPPED + (len) }
	static const struct prefix ranges[] = {
		V4(0, 0, 8), V4(127, 0, 8), V4(169, 254, 16), V4(224, 0, 3),
		{ { { 0 } }, 127 },	/* unspecified and loopback */
		{ { { 0xfe, 0x80 } }, 10 },
		{ { { 0xff } }, 8 }
	};
#undef V4
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (prefix_within(prefix, &ranges[i]))
			return true;
	return false;
}

/* Returns a fragment that says what is wrong, or NULL. */
static const char *
read_prefix(const struct word *word, bool v4, struct prefix *ret)
{
	enum prefix_error error = prefix_parse(word->at, word->len, ret);

	if (error != PREFIX_OK)
		return prefix_strerror(error);
	if ((addr_is_v4(&ret->addr) && ret->len >= V4_MAPPED) != v4)
		return v4 ? "is not an IPv4 prefix" : "is not an IPv6 prefix";
	if (is_no_hosts(ret))
		return "can be no host's";
	return NULL;
}

enum map_line
map_line_parse(const char *line, size_t len, struct eam *ret,
    char problem[MAP_LINE_PROBLEM_MAX])
{
	static const char v4_setting[] = "IPv4 prefix";
	static const char v6_setting[] = "IPv6 prefix";
	struct word rest = line_words_of(line, len), v4, v6, more;
	const char *text;
	struct eam eam;

	if (rest.len > MAP_LINE_MAX)
		return bad(problem, "line", NULL, "is too long");
	if (!line_words_next(&rest, &v4))
		return MAP_LINE_EMPTY;
	text = read_prefix(&v4, true, &eam.v4);
	if (text != NULL)
		return bad(problem, v4_setting, &v4, text);
	if (!line_words_next(&rest, &v6))
		return bad(problem, v6_setting, NULL, "is missing");
	text = read_prefix(&v6, false, &eam.v6);
	if (text != NULL)
		return bad(problem, v6_setting, &v6, text);
	if (line_words_next(&rest, &more))
		return bad(problem, "line", &more, "is one word too many");
	if (eam.v4.len < eam.v6.len)
		return bad(problem, v6_setting, &v6,
		    "has fewer addresses than the IPv4 prefix");
	*ret = eam;
	return MAP_LINE_EAM;
}
