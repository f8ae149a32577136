/* SPDX-License-Identifier: ISC */
#include "jumpd/dns_message.h"

#include <assert.h>
#include <string.h>

#include "common/bytes.h"
#include "common/hostname.h"

enum {
	HEADER = 12,
	FLAG_RESPONSE = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_TRUNCATED = 0x0200,
	FLAG_RECURSE = 0x0100,
	RCODE = 0x000f,
	RCODE_NO_NAME = 3,
	TYPE_CNAME = 5,
	TYPE_AAAA = 28,
	CLASS_IN = 1,
	RECORDS_MAX = 256,	/* of an answer that are looked at */
	TEXT_MAX = 255		/* octets of a name as text */
};

/* A name as text: lower case, dots between labels, none at the end. */
struct name {
	size_t	len;
	char	text[TEXT_MAX];
};

struct message {
	const uint8_t	*bytes;
	size_t		 len;
	struct bytes	 records;	/* the answer section and what follows */
	unsigned	 n_records;
};

static void
put_u16(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

size_t
dns_query_write(const char *name, size_t len, uint16_t id,
    uint8_t out[DNS_QUERY_MAX])
{
	size_t n = HEADER, i, label = n++;

	assert(len > 0 && len <= HOSTNAME_MAX);
	memset(out, 0, DNS_QUERY_MAX);
	put_u16(out, id);
	put_u16(out + 2, FLAG_RECURSE);
	put_u16(out + 4, 1);
	for (i = 0; i < len; i++) {
		if (name[i] != '.') {
			out[n++] = (uint8_t)name[i];
			out[label]++;
		} else
			label = n++;
	}
	out[n++] = 0;
	put_u16(out + n, TYPE_AAAA);
	put_u16(out + n + 2, CLASS_IN);
	return n + 4;
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* One label; what cannot be in a host name makes no difference to us, but for
 * a dot, which would be taken for two labels. */
static bool
add_label(struct name *name, struct bytes label)
{
	if (name->len > 0) {
		if (name->len == TEXT_MAX)
			return false;
		name->text[name->len++] = '.';
	}
	for (; label.left > 0; label.left--, label.at++) {
		if (name->len == TEXT_MAX || *label.at == '.')
			return false;
		name->text[name->len++] = lower(*label.at);
	}
	return true;
}

/*
 * The name at *from, which moves behind it.  A compression pointer leads to
 * what stands before the last one, so there are no loops.
 */
static bool
read_name(const struct message *m, struct bytes *from, struct name *ret)
{
	struct bytes at = *from, label;
	size_t limit = (size_t)(from->at - m->bytes), to;
	bool jumped = false;
	uint8_t len;

	ret->len = 0;
	for (;;) {
		len = bytes_u8(&at);
		if (at.failed)
			return false;
		if (len == 0)
			break;
		if (len < 0x40) {
			label = bytes_take(&at, len);
			if (label.failed || !add_label(ret, label))
				return false;
			continue;
		}
		to = (size_t)(len & 0x3f) << 8;
		to |= bytes_u8(&at);
		if (len < 0xc0 || at.failed || to >= limit)
			return false;
		if (!jumped)
			*from = at;
		jumped = true;
		limit = to;
		at = bytes_of(m->bytes + to, m->len - to);
	}
	if (!jumped)
		*from = at;
	return true;
}

static bool
same(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

struct record {
	struct name	owner;
	uint16_t	type, class;
	struct bytes	data;
};

static bool
next_record(const struct message *m, struct bytes *from, struct record *ret)
{
	if (!read_name(m, from, &ret->owner))
		return false;
	ret->type = bytes_u16(from);
	ret->class = bytes_u16(from);
	bytes_u32(from);	/* how long it may be kept */
	ret->data = bytes_take(from, bytes_u16(from));
	return !ret->data.failed;
}

/* Where does the name lead?  False: nowhere; also for what is malformed. */
static bool
follow(const struct message *m, struct name *name)
{
	struct bytes from = m->records;
	struct record r;
	struct name to;
	unsigned i;

	for (i = 0; i < m->n_records && next_record(m, &from, &r); i++)
		if (r.type == TYPE_CNAME && r.class == CLASS_IN &&
		    same(&r.owner, name) && read_name(m, &r.data, &to)) {
			*name = to;
			return true;
		}
	return false;
}

/* Returns false if a record is malformed. */
static bool
collect(const struct message *m, const struct name *name,
    struct dns_addresses *found)
{
	struct bytes from = m->records;
	struct record r;
	unsigned i;

	for (i = 0; i < m->n_records; i++) {
		if (!next_record(m, &from, &r))
			return false;
		if (r.type != TYPE_AAAA || r.class != CLASS_IN ||
		    !same(&r.owner, name))
			continue;
		if (r.data.left != 16)
			return false;
		if (found->n < DNS_ADDRESSES_MAX)
			memcpy(found->addr[found->n++].octet, r.data.at, 16);
	}
	return true;
}

/* Is this an answer to our question?  Reads up to the answer section. */
static bool
read_head(struct message *m, const struct name *asked, uint16_t id,
    uint16_t *ret_flags)
{
	struct bytes from = bytes_of(m->bytes, m->len);
	uint16_t their_id = bytes_u16(&from), questions, type, class;
	struct name name;

	*ret_flags = bytes_u16(&from);
	questions = bytes_u16(&from);
	m->n_records = bytes_u16(&from);
	bytes_u32(&from);	/* authority, additional */
	if (from.failed || their_id != id || questions != 1 ||
	    (*ret_flags & FLAG_RESPONSE) == 0 ||
	    (*ret_flags & FLAG_OPCODE) != 0 || !read_name(m, &from, &name))
		return false;
	type = bytes_u16(&from);
	class = bytes_u16(&from);
	m->records = from;
	return !from.failed && type == TYPE_AAAA && class == CLASS_IN &&
	    same(&name, asked);
}

enum dns_answer
dns_answer_read(const void *bytes, size_t len, const char *name,
    size_t name_len, uint16_t id, struct dns_addresses *ret)
{
	struct message m = { .bytes = bytes, .len = len };
	struct dns_addresses found = { 0 };
	struct name current = { .len = name_len };
	uint16_t flags;
	unsigned links = 0;

	assert(name_len <= HOSTNAME_MAX);
	memcpy(current.text, name, name_len);
	if (len > DNS_ANSWER_MAX || !read_head(&m, &current, id, &flags) ||
	    m.n_records > RECORDS_MAX)
		return DNS_NOT_OURS;
	if ((flags & FLAG_TRUNCATED) != 0)
		return DNS_TRUNCATED;
	if ((flags & RCODE) == RCODE_NO_NAME)
		return DNS_NO_NAME;
	if ((flags & RCODE) != 0)
		return DNS_FAILED;
	while (follow(&m, &current))
		if (++links > DNS_CHAIN_MAX)
			return DNS_FAILED;
	if (!collect(&m, &current, &found))
		return DNS_NOT_OURS;
	if (found.n == 0)
		return DNS_NO_ADDRESS;
	*ret = found;
	return DNS_ADDRESSES;
}
