/* SPDX-License-Identifier: ISC */
/*
 * fuzz_mapping_line.c - a line of a mapping file: it makes sense, or there is
 * a printable message and nothing else happened.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/mapping_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { LINE_TEXT_MAX = 2048 };

/* The line as text again, with every default spelt out. */
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
		n += (size_t)snprintf(out + n, LINE_TEXT_MAX - n, "%s[%s]",
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
	assert(n < LINE_TEXT_MAX);
}

static void
check_line(const struct mapping_line *line)
{
	char text[LINE_TEXT_MAX], problem[256], name[HOSTNAME_MAX + 1];
	struct mapping_line again;
	size_t name_len;
	unsigned i, j;

	assert(hostname_normalise_pattern((const void *)line->name,
		   line->name_len, name, &name_len) == HOSTNAME_OK);
	assert(name_len == line->name_len && strcmp(name, line->name) == 0);
	assert(line->services != 0 && line->services < 1 << N_SERVICES);
	assert(mapping_flags_fit(line->flags, line->services));
	assert(line->n_targets >= 1 &&
	    line->n_targets <= MAPPING_TARGETS_MAX);
	for (i = 0; i < line->n_targets; i++) {
		assert(!addr_is_v4(&line->target[i]));
		for (j = 0; j < i; j++)
			assert(!addr_equal(&line->target[i],
			    &line->target[j]));
	}
	format(line, text);
	memset(&again, 0xa5, sizeof(again));	/* what is not in use stays */
	assert(mapping_line_parse(text, strlen(text), &again, problem,
	    sizeof(problem)));
	assert(memcmp(line, &again, sizeof(again)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct mapping_line line, before;
	char problem[256];
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	memcpy(&line, &before, sizeof(line));
	memset(problem, 1, sizeof(problem));
	if (mapping_line_parse((const char *)bytes, len, &line, problem,
		sizeof(problem))) {
		if (line.name_len > 0)
			check_line(&line);
		return 0;
	}
	assert(memcmp(&line, &before, sizeof(line)) == 0);
	assert(memchr(problem, '\0', sizeof(problem)) != NULL);
	assert(strstr(problem, ": ") != NULL);
	for (i = 0; problem[i] != '\0'; i++)
		assert(problem[i] >= 0x20 && problem[i] < 0x7f);
	return 0;
}
