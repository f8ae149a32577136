/* SPDX-License-Identifier: ISC */
#include "translate/lease_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/line_words.h"

enum { SECONDS_DIGITS = 18 };	/* fit 64 bits */

void
lease_line_format(const struct lease_line *lease, char out[LEASE_LINE_MAX])
{
	char v4_text[ADDR_TEXT_MAX], v6_text[ADDR_TEXT_MAX];
	struct addr v4 = addr_of_v4(lease->v4);

	snprintf(out, LEASE_LINE_MAX, "%s %s %" PRIu64 "\n",
	    addr_format(&v4, v4_text), addr_format(&lease->host, v6_text),
	    lease->heard_s);
}

static bool
read_seconds(const struct word *word, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if (word->len > SECONDS_DIGITS)
		return false;
	for (i = 0; i < word->len; i++) {
		if (word->at[i] < '0' || word->at[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(word->at[i] - '0');
	}
	*ret = value;
	return true;
}

enum lease_line_kind
lease_line_parse(const char *line, size_t len, struct lease_line *ret)
{
	struct word rest = line_words_of(line, len), word;
	struct lease_line lease;
	struct addr v4;

	if (!line_words_next(&rest, &word))
		return LEASE_LINE_EMPTY;
	if (!addr_parse(word.at, word.len, &v4) || !addr_is_v4(&v4))
		return LEASE_LINE_BAD;
	lease.v4 = addr_to_v4(&v4);
	if (!line_words_next(&rest, &word) ||
	    !addr_parse(word.at, word.len, &lease.host) ||
	    addr_is_v4(&lease.host))
		return LEASE_LINE_BAD;
	if (!line_words_next(&rest, &word) ||
	    !read_seconds(&word, &lease.heard_s) ||
	    line_words_next(&rest, &word))
		return LEASE_LINE_BAD;
	*ret = lease;
	return LEASE_LINE_LEASE;
}
