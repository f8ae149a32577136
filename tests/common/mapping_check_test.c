/* SPDX-License-Identifier: ISC */
/* mapping_check_test.c - mapping images that something less trusted made. */
#include "common/mapping.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapping_layout.h"
#include "tests/lib/hostile.h"
#include "tests/lib/mapping_image.h"

static const char example[] = "www.example.com 2001:db8::1\n"
			      "*.example.com 2001:db8::2,2001:db8::3\n"
			      "*.a.example.com 2001:db8::4 http=8080\n"
			      "b.a.example.com 2001:db8::5 services=http\n"
			      "example.org 2001:db8::6 services=http\n"
			      "example.org 2001:db8::7 services=https,ssh\n"
			      "*.org 2001:db8::8 services=https\n";

struct changes {
	const uint8_t	*good;
	unsigned	 n_passed;
};

static struct mapping_header *
header_of(uint8_t *image)
{
	return (void *)image;
}

static struct mapping_slot *
slots_of(uint8_t *image)
{
	return (void *)(image + header_of(image)->slots_at);
}

static struct mapping_slot *
slot_in_use(uint8_t *image, unsigned n)
{
	struct mapping_slot *slot = slots_of(image);

	for (;; slot++) {
		if (slot->entry != 0 && n-- == 0)
			return slot;
	}
}

static struct mapping_entry *
entry_of(uint8_t *image, const struct mapping_slot *slot)
{
	return (void *)(image + slot->entry);
}

static volatile uint8_t touched;	/* so that every read is made */

static void
look_up_some(const struct mapping *m)
{
	static const char *const names[] = { "www.example.com", "example.org",
		"x.a.example.com", "b.a.example.com", "x.y.z.org", "a" };
	const struct mapping_entry *e;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (enum service s = 0; s < N_SERVICES; s++) {
			e = mapping_find(m, s, names[i], strlen(names[i]));
			if (e == NULL)
				continue;
			cr_assert(e->services >> s & 1);
			cr_assert(mapping_flags_fit(e->flags, e->services));
			for (unsigned t = 0; t < e->n_targets; t++)
				touched += e->target[t].octet[15];
			for (unsigned c = 0; c < e->name_len; c++)
				touched += (uint8_t)mapping_entry_name(e)[c];
		}
	}
}

/* Whether the octet at `at` is one that mapping_check need not understand. */
static bool
is_free(const uint8_t *good, size_t at)
{
	const struct mapping_header *h = (const void *)good;
	const struct mapping_entry *e;
	size_t i = sizeof(*h);

	for (; i < h->slots_at; i += mapping_padded(mapping_entry_octets(e))) {
		e = (const void *)(good + i);
		if (at < i || at >= i + sizeof(*e) + 16u * e->n_targets)
			continue;
		at -= i;
		return at == offsetof(struct mapping_entry, services) ||
		    at == offsetof(struct mapping_entry, flags) ||
		    (at >= offsetof(struct mapping_entry, port) &&
			at < offsetof(struct mapping_entry, reserved2)) ||
		    at >= sizeof(*e);
	}
	return false;
}

static void
check_changed(const uint8_t *bytes, size_t len, void *arg)
{
	struct changes *c = arg;
	struct mapping m;
	size_t at = 0;

	if (mapping_check(bytes, len, &m) != MAPPING_OK)
		return;
	c->n_passed++;
	look_up_some(&m);
	while (at < len && bytes[at] == c->good[at])
		at++;
	cr_assert(at == len || is_free(c->good, at), "octet %zu", at);
}

Test(mapping_check, sees_every_cut_and_every_bit_flip_that_matters)
{
	struct changes c = { 0 };
	size_t len;
	uint8_t *image = mapping_image_of(example, strlen(example), &len);

	c.good = image;
	hostile_cuts(image, len, check_changed, &c);
	cr_assert_eq(c.n_passed, 1);
	hostile_bit_flips(image, len, check_changed, &c);
	/* at least each bit of the 8 targets, 3 x 7 ports, 2 x 7 flags */
	cr_assert_geq(c.n_passed, 8 * 128 + 21 * 16 + 2 * 7);
	free(image);
}

/*
 * Each takes an image with the example's entries, and room behind it, and
 * spoils it; those with MAPPING_OK show that the others do nothing else.
 */
static void
swap_magic(uint8_t *i)
{
	header_of(i)->magic = __builtin_bswap32(header_of(i)->magic);
}

static void
next_version(uint8_t *i)
{
	header_of(i)->version++;
}

static void
octets_beyond(uint8_t *i)
{
	header_of(i)->octets += 8;
}

static void
fewer_slots(uint8_t *i)
{
	header_of(i)->n_slots = 15;
}

static void
huge_slots(uint8_t *i)
{
	header_of(i)->n_slots = UINT32_C(1) << 31;
}

