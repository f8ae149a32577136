/* SPDX-License-Identifier: ISC */
#include "jumpd/key_text.h"

#include <string.h>

#include "common/base64.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void
key_text_trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

size_t
key_text_word(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && !is_blank(text[n]))
		n++;
	return n;
}

bool
key_text_is_type(const char *word, size_t len)
{
	static const char *const families[] = { "ssh-", "ecdsa-", "sk-" };
	size_t i, n;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		n = strlen(families[i]);
		if (len > n && memcmp(word, families[i], n) == 0)
			return true;
	}
	return false;
}

enum deny_reason
key_text_read(const char *text, size_t len, uint8_t room[KEY_BLOB_MAX],
    struct key_blob *ret)
{
	const char *type;
	size_t type_len, word, blob_len;
	struct key_blob key;
	enum deny_reason reason;

	key_text_trim(&text, &len);
	type = text;
	type_len = key_text_word(text, len);
	if (type_len == 0)
		return DENY_KEY_MALFORMED;
	if (key_type_find(type, type_len) == N_KEY_TYPES)
		return key_text_is_type(type, type_len) ? DENY_KEY_TYPE :
							  DENY_KEY_MALFORMED;
	text += type_len;
	len -= type_len;
	key_text_trim(&text, &len);
	word = key_text_word(text, len);
	if (!base64_decode(text, word, room, KEY_BLOB_MAX, &blob_len))
		return DENY_KEY_MALFORMED;
	reason = key_blob_read(room, blob_len, &key);
	if (reason == DENY_NONE && key.type != key_type_find(type, type_len))
		reason = DENY_KEY_MALFORMED;
	if (reason == DENY_NONE)
		*ret = key;
	return reason;
}
