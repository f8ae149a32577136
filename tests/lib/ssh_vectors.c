/* SPDX-License-Identifier: ISC */
#include "tests/lib/ssh_vectors.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"

enum { FILE_MAX = 64 * 1024 };

/* The file's octets and a NUL, or NULL if there is no such file. */
static char *
read_file(const char *name, const char *ending)
{
	const char *srcdir = getenv("srcdir");
	char path[512], *text;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/tests/vectors/jumpd/%s%s",
	    srcdir != NULL ? srcdir : ".", name, ending);
	file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	text = malloc(FILE_MAX);
	assert(text != NULL);
	len = fread(text, 1, FILE_MAX - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static struct ssh_vector
exactly(const uint8_t *bytes, size_t len)
{
	struct ssh_vector v = { .bytes = malloc(len), .len = len };

	assert(v.bytes != NULL);
	memcpy(v.bytes, bytes, len);
	return v;
}

static struct ssh_vector
from_hex(const char *text)
{
	static uint8_t bytes[FILE_MAX / 2];
	size_t n = 0;
	unsigned octet;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			continue;
		assert(sscanf(text, "%2x", &octet) == 1);
		bytes[n++] = (uint8_t)octet;
		text++;
	}
	return exactly(bytes, n);
}

static struct ssh_vector
from_pub(const char *text)
{
	static uint8_t bytes[FILE_MAX];
	const char *base64 = strchr(text, ' ');
	size_t n = 0;
	bool decoded;

	assert(base64 != NULL);
	base64++;
	decoded = base64_decode(base64, strcspn(base64, " \n"), bytes,
	    sizeof(bytes), &n);
	assert(decoded);
	return exactly(bytes, n);
}

struct ssh_vector
ssh_vector_load(const char *name)
{
	char *text = read_file(name, ".pub");
	struct ssh_vector v;

	if (text != NULL) {
		v = from_pub(text);
	} else {
		text = read_file(name, ".hex");
		if (text == NULL) {
			fprintf(stderr, "no vector %s\n", name);
			abort();
		}
		v = from_hex(text);
	}
	free(text);
	return v;
}

void
ssh_vector_free(struct ssh_vector *v)
{
	free(v->bytes);
	v->bytes = NULL;
}

char *
ssh_vector_text(const char *name)
{
	char *text = read_file(name, ".pub");

	assert(text != NULL);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

void
ssh_build_raw(struct ssh_build *b, const void *bytes, size_t len)
{
	assert(len <= sizeof(b->bytes) - b->len);
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

void
ssh_build_u32(struct ssh_build *b, uint32_t value)
{
	const uint8_t octets[4] = { (uint8_t)(value >> 24),
		(uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };

	ssh_build_raw(b, octets, sizeof(octets));
}

void
ssh_build_u64(struct ssh_build *b, uint64_t value)
{
	ssh_build_u32(b, (uint32_t)(value >> 32));
	ssh_build_u32(b, (uint32_t)value);
}

void
ssh_build_string(struct ssh_build *b, const void *bytes, size_t len)
{
	ssh_build_u32(b, (uint32_t)len);
	ssh_build_raw(b, bytes, len);
}

void
ssh_build_text(struct ssh_build *b, const char *text)
{
	ssh_build_string(b, text, strlen(text));
}