static void
more_names(uint8_t *i)
{
	header_of(i)->n_names++;
}

static void
no_names(uint8_t *i)
{
	header_of(i)->n_names = 0;
}

static void
slots_before_header(uint8_t *i)
{
	header_of(i)->slots_at = 0;
}

static void
depth_missing(uint8_t *i)
{
	header_of(i)->depths[0] = 0;
}

static void
depth_invented(uint8_t *i)
{
	header_of(i)->depths[1] |= 1;
}

static void
slot_beyond_end(uint8_t *i)
{
	slot_in_use(i, 3)->entry = 0xfffffffc;
}

static void
slot_at_header(uint8_t *i)
{
	slot_in_use(i, 3)->entry = 4;
}

static void
slot_unaligned(uint8_t *i)
{
	slot_in_use(i, 3)->entry++;
}

static void
slot_at_other_entry(uint8_t *i)
{
	slot_in_use(i, 3)->entry = slot_in_use(i, 4)->entry;
}

static void
slot_freed(uint8_t *i)
{
	*slot_in_use(i, 3) = (struct mapping_slot) { 0, 0 };
	header_of(i)->n_names--;
}

static void
slot_out_of_reach(uint8_t *i)
{
	struct mapping_slot *slot = slot_in_use(i, 0), moved = *slot;
	unsigned home = moved.tag % header_of(i)->n_slots, to = home;

	/* Behind a free one, where no look-up will come. */
	*slot = (struct mapping_slot) { 0, 0 };
	while (slots_of(i)[to].entry != 0)
		to = (to + 1) % header_of(i)->n_slots;
	to = (to + 1) % header_of(i)->n_slots;
	while (slots_of(i)[to].entry != 0)
		to = (to + 1) % header_of(i)->n_slots;
	slots_of(i)[to] = moved;
}

static void
free_slot_with_tag(uint8_t *i)
{
	struct mapping_slot *slot = slots_of(i);

	while (slot->entry != 0)
		slot++;
	slot->tag = 1;
}

static void
entry_without_service(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->services = 0;
}

static void
entry_with_unknown_service(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->services = 1 << N_SERVICES;
}

static void
entry_with_all_it_may_ask_for(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->services = 1 << SERVICE_HTTP;
	entry_of(i, slot_in_use(i, 2))->flags = MAPPING_PROXY_V2 |
	    MAPPING_SOURCE_EMBED | MAPPING_FORWARDED;
}

static void
entry_with_unknown_flag(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->flags = MAPPING_FLAGS + 1;
}

static void
entry_with_both_proxy_headers(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->flags =
	    MAPPING_PROXY_V1 | MAPPING_PROXY_V2;
}

static void
entry_for_https_forwarded(uint8_t *i)
{
	entry_of(i, slot_in_use(i, 2))->services = 1 << SERVICE_HTTPS;
	entry_of(i, slot_in_use(i, 2))->flags = MAPPING_FORWARDED;
}

static void
last_entry_too_long(uint8_t *i)
{
	struct mapping_header *h = header_of(i);
	struct mapping_entry *e = NULL;
	size_t at = sizeof(*h);

	for (; at < h->slots_at; at += mapping_padded(mapping_entry_octets(e)))
		e = (void *)(i + at);
	e->n_targets = MAPPING_TARGETS_MAX;
}

/* Hash all entries anew into the slots, which begin where the entries end. */
static void
rebuild_slots(uint8_t *image)
{
	struct mapping_header *h = header_of(image);
	struct mapping_slot *slots = slots_of(image);
	const struct mapping_entry *e;
	size_t at = sizeof(*h);
	uint32_t tag, i;

	memset(slots, 0, h->n_slots * sizeof(*slots));
	h->octets = h->slots_at + h->n_slots * sizeof(*slots);
	for (; at < h->slots_at;
	    at += mapping_padded(mapping_entry_octets(e))) {
		e = (const void *)(image + at);
		tag = mapping_tag(&h->key, mapping_entry_name(e), e->name_len);
		i = tag % h->n_slots;
		while (slots[i].entry != 0)
			i = (i + 1) % h->n_slots;
		slots[i] = (struct mapping_slot) { tag, (uint32_t)at };
	}
}

static void
make_empty(uint8_t *i, uint32_t n_slots)
{
	struct mapping_header *h = header_of(i);

	h->n_names = 0;
	h->n_slots = n_slots;
	h->slots_at = sizeof(*h);
	h->depths[0] = h->depths[1] = 0;
	rebuild_slots(i);
}

static void
empty_with_no_slots(uint8_t *i)
{
	make_empty(i, 0);
}

static void
empty_with_24_slots(uint8_t *i)
{
	make_empty(i, 24);
}

static void
empty_with_16_slots(uint8_t *i)
{
	make_empty(i, 16);
}

