/* SPDX-License-Identifier: ISC */
/*
 * fuzz_map_line.c - a line of explicit address mappings, and the same as a
 * lease of a dynamic pool: it makes sense, or there is a printable message
 * and nothing else happened.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "translate/lease_line.h"
#include "translate/map_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_eam(const struct eam *eam)
{
	static const struct siphash_key key = { { 1 } };
	char v4[PREFIX_TEXT_MAX], v6[PREFIX_TEXT_MAX];
	char line[2 * PREFIX_TEXT_MAX], problem[MAP_LINE_PROBLEM_MAX];
	struct address_map_problem trouble;
	struct address_map *map;
	struct eam again;
	struct addr addr;
	uint32_t back;

	snprintf(line, sizeof(line), "%s %s", prefix_format(&eam->v4, v4),
	    prefix_format(&eam->v6, v6));
	assert(map_line_parse(line, strlen(line), &again, problem) ==
	    MAP_LINE_EAM);
	assert(memcmp(eam, &again, sizeof(again)) == 0);
	map = address_map_new(eam, 1, NULL, 0, &key, &trouble);
	assert(map != NULL);
	assert(address_map_4to6(map, addr_to_v4(&eam->v4.addr), &addr) ==
	    ADDRESS_BY_EAM);
	assert(addr_equal(&addr, &eam->v6.addr));
	assert(address_map_6to4(map, &addr, &back) == ADDRESS_BY_EAM);
	assert(back == addr_to_v4(&eam->v4.addr));
	address_map_free(map);
}

static void
check_lease(const char *text, size_t len)
{
	struct lease_line lease, again;
	char line[LEASE_LINE_MAX];

	if (lease_line_parse(text, len, &lease) != LEASE_LINE_LEASE)
		return;
	lease_line_format(&lease, line);
	assert(lease_line_parse(line, strlen(line), &again) ==
	    LEASE_LINE_LEASE);
	assert(lease.v4 == again.v4 && lease.heard_s == again.heard_s &&
	    addr_equal(&lease.host, &again.host));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char problem[MAP_LINE_PROBLEM_MAX];
	struct eam eam, before;
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	memcpy(&eam, &before, sizeof(eam));
	memset(problem, 1, sizeof(problem));
	check_lease((const char *)bytes, len);
	switch (map_line_parse((const char *)bytes, len, &eam, problem)) {
	case MAP_LINE_EAM:
		check_eam(&eam);
		return 0;
	case MAP_LINE_EMPTY:
		break;
	case MAP_LINE_BAD:
		assert(memchr(problem, '\0', sizeof(problem)) != NULL);
		assert(strstr(problem, ": ") != NULL);
		for (i = 0; problem[i] != '\0'; i++)
			assert(problem[i] >= ' ' && problem[i] < 0x7f);
		break;
	}
	assert(memcmp(&eam, &before, sizeof(eam)) == 0);
	return 0;
}
