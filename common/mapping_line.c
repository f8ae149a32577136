/* SPDX-License-Identifier: ISC */
#include "common/mapping_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/line_words.h"
#include "common/quote.h"

enum {
	ALL_SERVICES = (1 << N_SERVICES) - 1,
	QUOTED_MAX = 160,	/* octets of a message that show the word */
	TEXT_MAX = HOSTNAME_MAX + 64	/* octets of the rest */
};

struct parser {
	struct word	 rest;		/* of the line */
	struct mapping_line line;	/* as far as it has been read */
	bool		 has_services, has_forwarded;
	char		*problem;	/* borrowed from the caller */
	size_t		 room;
};

/* Write "setting: "word" text"; a NULL word is left out.  Returns false. */
static bool __attribute__((format(printf, 4, 5)))
fail(struct parser *p, const char *setting, const struct word *word,
    const char *fmt, ...)
{
	char quoted[QUOTED_MAX] = "", text[TEXT_MAX];
	va_list args;

	if (word != NULL)
		quote(word->at, word->len, quoted, sizeof(quoted));
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(p->problem, p->room, "%s: %s%s", setting, quoted, text);
	return false;
}

/*
 * Cut the first element off a comma-separated list.  The caller stops after
 * the one that leaves the list with a NULL `at`.
 */
static struct word
next_element(struct word *list)
{
	struct word element = *list;
	const char *comma = memchr(list->at, ',', list->len);

	if (comma == NULL) {
		*list = (struct word) { NULL, 0 };
	} else {
		element.len = (size_t)(comma - list->at);
		list->at = comma + 1;
		list->len -= element.len + 1;
	}
	return element;
}

static bool
word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) &&
	    memcmp(word->at, text, word->len) == 0;
}

/* Which service the word names; N_SERVICES if none. */
static enum service
service_of(const struct word *word)
{
	enum service s;

	for (s = 0; s < N_SERVICES; s++) {
		if (word_is(word, service_name(s)))
			break;
	}
	return s;
}

/* --- name and targets --------------------------------------------------- */

static bool
read_name(struct parser *p, const struct word *word)
{
	enum hostname_error error = hostname_normalise_pattern(
	    (const void *)word->at, word->len, p->line.name,
	    &p->line.name_len);

	if (error != HOSTNAME_OK)
		return fail(p, "name", word, " %s", hostname_strerror(error));
	return true;
}

static bool
read_target(struct parser *p, struct word word)
{
	struct mapping_line *line = &p->line;
	struct word literal = word;
	struct addr addr;
	unsigned i;

	if (word.at[0] == '[' && word.at[word.len - 1] == ']') {
		literal.at++;
		literal.len -= 2;
	}
	if (!addr_parse(literal.at, literal.len, &addr) || addr_is_v4(&addr))
		return fail(p, "target", &word, " is not an IPv6 address%s",
		    memmem(word.at, word.len, "]:", 2) != NULL ?
			"; give ports as http=PORT, https=PORT, ssh=PORT" :
			"");
	for (i = 0; i < line->n_targets; i++) {
		if (addr_equal(&line->target[i], &addr))
			return fail(p, "target", &word, " is given twice");
	}
	if (line->n_targets == MAPPING_TARGETS_MAX)
		return fail(p, "target", NULL, "more than %d",
		    MAPPING_TARGETS_MAX);
	line->target[line->n_targets++] = addr;
	return true;
}

static bool
read_targets(struct parser *p, const struct word *word)
{
	struct word rest = *word, element;

	while (rest.at != NULL) {
		element = next_element(&rest);
		if (element.len == 0)
			return fail(p, "target", word,
			    " has a comma without an address");
		if (!read_target(p, element))
			return false;
	}
	return true;
}

/* --- options ------------------------------------------------------------ */

static bool
read_services(struct parser *p, const struct word *value)
{
	struct word rest = *value, element;
	enum service s;

	if (p->has_services)
		return fail(p, "services", NULL, "given twice");
	p->has_services = true;
	while (rest.at != NULL) {
		element = next_element(&rest);
		s = service_of(&element);
		if (s == N_SERVICES)
			return fail(p, "services", &element,
			    " is none of http, https, ssh");
		if ((p->line.services >> s & 1) != 0)
			return fail(p, "services", &element,
			    " is given twice");
		p->line.services |= (uint8_t)(1u << s);
	}
	return true;
}

static bool
read_port(struct parser *p, enum service s, const struct word *value)
{
	uint32_t port = 0;
	size_t i;

	for (i = 0; i < value->len && i < 6; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			break;
		port = port * 10 + (uint32_t)(value->at[i] - '0');
	}
	if (i < value->len || port == 0 || port > UINT16_MAX)
		return fail(p, service_name(s), value,
		    " is not a port (1-65535)");
	if (p->line.port[s] != 0)
		return fail(p, service_name(s), NULL, "given twice");
	p->line.port[s] = (uint16_t)port;
	return true;
}

