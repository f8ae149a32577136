/* SPDX-License-Identifier: ISC */
#include "jumpd/permit.h"

#include <stdlib.h>
#include <string.h>

enum permit_kind {
	PERMIT_ANY,
	PERMIT_NAME,
	PERMIT_PREFIX
};

struct permit_rule {
	enum permit_kind kind;
	uint16_t	port;		/* 0: any */
	uint16_t	name_at;	/* NAME: place in permit_list.names */
	uint8_t		name_len;
	struct prefix	prefix;		/* PREFIX */
};

struct permit_list {
	uint32_t	n;		/* rules */
	uint32_t	room;
	uint32_t	names_len;
	uint32_t	names_room;
	struct permit_rule *rule;	/* owned */
	char		*names;		/* owned; no NULs between */
};

void
permit_free(struct permit_list *list)
{
	if (list == NULL)
		return;
	free(list->rule);
	free(list->names);
	free(list);
}

/* 1-65535 or "*". */
static bool
parse_port(const char *text, size_t len, uint16_t *ret)
{
	uint32_t port = 0;
	size_t i;

	if (len == 1 && text[0] == '*') {
		*ret = 0;
		return true;
	}
	if (len == 0 || len > 5 || text[0] == '0')
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = 10 * port + (uint32_t)(text[i] - '0');
	}
	if (port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* A host: its name, if it is one, goes to name[]. */
static bool
parse_host(const char *text, size_t len, bool bracketed,
    struct permit_rule *rule, char name[HOSTNAME_MAX + 1])
{
	size_t name_len;

	if (len == 1 && text[0] == '*') {
		rule->kind = PERMIT_ANY;
		return true;
	}
	if (prefix_parse(text, len, &rule->prefix) == PREFIX_OK) {
		rule->kind = PERMIT_PREFIX;
		/* "::1:22" could be read in two ways. */
		return bracketed || memchr(text, ':', len) == NULL;
	}
	if (hostname_normalise((const uint8_t *)text, len, name, &name_len) !=
	    HOSTNAME_OK)
		return false;
	rule->kind = PERMIT_NAME;
	rule->name_len = (uint8_t)name_len;
	return true;
}

/* One element, HOST:PORT or [HOST]:PORT. */
static bool
parse_element(const char *text, size_t len, struct permit_rule *rule,
    char name[HOSTNAME_MAX + 1])
{
	const char *host = text;
	size_t host_len, colon = len;
	bool bracketed = len > 0 && text[0] == '[';

	while (colon > 0 && text[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	host_len = colon - 1;
	if (bracketed) {
		if (host_len < 3 || text[host_len - 1] != ']')
			return false;
		host++;
		host_len -= 2;
	}
	return parse_host(host, host_len, bracketed, rule, name) &&
	    parse_port(text + colon, len - colon, &rule->port);
}

/* Make room for one more rule and its name. */
static bool
grow(struct permit_list *list, size_t name_len)
{
	struct permit_rule *rule;
	uint32_t more;
	char *names;

	if (list->n == list->room) {
		more = list->room + 8;
		rule = reallocarray(list->rule, more, sizeof(*rule));
		if (rule == NULL)
			return false;
		list->rule = rule;
		list->room = more;
	}
	if (list->names_len + name_len > list->names_room) {
		more = list->names_room + HOSTNAME_MAX;
		names = realloc(list->names, more);
		if (names == NULL)
			return false;
		list->names = names;
		list->names_room = more;
	}
	return true;
}

static bool
append(struct permit_list *list, struct permit_rule *rule, const char *name)
{
	if (!grow(list, rule->name_len))
		return false;
	if (rule->name_len > 0) {
		rule->name_at = (uint16_t)list->names_len;
		memcpy(list->names + list->names_len, name, rule->name_len);
		list->names_len += rule->name_len;
	}
	list->rule[list->n++] = *rule;
	return true;
}

/* All elements of the text; returns false as permit_add does. */
static bool
add_elements(struct permit_list *list, const char *text, size_t len,
    bool *ret_memory)
{
	char name[HOSTNAME_MAX + 1];
	const char *comma;
	size_t n;

	for (;;) {
		struct permit_rule rule = { 0 };

		comma = memchr(text, ',', len);
		n = comma != NULL ? (size_t)(comma - text) : len;
		if (list->n == PERMIT_RULES_MAX ||
		    !parse_element(text, n, &rule, name))
			return false;
		if (!append(list, &rule, name)) {
			*ret_memory = true;
			return false;
		}
		if (comma == NULL)
			return true;
		text += n + 1;
		len -= n + 1;
	}
}

bool
permit_add(struct permit_list **list, const char *text, size_t len,
    bool *ret_memory)
{
	struct permit_list *to = *list;
	uint32_t n, names_len;

	*ret_memory = false;
	if (len == 0 || len > PERMIT_TEXT_MAX)
		return false;
	if (to == NULL && (to = calloc(1, sizeof(*to))) == NULL) {
		*ret_memory = true;
		return false;
	}
	n = to->n;
	names_len = to->names_len;
	if (add_elements(to, text, len, ret_memory)) {
		*list = to;
		return true;
	}
	to->n = n;
	to->names_len = names_len;
	if (*list == NULL)
		permit_free(to);
	return false;
}

static bool
same_port(const struct permit_rule *rule, const struct jump_target *asked)
{
	return rule->port == 0 || rule->port == asked->port;
}

static bool
same_name(const struct permit_list *list, const struct permit_rule *rule,
    const struct jump_target *asked)
{
	return asked->kind == JUMP_TARGET_NAME &&
	    asked->name_len == rule->name_len &&
	    memcmp(list->names + rule->name_at, asked->name,
		rule->name_len) == 0;
}

bool
permit_check(const struct permit_list *list, const struct jump_target *asked,
    const struct addr *to)
{
	const struct permit_rule *rule;
	uint32_t i;

	if (list == NULL)
		return true;
	for (i = 0; i < list->n; i++) {
		rule = &list->rule[i];
		if (!same_port(rule, asked))
			continue;
		if (rule->kind == PERMIT_ANY ||
		    (rule->kind == PERMIT_NAME &&
			same_name(list, rule, asked)) ||
		    (rule->kind == PERMIT_PREFIX &&
			!addr_is_v4(&rule->prefix.addr) &&
			prefix_contains(&rule->prefix, to)))
			return true;
	}
	return false;
}

bool
permit_may(const struct permit_list *list, const struct jump_target *asked)
{
	const struct permit_rule *rule;
	uint32_t i;

	if (list == NULL)
		return true;
	for (i = 0; i < list->n; i++) {
		rule = &list->rule[i];
		if (same_port(rule, asked) && (rule->kind == PERMIT_PREFIX ||
		    rule->kind == PERMIT_ANY ||
		    same_name(list, rule, asked)))
			return true;
	}
	return false;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* '*' and '?'; linear in both but for one step back to the last '*'. */
static bool
wildcard_matches(const char *pattern, size_t len, const char *text)
{
	size_t p = 0, star = SIZE_MAX;
	const char *resume = text;

	while (*text != '\0') {
		if (p < len && pattern[p] == '*') {
			star = p++;
			resume = text;
		} else if (p < len && (pattern[p] == '?' ||
			lower(pattern[p]) == lower(*text))) {
			p++;
			text++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			text = ++resume;
		} else
			return false;
	}
	while (p < len && pattern[p] == '*')
		p++;
	return p == len;
}

/* A prefix holds addresses of its own family only: "::/0" no IPv4. */
static bool
family_contains(const struct prefix *prefix, const struct addr *addr)
{
	bool v4 = prefix->len >= 96 && addr_is_v4(&prefix->addr);

	return v4 == addr_is_v4(addr) && prefix_contains(prefix, addr);
}

static enum from_match
pattern_matches(const char *pattern, size_t len, const struct addr *client)
{
	char text[ADDR_TEXT_MAX];
	struct prefix prefix;

	if (prefix_parse(pattern, len, &prefix) == PREFIX_OK)
		return family_contains(&prefix, client) ? FROM_MATCH :
							  FROM_NO_MATCH;
	if (len == 0 || memchr(pattern, '/', len) != NULL)
		return FROM_MALFORMED;
	return wildcard_matches(pattern, len, addr_format(client, text)) ?
	    FROM_MATCH :
	    FROM_NO_MATCH;
}

/* The list without its first element, which goes to *ret. */
static const char *
next_element(const char *list, size_t *len, const char **ret, size_t *ret_len)
{
	const char *comma = memchr(list, ',', *len);

	*ret = list;
	*ret_len = comma != NULL ? (size_t)(comma - list) : *len;
	*len -= *ret_len + (comma != NULL ? 1 : 0);
	return comma != NULL ? comma + 1 : NULL;
}

enum from_match
from_check(const char *patterns, size_t len, const struct addr *client)
{
	enum from_match answer = FROM_NO_MATCH, one;
	const char *element;
	bool negated, refused = false;
	size_t n;

	do {
		patterns = next_element(patterns, &len, &element, &n);
		negated = n > 0 && element[0] == '!';
		one = pattern_matches(element + negated, n - negated, client);
		if (one == FROM_MALFORMED)
			return one;
		if (one == FROM_MATCH && negated)
			refused = true;
		else if (one == FROM_MATCH)
			answer = one;
	} while (patterns != NULL);
	return refused ? FROM_NO_MATCH : answer;
}

enum from_match
source_address_check(const char *list, size_t len, const struct addr *client)
{
	enum from_match answer = FROM_NO_MATCH;
	const char *element;
	struct prefix prefix;
	size_t n;

	do {
		list = next_element(list, &len, &element, &n);
		if (prefix_parse(element, n, &prefix) != PREFIX_OK)
			return FROM_MALFORMED;
		if (family_contains(&prefix, client))
			answer = FROM_MATCH;
	} while (list != NULL);
	return answer;
}
