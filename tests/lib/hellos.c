/* SPDX-License-Identifier: ISC */
#include "tests/lib/hellos.h"

#include <assert.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXT_SERVER_NAME = 0,
	EXT_PADDING = 21,
	EXT_SUPPORTED_VERSIONS = 43,
	EXT_KEY_SHARE = 51,
	EXT_ECH = 0xfe0d,
	GROUP_X25519MLKEM768 = 0x11ec
};

/* A message being written, front to back. */
struct out {
	uint8_t	*at;	/* borrowed from the caller; HELLO_OCTETS_MAX */
	size_t	 len;
};

static int
hex_value(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* Hex digits, with comments from '#' to the end of a line. */
static void
read_hex(const char *path, struct hello *hello)
{
	FILE *in = fopen(path, "r");
	size_t digits = 0;
	int c;

	assert(in != NULL);
	hello->bytes = calloc(1, FLIGHT_OCTETS_MAX);
	assert(hello->bytes != NULL);
	while ((c = getc(in)) != EOF) {
		if (c == '#')
			while (c != '\n' && c != EOF)
				c = getc(in);
		if (!isxdigit(c))
			continue;
		assert(digits / 2 < FLIGHT_OCTETS_MAX);
		hello->bytes[digits / 2] = (uint8_t)
		    (hello->bytes[digits / 2] << 4 | hex_value(c));
		digits++;
	}
	fclose(in);
	hello->len = digits / 2;
	assert(digits % 2 == 0 && digits > 0);
}

size_t
hellos_load(struct hello hellos[HELLOS_MAX])
{
	const char *srcdir = getenv("srcdir");
	const char *base;
	char pattern[4096];
	size_t i, n;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tests/vectors/hello/*.hex",
	    srcdir != NULL ? srcdir : ".");
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: no such files\n", pattern);
		abort();
	}
	n = found.gl_pathc;
	assert(n <= HELLOS_MAX);
	for (i = 0; i < n; i++) {
		read_hex(found.gl_pathv[i], &hellos[i]);
		base = strrchr(found.gl_pathv[i], '/') + 1;
		snprintf(hellos[i].name, sizeof(hellos[i].name), "%.*s",
		    (int)(strlen(base) - strlen(".hex")), base);
	}
	globfree(&found);
	return n;
}

void
hellos_free(struct hello *hellos, size_t n)
{
	while (n > 0)
		free(hellos[--n].bytes);
}

static void
put(struct out *out, size_t octets, size_t value)
{
	assert(out->len + octets <= HELLO_OCTETS_MAX);
	while (octets-- > 0)
		out->at[out->len++] = (uint8_t)(value >> 8 * octets);
}

static void
put_bytes(struct out *out, const void *bytes, size_t len)
{
	assert(out->len + len <= HELLO_OCTETS_MAX);
	memcpy(out->at + out->len, bytes, len);
	out->len += len;
}

static void
put_fill(struct out *out, int octet, size_t len)
{
	assert(out->len + len <= HELLO_OCTETS_MAX);
	memset(out->at + out->len, octet, len);
	out->len += len;
}

/* Write what came after `start` into the length field just before it. */
static void
close_length(struct out *out, size_t octets, size_t start)
{
	struct out field = { out->at, start - octets };

	put(&field, octets, out->len - start);
}

static void
put_server_name(struct out *out, const struct hello_parts *parts)
{
	size_t len = parts->sni_len;

	put(out, 2, EXT_SERVER_NAME);
	if (parts->sni != NULL) {
		put(out, 2, len);
		put_bytes(out, parts->sni, len);
		return;
	}
	len = strlen(parts->server_name);
	put(out, 2, len + 5);
	put(out, 2, len + 3);
	put(out, 1, 0);
	put(out, 2, len);
	put_bytes(out, parts->server_name, len);
}

/* The ClientHelloOuter form (RFC 9849 5), with nothing inside. */
static void
put_ech(struct out *out, size_t payload)
{
	put(out, 2, EXT_ECH);
	put(out, 2, 1 + 4 + 1 + 2 + 32 + 2 + payload);
	put(out, 1, 0);			/* outer */
	put(out, 4, 0x00010001);	/* HKDF-SHA256, AES-128-GCM */
	put(out, 1, 0x5a);		/* config_id */
	put(out, 2, 32);
	put_fill(out, 0xec, 32);
	put(out, 2, payload);
	put_fill(out, 0xeb, payload);
}

static void
put_extensions(struct out *out, const struct hello_parts *parts)
{
	int i;

	put(out, 2, 0x0a0a);		/* GREASE (RFC 8701) */
	put(out, 2, 0);
	put(out, 2, EXT_SUPPORTED_VERSIONS);
	put(out, 2, 5);
	put_bytes(out, "\x04\x03\x04\x03\x03", 5);
	if (parts->key_share > 0) {
		put(out, 2, EXT_KEY_SHARE);
		put(out, 2, 2 + 4 + parts->key_share);
		put(out, 2, 4 + parts->key_share);
		put(out, 2, GROUP_X25519MLKEM768);
		put(out, 2, parts->key_share);
		put_fill(out, 0x5e, parts->key_share);
	}
	if (parts->ech > 0)
		put_ech(out, parts->ech);
	for (i = parts->sni_twice ? 2 : 1; i > 0; i--)
		if (parts->server_name != NULL || parts->sni != NULL)
			put_server_name(out, parts);
	if (parts->padding > 0) {
		put(out, 2, EXT_PADDING);
		put(out, 2, parts->padding);
		put_fill(out, 0, parts->padding);
	}
}

size_t
hello_make(const struct hello_parts *parts, uint8_t bytes[HELLO_OCTETS_MAX])
{
	struct out out = { bytes, 0 };
	size_t start;

	put(&out, 1, 1);		/* ClientHello */
	put(&out, 3, 0);
	put(&out, 2, parts->version != 0 ? parts->version : 0x0303);
	put_fill(&out, 0x52, 32);	/* random */
	put(&out, 1, parts->session_id);
	put_fill(&out, 0x1d, parts->session_id);
	put(&out, 2, 4);
	put(&out, 4, 0x1301002f);
	put(&out, 2, 0x0100);		/* one compression method: none */
	if (parts->extensions) {
		put(&out, 2, 0);
		start = out.len;
		put_extensions(&out, parts);
		close_length(&out, 2, start);
	}
	put_fill(&out, 0xba, parts->rubbish);
	close_length(&out, 3, 4);
	return out.len;
}

size_t
hello_message(const uint8_t *flight, size_t len,
    uint8_t bytes[HELLO_OCTETS_MAX])
{
	struct out out = { bytes, 0 };
	size_t at, body;

	for (at = 0; at + 5 <= len; at += 5 + body) {
		body = (size_t)flight[at + 3] << 8 | flight[at + 4];
		assert(body <= len - at - 5);
		put_bytes(&out, flight + at + 5, body);
	}
	assert(at == len);
	return out.len;
}

size_t
hello_split(const uint8_t *message, size_t len, uint8_t minor, size_t most,
    uint32_t seed, uint8_t out[FLIGHT_OCTETS_MAX])
{
	size_t at = 0, body;

	assert(most > 0 && most <= UINT16_MAX);
	while (len > 0) {
		body = most;
		if (seed != 0) {
			seed = seed * 1664525 + 1013904223;
			body = 1 + (seed >> 8) % most;
		}
		body = body < len ? body : len;
		assert(at + 5 + body <= FLIGHT_OCTETS_MAX);
		out[at++] = 22;
		out[at++] = 3;
		out[at++] = minor;
		out[at++] = (uint8_t)(body >> 8);
		out[at++] = (uint8_t)body;
		memcpy(out + at, message, body);
		at += body;
		message += body;
		len -= body;
	}
	return at;
}