static bool
read_proxy(struct parser *p, const struct word *value)
{
	if ((p->line.flags & (MAPPING_PROXY_V1 | MAPPING_PROXY_V2)) != 0)
		return fail(p, "proxy", NULL, "given twice");
	if (word_is(value, "v1"))
		p->line.flags |= MAPPING_PROXY_V1;
	else if (word_is(value, "v2"))
		p->line.flags |= MAPPING_PROXY_V2;
	else
		return fail(p, "proxy", value, " is neither v1 nor v2");
	return true;
}

static bool
read_source(struct parser *p, const struct word *value)
{
	if ((p->line.flags & MAPPING_SOURCE_EMBED) != 0)
		return fail(p, "source", NULL, "given twice");
	if (!word_is(value, "embed"))
		return fail(p, "source", value, " is not embed");
	p->line.flags |= MAPPING_SOURCE_EMBED;
	return true;
}

static bool
read_forwarded(struct parser *p, const struct word *value)
{
	if (p->has_forwarded)
		return fail(p, "forwarded", NULL, "given twice");
	p->has_forwarded = true;
	if (word_is(value, "yes"))
		p->line.flags |= MAPPING_FORWARDED;
	else if (!word_is(value, "no"))
		return fail(p, "forwarded", value, " is neither yes nor no");
	return true;
}

static bool
read_option(struct parser *p, const struct word *word)
{
	static const struct {
		const char	*key;
		bool		(*read)(struct parser *, const struct word *);
	} options[] = {
		{ "services", read_services },
		{ "proxy", read_proxy },
		{ "source", read_source },
		{ "forwarded", read_forwarded },
	};
	const char *equals = memchr(word->at, '=', word->len);
	struct word key = *word, value;
	enum service s;
	size_t i;

	if (equals == NULL)
		return fail(p, "option", word, " is not OPTION=VALUE");
	key.len = (size_t)(equals - word->at);
	value.at = equals + 1;
	value.len = word->len - key.len - 1;
	s = service_of(&key);
	if (s != N_SERVICES)
		return read_port(p, s, &value);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (word_is(&key, options[i].key))
			return options[i].read(p, &value);
	}
	return fail(p, "option", &key, " is unknown");
}

/* No option is for a service that services= leaves out. */
static bool
check_options(struct parser *p)
{
	const unsigned http = 1u << SERVICE_HTTP;
	const unsigned proxied = http | 1u << SERVICE_HTTPS;
	enum service s;

	for (s = 0; s < N_SERVICES; s++) {
		if (p->line.port[s] != 0 && (p->line.services >> s & 1) == 0)
			return fail(p, service_name(s), NULL,
			    "a port for what services= leaves out");
	}
	if ((p->line.flags & (MAPPING_PROXY_V1 | MAPPING_PROXY_V2)) != 0 &&
	    (p->line.services & proxied) == 0)
		return fail(p, "proxy", NULL,
		    "is for http and https, which services= leaves out");
	if (p->has_forwarded && (p->line.services & http) == 0)
		return fail(p, "forwarded", NULL,
		    "is for http, which services= leaves out");
	return true;
}

static bool
read_options(struct parser *p)
{
	struct word word;

	while (line_words_next(&p->rest, &word)) {
		if (!read_option(p, &word))
			return false;
	}
	if (!p->has_services)
		p->line.services = ALL_SERVICES;
	return check_options(p);
}

/* Not the room that most lines have no use for: it is half a kilobyte, and
 * there may be millions of lines. */
static void
clear_line(struct mapping_line *line)
{
	line->name[0] = '\0';
	line->name_len = 0;
	line->services = line->flags = 0;
	memset(line->port, 0, sizeof(line->port));
	line->n_targets = 0;
}

static void
copy_line(struct mapping_line *to, const struct mapping_line *from)
{
	memcpy(to->name, from->name, from->name_len + 1);
	to->name_len = from->name_len;
	to->services = from->services;
	to->flags = from->flags;
	memcpy(to->port, from->port, sizeof(to->port));
	to->n_targets = from->n_targets;
	memcpy(to->target, from->target,
	    from->n_targets * sizeof(from->target[0]));
}

bool
mapping_line_parse(const char *text, size_t len, struct mapping_line *ret,
    char *problem, size_t room)
{
	struct parser p;
	struct word word;

	p.has_services = p.has_forwarded = false;
	p.problem = problem;
	p.room = room;
	clear_line(&p.line);
	p.rest = line_words_of(text, len);
	if (p.rest.len > MAPPING_LINE_MAX)
		return fail(&p, "line", NULL, "longer than %d octets",
		    MAPPING_LINE_MAX);
	if (line_words_next(&p.rest, &word)) {
		if (!read_name(&p, &word))
			return false;
		if (!line_words_next(&p.rest, &word))
			return fail(&p, "target", NULL, "none given for %s",
			    p.line.name);
		if (!read_targets(&p, &word) || !read_options(&p))
			return false;
	}
	copy_line(ret, &p.line);
	return true;
}
