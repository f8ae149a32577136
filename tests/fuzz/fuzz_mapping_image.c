/* SPDX-License-Identifier: ISC */
/*
 * fuzz_mapping_image.c - a mapping image from something less trusted: it is
 * refused, or looking up names in it stays inside and ends.
 *
 * The input is an image if it begins with the magic number.  Otherwise it is
 * the text of a mapping file, then perhaps a line "%" and changes of three
 * octets each: where (big-endian, modulo the size) and what to XOR there.
 * That lets a fuzzer reach what lies behind hashes and counts, and seeds
 * outlive a change of the format.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/hostname.h"
#include "common/mapping_layout.h"
#include "tests/lib/mapping_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static volatile uint8_t touched;	/* so that every read is made */

static void
check_entry(const struct mapping *m, const struct mapping_entry *e,
    enum service service, const char *name, size_t len)
{
	const char *entry_name = mapping_entry_name(e);
	const uint8_t *at = (const void *)e, *end;
	size_t i;

	end = at + mapping_entry_octets(e);
	assert(at >= m->image && end <= m->image + m->len);
	assert((e->services >> service & 1) != 0);
	assert(mapping_flags_fit(e->flags, e->services));
	for (; at < end; at++)
		touched ^= *at;
	i = e->name_len;
	if (entry_name[0] == '*' && name[0] != '*') {
		assert(len >= i && memcmp(name + len - (i - 1),
				       entry_name + 1, i - 1) == 0);
		return;
	}
	assert(i == len && memcmp(entry_name, name, len) == 0);
}

static const struct mapping_entry *
find(const struct mapping *m, enum service service, const char *name,
    size_t len)
{
	const struct mapping_entry *e = mapping_find(m, service, name, len);

	if (e != NULL)
		check_entry(m, e, service, name, len);
	return e;
}

static void
find_fixed_names(const struct mapping *m)
{
	static const char *const names[] = { "www.example.com", "a", "x.a",
		"x.example.com", "example.org", "y.x.example.com" };
	char labels[HOSTNAME_MAX];
	enum service s;
	size_t i;

	for (i = 0; i < sizeof(labels); i++)
		labels[i] = i % 2 ? '.' : 'a';
	for (s = 0; s < N_SERVICES; s++) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			find(m, s, names[i], strlen(names[i]));
		find(m, s, labels, sizeof(labels));
	}
}

/* Every name of an image that passed is found, and for its services. */
static void
find_own_names(const struct mapping *m)
{
	const struct mapping_header *h = (const void *)m->image;
	const struct mapping_entry *e;
	char name[HOSTNAME_MAX + 1];
	size_t at = sizeof(*h);
	uint32_t n = 0;
	enum service s;

	for (; at < h->slots_at; n++) {
		e = (const void *)(m->image + at);
		memcpy(name, mapping_entry_name(e), e->name_len);
		for (s = 0; s < N_SERVICES; s++) {
			if ((e->services >> s & 1) != 0)
				assert(find(m, s, name, e->name_len) != NULL);
		}
		if (name[0] == '*') {
			name[0] = 'x';
			for (s = 0; s < N_SERVICES; s++)
				assert((e->services >> s & 1) == 0 ||
				    find(m, s, name, e->name_len) != NULL);
		}
		at += mapping_padded(mapping_entry_octets(e));
	}
	assert(n == mapping_count(m));
}

/* Returns whether something was changed. */
static bool
apply_changes(uint8_t *image, size_t image_len, const uint8_t *bytes,
    size_t len)
{
	struct bytes b = bytes_of(bytes, len);
	uint8_t what, any = 0;
	size_t where;

	for (;;) {
		where = bytes_u16(&b);
		what = bytes_u8(&b);
		if (b.failed)
			return any != 0;
		image[where % image_len] ^= what;
		any |= what;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint32_t magic = MAPPING_MAGIC;
	const uint8_t *cut;
	bool changed = true;
	size_t image_len = len;
	struct mapping m;
	uint8_t *image;

	if (len >= 4 && memcmp(bytes, &magic, 4) == 0) {
		image = malloc(len);
		assert(image != NULL);
		memcpy(image, bytes, len);
	} else {
		cut = len > 0 ? memmem(bytes, len, "\n%\n", 3) : NULL;
		cut = cut != NULL ? cut + 3 : bytes + len;
		image = mapping_image_of((const char *)bytes,
		    (size_t)(cut - bytes), &image_len);
		changed = apply_changes(image, image_len, cut,
		    len - (size_t)(cut - bytes));
	}
	if (mapping_check(image, image_len, &m) == MAPPING_OK) {
		assert(m.image == image && m.len == image_len);
		find_fixed_names(&m);
		find_own_names(&m);
	} else {
		assert(changed);
	}
	free(image);
	return 0;
}