static void
slot_too_many(uint8_t *i)
{
	struct mapping_slot *slot = slots_of(i);

	while (slot->entry != 0)
		slot++;
	*slot = (struct mapping_slot) { 1, UINT32_C(1) << 30 };
	header_of(i)->n_names++;
}

/* Give the first entry so many targets, all within the image. */
static void
set_targets(uint8_t *i, uint8_t n)
{
	struct mapping_header *h = header_of(i);
	struct mapping_entry *e = (void *)(i + sizeof(*h));
	uint8_t *from = (uint8_t *)(e->target + e->n_targets);
	uint8_t *to = (uint8_t *)(e->target + n);

	memmove(to, from, (size_t)(i + h->slots_at - from));
	h->slots_at = (uint32_t)(h->slots_at + (size_t)(to - from));
	e->n_targets = n;
	rebuild_slots(i);
}

static void
entry_with_no_targets(uint8_t *i)
{
	set_targets(i, 0);
}

static void
entry_with_16_targets(uint8_t *i)
{
	set_targets(i, 16);
}

static void
entry_with_17_targets(uint8_t *i)
{
	set_targets(i, 17);
}

static void
change_name(uint8_t *i, char from, char to)
{
	struct mapping_entry *e = (void *)(i + sizeof(struct mapping_header));
	char *at = memchr((char *)(e->target + e->n_targets), from,
	    e->name_len);

	*at = to;
	rebuild_slots(i);
}

static void
name_with_other_letter(uint8_t *i)
{
	change_name(i, 'e', 'o');
}

static void
name_upper_case(uint8_t *i)
{
	change_name(i, 'e', 'E');
}

static void
name_with_space(uint8_t *i)
{
	change_name(i, 'x', ' ');
}

static void
name_with_nul(uint8_t *i)
{
	change_name(i, 'm', '\0');
}

static const struct {
	const char	*what;
	void		(*spoil)(uint8_t *image);
	enum mapping_fault fault;
} spoilers[] = {
#define SPOILER(how, fault) { #how, how, fault }
	SPOILER(swap_magic, MAPPING_NOT_AN_IMAGE),
	SPOILER(next_version, MAPPING_NOT_AN_IMAGE),
	SPOILER(octets_beyond, MAPPING_NOT_AN_IMAGE),
	SPOILER(fewer_slots, MAPPING_CORRUPT),
	SPOILER(huge_slots, MAPPING_CORRUPT),
	SPOILER(more_names, MAPPING_CORRUPT),
	SPOILER(no_names, MAPPING_CORRUPT),
	SPOILER(slots_before_header, MAPPING_CORRUPT),
	SPOILER(depth_missing, MAPPING_CORRUPT),
	SPOILER(depth_invented, MAPPING_CORRUPT),
	SPOILER(slot_beyond_end, MAPPING_CORRUPT),
	SPOILER(slot_at_header, MAPPING_CORRUPT),
	SPOILER(slot_unaligned, MAPPING_CORRUPT),
	SPOILER(slot_at_other_entry, MAPPING_CORRUPT),
	SPOILER(slot_freed, MAPPING_CORRUPT),
	SPOILER(slot_out_of_reach, MAPPING_CORRUPT),
	SPOILER(free_slot_with_tag, MAPPING_CORRUPT),
	SPOILER(entry_without_service, MAPPING_CORRUPT),
	SPOILER(entry_with_unknown_service, MAPPING_CORRUPT),
	SPOILER(entry_with_all_it_may_ask_for, MAPPING_OK),
	SPOILER(entry_with_unknown_flag, MAPPING_CORRUPT),
	SPOILER(entry_with_both_proxy_headers, MAPPING_CORRUPT),
	SPOILER(entry_for_https_forwarded, MAPPING_CORRUPT),
	SPOILER(last_entry_too_long, MAPPING_CORRUPT),
	SPOILER(empty_with_16_slots, MAPPING_OK),
	SPOILER(empty_with_no_slots, MAPPING_CORRUPT),
	SPOILER(empty_with_24_slots, MAPPING_CORRUPT),
	SPOILER(slot_too_many, MAPPING_CORRUPT),
	SPOILER(entry_with_16_targets, MAPPING_OK),
	SPOILER(entry_with_17_targets, MAPPING_CORRUPT),
	SPOILER(entry_with_no_targets, MAPPING_CORRUPT),
	SPOILER(name_with_other_letter, MAPPING_OK),
	SPOILER(name_upper_case, MAPPING_CORRUPT),
	SPOILER(name_with_space, MAPPING_CORRUPT),
	SPOILER(name_with_nul, MAPPING_CORRUPT),
};

