/* SPDX-License-Identifier: ISC */
#include "jumpd/ssh_wire.h"

#include <string.h>

struct bytes
ssh_wire_mpint(struct bytes *from)
{
	struct bytes n = ssh_wire_string(from);

	if (n.failed)
		return n;
	if (n.left == 0 || (n.at[0] & 0x80) != 0 ||
	    (n.at[0] == 0 && (n.left == 1 || (n.at[1] & 0x80) == 0))) {
		/* Asking for more than there is fails the reader. */
		return bytes_take(from, from->left + 1);
	}
	if (n.at[0] == 0)
		bytes_u8(&n);
	return n;
}

bool
ssh_wire_is(const struct bytes *bytes, const char *text)
{
	size_t len = strlen(text);

	return !bytes->failed && bytes->left == len &&
	    memcmp(bytes->at, text, len) == 0;
}
