/* SPDX-License-Identifier: ISC */
/*
 * key_revocation_krl.c - OpenSSH's key revocation lists (PROTOCOL.krl).
 *
 * What is not understood is refused: a list that is read in part would let in
 * what it revokes.
 */
#include <string.h>

#include "jumpd/key_revocation_store.h"
#include "jumpd/ssh_wire.h"

enum {
	KRL_VERSION = 1,
	SECTION_CERTIFICATES = 1,
	SECTION_KEYS = 2,
	SECTION_SHA1 = 3,
	SECTION_SHA256 = 5,
	SECTION_EXTENSION = 255,
	CERTS_SERIALS = 0x20,
	CERTS_RANGE = 0x21,
	CERTS_BITMAP = 0x22,
	CERTS_IDS = 0x23,
	CERTS_EXTENSION = 0x39
};

static const char magic[8] = "SSHKRL\n";	/* and a NUL */
static const char malformed[] = "malformed revocation list";
static const char no_room[] = "there are too many entries";

bool
revocation_is_krl(const void *bytes, size_t len)
{
	return len >= sizeof(magic) &&
	    memcmp(bytes, magic, sizeof(magic)) == 0;
}

static const char *
read_serials(struct revocation *to, const struct key_digest *ca,
    struct bytes from)
{
	uint64_t serial;

	while (from.left > 0) {
		serial = ssh_wire_u64(&from);
		if (from.failed)
			return malformed;
		if (!revocation_store_serials(to, ca, serial, serial))
			return no_room;
	}
	return NULL;
}

static const char *
read_range(struct revocation *to, const struct key_digest *ca,
    struct bytes from)
{
	uint64_t first = ssh_wire_u64(&from), last = ssh_wire_u64(&from);

	if (from.failed || from.left > 0 || last < first)
		return malformed;
	return revocation_store_serials(to, ca, first, last) ? NULL : no_room;
}

/* Bit n of the number revokes serial `offset` + n. */
static const char *
read_bitmap(struct revocation *to, const struct key_digest *ca,
    struct bytes from)
{
	uint64_t offset = ssh_wire_u64(&from), first = 0, bit;
	struct bytes map = ssh_wire_string(&from);
	uint64_t bits = 8 * (uint64_t)map.left;
	bool set, run = false;

	if (from.failed || from.left > 0 || map.left == 0 ||
	    bits > UINT64_MAX - offset)
		return malformed;
	for (bit = 0; bit <= bits; bit++) {
		set = bit < bits &&
		    (map.at[map.left - 1 - bit / 8] >> bit % 8 & 1) != 0;
		if (set && !run)
			first = bit;
		if (!set && run &&
		    !revocation_store_serials(to, ca, offset + first,
			offset + bit - 1))
			return no_room;
		run = set;
	}
	return NULL;
}

static const char *
read_ids(struct revocation *to, const struct key_digest *ca,
    struct bytes from)
{
	struct bytes id;

	while (from.left > 0) {
		id = ssh_wire_string(&from);
		if (id.failed)
			return malformed;
		if (!revocation_store_id(to, ca, id.at, id.left))
			return no_room;
	}
	return NULL;
}

/* string name, byte critical, string contents */
static const char *
read_extension(struct bytes from)
{
	bool critical;

	ssh_wire_string(&from);
	critical = bytes_u8(&from) != 0;
	ssh_wire_string(&from);
	if (from.failed || from.left > 0)
		return malformed;
	return critical ? "a critical extension that is not known" : NULL;
}

static const char *
read_certificates(struct revocation *to, struct bytes from)
{
	struct bytes ca_blob = ssh_wire_string(&from), part;
	struct key_digest ca = { { 0 } };
	const char *wrong = NULL;
	uint8_t kind;

	ssh_wire_string(&from);		/* reserved */
	if (from.failed)
		return malformed;
	if (ca_blob.left > 0)
		ca = key_digest_of(ca_blob.at, ca_blob.left);
	while (from.left > 0 && wrong == NULL) {
		kind = bytes_u8(&from);
		part = ssh_wire_string(&from);
		if (part.failed)
			return malformed;
		switch (kind) {
		case CERTS_SERIALS:
			wrong = read_serials(to, &ca, part);
			break;
		case CERTS_RANGE:
			wrong = read_range(to, &ca, part);
			break;
		case CERTS_BITMAP:
			wrong = read_bitmap(to, &ca, part);
			break;
		case CERTS_IDS:
			wrong = read_ids(to, &ca, part);
			break;
		case CERTS_EXTENSION:
			wrong = read_extension(part);
			break;
		default:
			wrong = "a section that is not known";
		}
	}
	return wrong;
}

/* Keys whole, or by digest. */
static const char *
read_keys(struct revocation *to, struct bytes from, uint8_t kind)
{
	struct key_digest digest;
	struct bytes key;
	bool stored;

	while (from.left > 0) {
		key = ssh_wire_string(&from);
		if (key.failed ||
		    (kind == SECTION_SHA1 && key.left != KEY_SHA1_OCTETS) ||
		    (kind == SECTION_SHA256 &&
			key.left != sizeof(digest.octet)))
			return malformed;
		if (kind == SECTION_SHA1) {
			stored = revocation_store_sha1(to, key.at);
		} else {
			if (kind == SECTION_SHA256)
				memcpy(digest.octet, key.at, key.left);
			else
				digest = key_digest_of(key.at, key.left);
			stored = revocation_store_digest(to, &digest);
		}
		if (!stored)
			return no_room;
	}
	return NULL;
}

static const char *
read_section(struct revocation *to, uint8_t kind, struct bytes part)
{
	switch (kind) {
	case SECTION_CERTIFICATES:
		return read_certificates(to, part);
	case SECTION_KEYS:
	case SECTION_SHA1:
	case SECTION_SHA256:
		return read_keys(to, part, kind);
	case SECTION_EXTENSION:
		return read_extension(part);
	default:	/* a signature, too: nothing makes any */
		return "a section that is not known";
	}
}

const char *
revocation_read_krl(struct revocation *to, const void *bytes, size_t len)
{
	struct bytes from = bytes_of(bytes, len), part;
	const char *wrong = NULL;
	uint32_t version;
	uint8_t kind;

	bytes_take(&from, sizeof(magic));
	version = bytes_u32(&from);
	if (!from.failed && version != KRL_VERSION)
		return "a revocation list of another version";
	ssh_wire_u64(&from);		/* its number, date and flags */
	ssh_wire_u64(&from);
	ssh_wire_u64(&from);
	ssh_wire_string(&from);		/* reserved */
	ssh_wire_string(&from);		/* comment */
	while (from.left > 0 && !from.failed && wrong == NULL) {
		kind = bytes_u8(&from);
		part = ssh_wire_string(&from);
		if (!part.failed)
			wrong = read_section(to, kind, part);
	}
	return from.failed ? malformed : wrong;
}