Test(mapping_check, refuses_what_find_could_not_survive)
{
	const struct mapping before = { .len = 1 };
	struct mapping m;
	uint8_t *image, *exact;
	size_t len;

	for (size_t i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++) {
		image = mapping_image_of(example, strlen(example), &len);
		image = realloc(image, len + 512);
		spoilers[i].spoil(image);
		/* Unless that was it, the length is what the header says. */
		if (spoilers[i].spoil != octets_beyond)
			len = header_of(image)->octets;
		exact = malloc(len);
		memcpy(exact, image, len);
		m = before;
		cr_assert_eq(mapping_check(exact, len, &m), spoilers[i].fault,
		    "%s", spoilers[i].what);
		cr_assert_eq(m.len,
		    spoilers[i].fault == MAPPING_OK ? len : before.len);
		free(exact);
		free(image);
	}
}

Test(mapping_check, refuses_a_full_table)
{
	static const char text[] = "a ::1\nb ::1\nc ::1\nd ::1\ne ::1\nf ::1\n"
				   "g ::1\nh ::1\ni ::1\nj ::1\nk ::1\nl ::1\n";
	struct mapping m;
	uint8_t *image;
	size_t len;

	for (size_t n = 11; n <= 12; n++) {
		image = mapping_image_of(text, 6 * n, &len);
		cr_assert_eq(mapping_check(image, len, &m), MAPPING_OK);
		/* With 12 of 16 in use it would still work, but not with 16. */
		header_of(image)->n_slots = 16;
		rebuild_slots(image);
		cr_assert_eq(mapping_check(image, header_of(image)->octets,
				 &m),
		    n == 11 ? MAPPING_OK : MAPPING_CORRUPT, "%zu", n);
		free(image);
	}
}

Test(mapping_check, looks_for_each_of_many_entries)
{
	enum { N = 2 * MAPPING_AHEAD + 3 };
	char text[N * 32], *at = text;
	struct mapping_slot *slot;
	struct mapping m;
	uint8_t *image;
	size_t len;

	for (unsigned i = 0; i < N; i++)
		at += sprintf(at, "vm%u.net ::1\n", i);
	image = mapping_image_of(text, (size_t)(at - text), &len);
	cr_assert_eq(mapping_check(image, len, &m), MAPPING_OK);
	for (unsigned i = 0; i < N; i++) {
		slot = slot_in_use(image, i);
		slot->tag ^= UINT32_C(1) << 31;
		cr_assert_eq(mapping_check(image, len, &m), MAPPING_CORRUPT);
		slot->tag ^= UINT32_C(1) << 31;
	}
	free(image);
}

Test(mapping_check, refuses_a_misaligned_image)
{
	size_t len;
	uint8_t *image = mapping_image_of(example, strlen(example), &len);
	uint8_t *moved = malloc(len + 4);
	struct mapping m;

	memcpy(moved + 4, image, len);
	cr_assert_eq(mapping_check(moved + 4, len, &m), MAPPING_NOT_AN_IMAGE);
	cr_assert_eq(mapping_check(NULL, 0, &m), MAPPING_NOT_AN_IMAGE);
	free(moved);
	free(image);
}

/*
 * An image of n names in 8192 slots, all hashed to `width` slots from `first`
 * on.
 */
static uint8_t *
crowded_image(unsigned n, uint32_t first, uint32_t width, size_t *ret_len)
{
	static const struct siphash_key key = { "mapping_image_of" };
	char *text = malloc(n * 32), name[16], *at = text;
	uint8_t *image;
	int len;

	cr_assert_not_null(text);
	for (unsigned i = 0; n > 0; i++) {
		len = snprintf(name, sizeof(name), "vm%u.net", i);
		if ((mapping_tag(&key, name, (size_t)len) - first) % 8192 >=
		    width)
			continue;
		at += snprintf(at, 32, "%s ::1\n", name);
		n--;
	}
	image = mapping_image_of(text, (size_t)(at - text), ret_len);
	cr_assert_eq(header_of(image)->n_slots, 8192);
	free(text);
	return image;
}

Test(mapping_check, refuses_a_row_of_slots_that_takes_long_to_search)
{
	static const struct {
		unsigned n;
		uint32_t first, width;
		enum mapping_fault fault;
	} cases[] = {
		{ 3900, 100, 3000, MAPPING_OK },
		{ 3900, 8192 - 2000, 3000, MAPPING_OK },
		{ 4300, 100, 3000, MAPPING_CORRUPT },
		/* from the end over to the beginning */
		{ 4300, 8192 - 2000, 3000, MAPPING_CORRUPT },
	};
	struct mapping m;
	uint8_t *image;
	size_t len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image = crowded_image(cases[i].n, cases[i].first,
		    cases[i].width, &len);
		cr_assert_eq(mapping_check(image, len, &m), cases[i].fault,
		    "case %zu", i);
		free(image);
	}
}
