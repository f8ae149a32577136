/* SPDX-License-Identifier: ISC */
#include "jumpd/key_blob.h"

#include <assert.h>
#include <string.h>

#include "jumpd/ssh_wire.h"

static const char *const names[] = {
#define KEY_TYPE(id, name, cert) name,
	KEY_TYPES
#undef KEY_TYPE
};

static const char *const cert_names[] = {
#define KEY_TYPE(id, name, cert) cert,
	KEY_TYPES
#undef KEY_TYPE
};

const char *
key_type_name(enum key_type type)
{
	assert(type < N_KEY_TYPES);
	return names[type];
}

const char *
key_type_cert_name(enum key_type type)
{
	assert(type < N_KEY_TYPES);
	return cert_names[type];
}

static enum key_type
find(const char *const *list, const void *name, size_t len)
{
	enum key_type type;

	for (type = 0; type < N_KEY_TYPES; type++)
		if (strlen(list[type]) == len &&
		    memcmp(list[type], name, len) == 0)
			break;
	return type;
}

enum key_type
key_type_find(const void *name, size_t len)
{
	return len > 0 ? find(names, name, len) : N_KEY_TYPES;
}

enum key_type
key_type_find_cert(const void *name, size_t len)
{
	return len > 0 ? find(cert_names, name, len) : N_KEY_TYPES;
}

bool
key_type_is_sk(enum key_type type)
{
	return type == KEY_SK_ED25519 || type == KEY_SK_ECDSA_256;
}

/* RFC 5656 3.1: the curve's name and an uncompressed point. */
static bool
point(struct bytes *from, const char *curve, size_t octets)
{
	struct bytes name = ssh_wire_string(from);
	struct bytes at = ssh_wire_string(from);

	return ssh_wire_is(&name, curve) && !at.failed &&
	    at.left == 1 + 2 * octets && at.at[0] == 4;
}

static bool
ed25519(struct bytes *from)
{
	struct bytes key = ssh_wire_string(from);

	return !key.failed && key.left == 32;
}

static bool
application(struct bytes *from)
{
	struct bytes name = ssh_wire_string(from);

	return !name.failed && name.left > 0;
}

static enum deny_reason
rsa(struct bytes *from, uint16_t *ret_bits)
{
	struct bytes e = ssh_wire_mpint(from), n = ssh_wire_mpint(from);
	size_t bits;
	uint8_t top;

	/* A public exponent is odd, and small, or verifying takes long. */
	if (e.failed || n.failed || e.left > 8 ||
	    n.left > KEY_RSA_BITS_MAX / 8 || (e.at[e.left - 1] & 1) == 0 ||
	    (e.left == 1 && e.at[0] == 1) || (n.at[n.left - 1] & 1) == 0)
		return DENY_KEY_MALFORMED;
	bits = 8 * n.left;
	for (top = n.at[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	if (bits < KEY_RSA_BITS_MIN)
		return DENY_KEY_WEAK;
	*ret_bits = (uint16_t)bits;
	return DENY_NONE;
}

enum deny_reason
key_blob_fields(enum key_type type, struct bytes *from, uint16_t *ret_rsa_bits)
{
	bool good = false;

	switch (type) {
	case KEY_ED25519:
		good = ed25519(from);
		break;
	case KEY_ECDSA_256:
		good = point(from, "nistp256", 32);
		break;
	case KEY_ECDSA_384:
		good = point(from, "nistp384", 48);
		break;
	case KEY_ECDSA_521:
		good = point(from, "nistp521", 66);
		break;
	case KEY_RSA:
		return rsa(from, ret_rsa_bits);
	case KEY_SK_ED25519:
		good = ed25519(from) && application(from);
		break;
	case KEY_SK_ECDSA_256:
		good = point(from, "nistp256", 32) && application(from);
		break;
	case N_KEY_TYPES:
		return DENY_KEY_TYPE;
	}
	return good ? DENY_NONE : DENY_KEY_MALFORMED;
}

enum deny_reason
key_blob_read(const void *bytes, size_t len, struct key_blob *ret)
{
	struct bytes from = bytes_of(bytes, len), name;
	struct key_blob key = { .bytes = bytes, .len = len };
	enum deny_reason reason;

	name = ssh_wire_string(&from);
	if (name.failed || name.left == 0 || len > KEY_BLOB_MAX)
		return DENY_KEY_MALFORMED;
	key.type = key_type_find(name.at, name.left);
	reason = key_blob_fields(key.type, &from, &key.rsa_bits);
	if (reason == DENY_NONE && from.left > 0)
		reason = DENY_KEY_MALFORMED;
	if (reason == DENY_NONE)
		*ret = key;
	return reason;
}

bool
key_blob_is_cert(const void *bytes, size_t len)
{
	struct bytes from = bytes_of(bytes, len);
	struct bytes name = ssh_wire_string(&from);
	static const char end[] = "-cert-v01@openssh.com";
	size_t n = sizeof(end) - 1;

	return !name.failed && name.left > n &&
	    memcmp(name.at + name.left - n, end, n) == 0;
}
