/* SPDX-License-Identifier: ISC */
#include "jumpd/key_bundle.h"

#include <string.h>

#include "common/bytes.h"
#include "jumpd/ssh_wire.h"

static void
put_u32(uint8_t *out, uint32_t value)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

void
key_file_header(const struct key_file *file,
    uint8_t out[KEY_FILE_HEADER_OCTETS])
{
	put_u32(out, (uint32_t)file->kind);
	put_u32(out + 4, (uint32_t)(file->users >> 32));
	put_u32(out + 8, (uint32_t)file->users);
	put_u32(out + 12, (uint32_t)file->name_len);
	put_u32(out + 16, (uint32_t)file->len);
	put_u32(out + 20, 0);
}

bool
key_bundle_next(const void *bundle, size_t len, size_t *at,
    struct key_file *ret)
{
	struct bytes from, name, text;
	struct key_file file = { 0 };
	uint32_t kind, name_len, text_len;

	if (*at >= len)
		return false;
	from = bytes_of((const uint8_t *)bundle + *at, len - *at);
	kind = bytes_u32(&from);
	file.users = ssh_wire_u64(&from);
	name_len = bytes_u32(&from);
	text_len = bytes_u32(&from);
	bytes_u32(&from);	/* reserved */
	name = bytes_take(&from, name_len);
	text = bytes_take(&from, text_len);
	if (from.failed || kind < KEY_FILE_AUTHORIZED ||
	    kind > KEY_FILE_REVOKED || name_len > KEY_FILE_NAME_MAX)
		return false;
	file.kind = (enum key_file_kind)kind;
	file.name = (const char *)name.at;
	file.name_len = name.left;
	file.text = (const char *)text.at;
	file.len = text.left;
	*at += KEY_FILE_HEADER_OCTETS + name.left + text.left;
	*ret = file;
	return true;
}
