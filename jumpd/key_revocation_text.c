/* SPDX-License-Identifier: ISC */
/*
 * key_revocation_text.c - revoked keys as lines of text (key_revocation.h).
 */
#include <string.h>

#include "jumpd/key_revocation_store.h"
#include "jumpd/key_text.h"

struct text_state {
	struct revocation *to;
	struct key_digest ca;		/* whose serials and ids follow; all
					 * zero: any CA's */
};

static const char no_room[] = "there are too many entries";

/* 1-20 digits; *at moves behind them. */
static bool
read_serial(const char **at, size_t *len, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;
	unsigned digit;

	while (n < *len && (*at)[n] >= '0' && (*at)[n] <= '9') {
		digit = (unsigned)((*at)[n++] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = 10 * value + digit;
	}
	*at += n;
	*len -= n;
	*ret = value;
	return n > 0;
}

static const char *
add_serials(struct text_state *s, const char *text, size_t len)
{
	static const char malformed[] = "serial: is no number or range";
	uint64_t first, last;

	if (!read_serial(&text, &len, &first))
		return malformed;
	last = first;
	if (len > 0) {
		if (text[0] != '-')
			return malformed;
		text++;
		len--;
		if (!read_serial(&text, &len, &last) || len > 0 ||
		    last < first)
			return malformed;
	}
	return revocation_store_serials(s->to, &s->ca, first, last) ? NULL :
								      no_room;
}

static const char *
add_id(struct text_state *s, const char *text, size_t len)
{
	if (len == 0)
		return "id: is empty";
	return revocation_store_id(s->to, &s->ca, text, len) ? NULL : no_room;
}

/* A key that would never be accepted need not be kept. */
static const char *
add_key(struct text_state *s, const char *text, size_t len)
{
	uint8_t room[KEY_BLOB_MAX];
	struct key_digest digest;
	struct key_blob key;
	enum deny_reason reason;

	reason = key_text_read(text, len, room, &key);
	if (reason == DENY_KEY_TYPE || reason == DENY_KEY_WEAK)
		return NULL;
	if (reason != DENY_NONE)
		return "malformed public key";
	digest = key_digest_of(key.bytes, key.len);
	return revocation_store_digest(s->to, &digest) ? NULL : no_room;
}

static const char *
add_hash(struct text_state *s, const char *text, size_t len)
{
	struct key_digest digest;

	if (!key_digest_parse(text, len, &digest))
		return "is no SHA256 fingerprint";
	return revocation_store_digest(s->to, &digest) ? NULL : no_room;
}

static const char *
set_ca(struct text_state *s, const char *text, size_t len)
{
	uint8_t room[KEY_BLOB_MAX];
	struct key_blob key;

	if (len == 1 && text[0] == '*') {
		memset(&s->ca, 0, sizeof(s->ca));
		return NULL;
	}
	if (key_text_read(text, len, room, &key) != DENY_NONE)
		return "ca: is neither a public key nor *";
	s->ca = key_digest_of(key.bytes, key.len);
	return NULL;
}

/* Returns NULL, or what is wrong. */
static const char *
add_line(struct text_state *s, const char *line, size_t len)
{
	static const struct {
		const char	*word;
		const char	*(*add)(struct text_state *, const char *,
				    size_t);
	} kinds[] = { { "serial:", add_serials }, { "id:", add_id },
		{ "key:", add_key }, { "hash:", add_hash },
		{ "sha256:", add_hash }, { "ca:", set_ca } };
	size_t i, n;

	key_text_trim(&line, &len);
	if (len == 0 || line[0] == '#')
		return NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i].word);
		if (len < n || memcmp(line, kinds[i].word, n) != 0)
			continue;
		line += n;
		len -= n;
		key_text_trim(&line, &len);
		return kinds[i].add(s, line, len);
	}
	return add_key(s, line, len);
}

const char *
revocation_read_text(struct revocation *r, const void *bytes, size_t len,
    uint32_t *ret_line)
{
	struct text_state s = { .to = r };
	const char *text = bytes, *newline, *problem = NULL;
	uint32_t line;
	size_t n;

	for (line = 1; len > 0 && problem == NULL; line++) {
		newline = memchr(text, '\n', len);
		n = newline != NULL ? (size_t)(newline - text) : len;
		problem = add_line(&s, text, n);
		if (problem != NULL)
			*ret_line = line;
		n += newline != NULL ? 1 : 0;
		text += n;
		len -= n;
	}
	return problem;
}
