/* SPDX-License-Identifier: ISC */
#include "jumpd/authorized_keys.h"

#include <stdio.h>
#include <string.h>

#include "jumpd/authorized_options.h"
#include "jumpd/key_text.h"

/* Say what is wrong, if that was not said already. */
static enum authorized_line
bad(enum deny_reason reason, const char *text, enum deny_reason *ret_reason,
    char *problem, size_t room)
{
	*ret_reason = reason;
	if (text != NULL)
		snprintf(problem, room, "%s", text);
	return AUTHORIZED_BAD;
}

/* Octets of the options: up to a blank that is not in quotes. */
static size_t
options_len(const char *text, size_t len)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len && text[i + 1] == '"')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == ' ' || text[i] == '\t'))
			break;
	}
	return i;
}

/* The options of a line, if it begins with some, and the rest of it. */
static void
split(const char **line, size_t *len, const char **options,
    size_t *ret_options_len)
{
	size_t n = key_text_word(*line, *len);

	*options = *line;
	*ret_options_len = 0;
	if (key_text_is_type(*line, n))
		return;
	n = options_len(*line, *len);
	*ret_options_len = n;
	*line += n;
	*len -= n;
	key_text_trim(line, len);
}

/* Nothing to read: an empty line or a comment. */
static bool
says_nothing(const char **line, size_t *len)
{
	key_text_trim(line, len);
	return *len == 0 || (*line)[0] == '#';
}

enum authorized_line
authorized_key_parse(const char *line, size_t len, struct authorized_key *ret,
    enum deny_reason *ret_reason, char *problem, size_t room)
{
	struct authorized_key key = { .may_forward = true };
	uint8_t blob[KEY_BLOB_MAX];
	struct key_blob read;
	enum deny_reason reason;
	const char *options;
	size_t n;

	if (len > AUTHORIZED_LINE_MAX)
		return bad(DENY_KEY_MALFORMED, "the line is too long",
		    ret_reason, problem, room);
	if (says_nothing(&line, &len))
		return AUTHORIZED_NOTHING;
	if (memchr(line, '\0', len) != NULL)
		return bad(DENY_KEY_MALFORMED, "the line has a NUL in it",
		    ret_reason, problem, room);
	split(&line, &len, &options, &n);
	reason = key_text_read(line, len, blob, &read);
	if (reason != DENY_NONE)
		return bad(reason, deny_reason_text(reason), ret_reason,
		    problem, room);
	if (n > 0 && (reason = authorized_options_read(options, n, &key,
			  problem, room)) != DENY_NONE) {
		authorized_key_fini(&key);
		return bad(reason, NULL, ret_reason, problem, room);
	}
	key.type = read.type;
	key.digest = key_digest_of(read.bytes, read.len);
	*ret = key;
	return AUTHORIZED_KEY;
}

void
authorized_key_fini(struct authorized_key *key)
{
	permit_free(key->permit);
	key->permit = NULL;
}

enum authorized_line
authorized_key_peek(const char *line, size_t len, struct key_digest *ret,
    bool *ret_cert_authority)
{
	uint8_t blob[KEY_BLOB_MAX];
	struct key_blob read;
	const char *options;
	size_t n;

	if (len > AUTHORIZED_LINE_MAX)
		return AUTHORIZED_BAD;
	if (says_nothing(&line, &len))
		return AUTHORIZED_NOTHING;
	split(&line, &len, &options, &n);
	if (key_text_read(line, len, blob, &read) != DENY_NONE)
		return AUTHORIZED_BAD;
	*ret_cert_authority = authorized_options_have(options, n,
	    "cert-authority");
	*ret = key_digest_of(read.bytes, read.len);
	return AUTHORIZED_KEY;
}

bool
authorized_principals_have(const char *list, size_t len, const char *name,
    size_t name_len)
{
	const char *comma;
	size_t n;

	if (name_len == 0)
		return false;
	for (;;) {
		comma = memchr(list, ',', len);
		n = comma != NULL ? (size_t)(comma - list) : len;
		if (n == name_len && memcmp(list, name, n) == 0)
			return true;
		if (comma == NULL)
			return false;
		list += n + 1;
		len -= n + 1;
	}
}
