/* SPDX-License-Identifier: ISC */
#include "proxyd/opening.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST_ROOM = 2048 };	/* first allocation for the bytes */

struct opening *
opening_new(bool expect_proxy)
{
	struct opening *o = calloc(1, sizeof(struct opening));

	if (o != NULL)
		o->expect_proxy = expect_proxy;
	return o;
}

void
opening_free(struct opening *o)
{
	if (o != NULL)
		free(o->bytes);
	free(o);
}

static bool
append(struct opening *o, const uint8_t *bytes, size_t len)
{
	uint32_t room = o->room != 0 ? o->room : FIRST_ROOM;
	uint8_t *more;

	while (room < o->len + len)
		room *= 2;
	if (room != o->room) {
		more = realloc(o->bytes, room);
		if (more == NULL)
			return false;
		o->bytes = more;
		o->room = room;
	}
	memcpy(o->bytes + o->len, bytes, len);
	o->len += (uint32_t)len;
	return true;
}

bool
opening_replace(struct opening *o, size_t old, const uint8_t *bytes,
    size_t len)
{
	size_t behind = o->len - old;

	/* Makes room for the new octets beside the old ones. */
	if (!append(o, bytes, len))
		return false;
	memmove(o->bytes + len, o->bytes + old, behind);
	memcpy(o->bytes, bytes, len);
	o->len = (uint32_t)(len + behind);
	return true;
}

/* Take the PROXY header off the front. */
static enum opening_result
read_proxy(struct opening *o, struct proxy_header *ret)
{
	struct proxy_header h = proxy_header_parse(o->bytes, o->len);

	if (h.verdict == PROXY_HEADER_MORE)
		return OPENING_MORE;
	if (h.verdict == PROXY_HEADER_BAD) {
		o->proxy_fault = h.fault;
		return OPENING_BAD_PROXY;
	}
	o->len -= (uint32_t)h.len;
	memmove(o->bytes, o->bytes + h.len, o->len);
	o->expect_proxy = false;
	o->relayed = h.relayed;
	o->destination = h.destination;
	*ret = h;
	return OPENING_PROXIED;
}

/* Look at all bytes so far. */
static enum opening_result
judge(struct opening *o, enum service service, size_t max, struct peek *ret)
{
	struct peek p = service == SERVICE_HTTP ?
	    peek_http(&o->scan.http, o->bytes, o->len, max) :
	    peek_tls(&o->scan.tls, o->bytes, o->len, max);

	if (p.verdict == PEEK_MORE)
		return OPENING_MORE;
	memcpy(o->alpn, p.alpn, p.alpn_len);
	o->alpn_len = p.alpn_len;
	*ret = p;
	return OPENING_DECIDED;
}

static size_t
limit_of(const struct opening *o, enum service service,
    const struct proxyd_settings *s)
{
	size_t max = service == SERVICE_HTTP ? s->http_head_octets :
					       s->client_hello_octets;

	if (o->expect_proxy)
		max = PROXY_V2_MAX;
	/* A reload may have lowered the limit. */
	return max > o->len ? max : o->len + 1;
}

enum opening_result
opening_read(struct opening *o, struct side *from, enum service service,
    const struct proxyd_settings *s, uint8_t *buffer, struct peek *ret,
    struct proxy_header *ret_header)
{
	enum opening_result result = OPENING_MORE;
	size_t max = limit_of(o, service, s);
	ssize_t n;

	/* What came with a PROXY header has not been looked at yet. */
	if (!o->expect_proxy && o->len > 0)
		result = judge(o, service, max, ret);
	while (result == OPENING_MORE && from->readable) {
		/* No peek asks for more at its limit. */
		assert(o->len < max);
		n = recv(side_fd(from), buffer, max - o->len, 0);
		if (n == 0)
			return OPENING_END;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return OPENING_RESET;
		if (n < 0) {
			from->readable = false;
			break;
		}
		side_received(from, max - o->len, (size_t)n);
		if (!append(o, buffer, (size_t)n))
			return OPENING_NO_MEMORY;
		result = o->expect_proxy ? read_proxy(o, ret_header) :
					   judge(o, service, max, ret);
	}
	return result;
}
