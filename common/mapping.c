/* SPDX-License-Identifier: ISC */
#include "common/mapping.h"

#include <assert.h>
#include <string.h>

#include "common/hostname.h"
#include "common/mapping_layout.h"

static const struct {
	const char	*name;
	uint16_t	 port;
} services[N_SERVICES] = {
	[SERVICE_HTTP] = { "http", 80 },
	[SERVICE_HTTPS] = { "https", 443 },
	[SERVICE_SSH] = { "ssh", 22 },
};

static const struct mapping_header *
header_of(const struct mapping *m)
{
	return (const void *)m->image;
}

static const struct mapping_slot *
slots_of(const struct mapping *m)
{
	return (const void *)(m->image + header_of(m)->slots_at);
}

static const struct mapping_entry *
entry_at(const struct mapping *m, size_t offset)
{
	return (const void *)(m->image + offset);
}

/* --- checking ----------------------------------------------------------- */

bool
mapping_flags_fit(uint8_t flags, uint8_t service_bits)
{
	const unsigned proxy = MAPPING_PROXY_V1 | MAPPING_PROXY_V2;
	const unsigned http = 1u << SERVICE_HTTP;
	const unsigned proxied = http | 1u << SERVICE_HTTPS;

	return (flags & ~MAPPING_FLAGS) == 0 && (flags & proxy) != proxy &&
	    ((flags & proxy) == 0 || (service_bits & proxied) != 0) &&
	    ((flags & MAPPING_FORWARDED) == 0 || (service_bits & http) != 0);
}

static enum mapping_fault
check_header(const void *image, size_t len)
{
	const struct mapping_header *h = image;

	if (image == NULL || (uintptr_t)image % 8 != 0 || len < sizeof(*h) ||
	    h->magic != MAPPING_MAGIC || h->version != MAPPING_VERSION ||
	    h->octets != len || len > MAPPING_OCTETS_MAX)
		return MAPPING_NOT_AN_IMAGE;
	if (h->n_slots < MAPPING_SLOTS_MIN ||
	    (h->n_slots & (h->n_slots - 1)) != 0 ||
	    h->n_names > mapping_slots_hold(h->n_slots) ||
	    h->slots_at < sizeof(*h) || h->slots_at % MAPPING_ALIGN != 0 ||
	    h->slots_at + (uint64_t)h->n_slots * sizeof(struct mapping_slot) !=
	    len || h->reserved != 0)
		return MAPPING_CORRUPT;
	return MAPPING_OK;
}

/* As many slots are in use as there are names, never too many in a row. */
static bool
slots_are_sound(const struct mapping *m)
{
	const struct mapping_header *h = header_of(m);
	const struct mapping_slot *slots = slots_of(m);
	uint32_t mask = h->n_slots - 1, used = 0, run = 0, i;

	for (i = 0; i < h->n_slots; i++) {
		if (slots[i].entry != 0) {
			used++;
			if (++run > MAPPING_RUN_MAX)
				return false;
		} else if (slots[i].tag != 0) {
			return false;
		} else {
			run = 0;
		}
	}
	/* A run at the end goes on at the start. */
	for (i = 0; slots[i & mask].entry != 0; i++)
		if (++run > MAPPING_RUN_MAX)
			return false;
	return used == h->n_names;
}

static bool
name_is_sound(const char *name, size_t len)
{
	char normal[HOSTNAME_MAX + 1];
	size_t normal_len;

	return hostname_normalise_pattern((const void *)name, len, normal,
		   &normal_len) == HOSTNAME_OK &&
	    normal_len == len && memcmp(normal, name, len) == 0;
}

static bool
padding_is_zero(const struct mapping_entry *e)
{
	static const uint8_t zeros[MAPPING_ALIGN];
	size_t octets = mapping_entry_octets(e);

	return memcmp((const uint8_t *)e + octets, zeros,
		   mapping_padded(octets) - octets) == 0;
}

/* The entry is whole, with `room` octets to the end of all entries. */
static bool
entry_is_sound(const struct mapping_entry *e, size_t room)
{
	return room >= sizeof(*e) && e->services != 0 &&
	    e->services < 1u << N_SERVICES && e->n_targets >= 1 &&
	    e->n_targets <= MAPPING_TARGETS_MAX &&
	    mapping_flags_fit(e->flags, e->services) && e->reserved2 == 0 &&
	    mapping_padded(mapping_entry_octets(e)) <= room &&
	    padding_is_zero(e) &&
	    name_is_sound(mapping_entry_name(e), e->name_len);
}

/* A look-up of its name will come past the slot of the entry. */
static bool
can_be_found(const struct mapping *m, const struct mapping_slot *of)
{
	const struct mapping_slot *slots = slots_of(m);
	uint32_t mask = header_of(m)->n_slots - 1, i;

	for (i = of->tag & mask; slots[i].entry != 0; i = (i + 1) & mask) {
		if (slots[i].entry == of->entry)
			return slots[i].tag == of->tag;
	}
	return false;
}

/*
 * Entries fill their part to the end and have a slot each.  That makes
 * every slot in use point at an entry, because the numbers are the same.
 *
 * A slot's cache line takes longer to come than anything else takes, so it is
 * asked for some entries ahead.
 */
static bool
entries_are_sound(const struct mapping *m)
{
	const struct mapping_header *h = header_of(m);
	const struct mapping_slot *slots = slots_of(m);
	struct mapping_slot ahead[MAPPING_AHEAD], *slot;
	const struct mapping_entry *e;
	uint64_t depths[2] = { 0 };
	size_t at = sizeof(*h);
	uint32_t n, i;

	for (n = 0; at < h->slots_at; n++) {
		slot = &ahead[n % MAPPING_AHEAD];
		if (n >= MAPPING_AHEAD && !can_be_found(m, slot))
			return false;
		e = entry_at(m, at);
		if (!entry_is_sound(e, h->slots_at - at))
			return false;
		slot->entry = (uint32_t)at;
		slot->tag = mapping_tag(&h->key, mapping_entry_name(e),
		    e->name_len);
		__builtin_prefetch(&slots[slot->tag & (h->n_slots - 1)]);
		mapping_note_depth(depths, mapping_entry_name(e), e->name_len);
		at += mapping_padded(mapping_entry_octets(e));
	}
	for (i = n < MAPPING_AHEAD ? 0 : n - MAPPING_AHEAD; i < n; i++)
		if (!can_be_found(m, &ahead[i % MAPPING_AHEAD]))
			return false;
	return n == h->n_names && memcmp(depths, h->depths, 16) == 0;
}

enum mapping_fault
mapping_check(const void *image, size_t len, struct mapping *ret)
{
	struct mapping m = { .image = image, .len = len };
	enum mapping_fault fault = check_header(image, len);

	if (fault != MAPPING_OK)
		return fault;
	/* In this order: finding relies on there being free slots. */
	if (!slots_are_sound(&m) || !entries_are_sound(&m))
		return MAPPING_CORRUPT;
	*ret = m;
	return MAPPING_OK;
}

/* --- finding ------------------------------------------------------------ */

/* The entry that stands under just this text. */
static const struct mapping_entry *
find_text(const struct mapping *m, enum service service, const char *text,
    size_t len)
{
	const struct mapping_header *h = header_of(m);
	const struct mapping_slot *slots = slots_of(m);
	const struct mapping_entry *e;
	uint32_t tag = mapping_tag(&h->key, text, len);
	uint32_t i;

	for (i = tag & (h->n_slots - 1); slots[i].entry != 0;
	    i = (i + 1) & (h->n_slots - 1)) {
		if (slots[i].tag != tag)
			continue;
		e = entry_at(m, slots[i].entry);
		if (e->name_len == len && (e->services >> service & 1) != 0 &&
		    memcmp(mapping_entry_name(e), text, len) == 0)
			return e;
	}
	return NULL;
}

/*
 * The longest pattern that matches.  Only depths some pattern has are looked
 * up: a name of 127 labels costs no more than an ordinary one.
 */
static const struct mapping_entry *
find_pattern(const struct mapping *m, enum service service, const char *name,
    size_t len)
{
	const uint64_t *depths = header_of(m)->depths;
	const struct mapping_entry *e;
	char text[HOSTNAME_MAX];
	unsigned labels = 0;
	size_t i;

	memcpy(text, name, len);
	for (i = 0; i < len; i++)
		labels += text[i] == '.';
	for (i = 1; i < len && labels > 0; i++) {
		if (text[i] != '.')
			continue;
		if (labels < 128 && (depths[labels / 64] >> labels % 64 & 1)) {
			/* What is before the dot is no longer needed. */
			text[i - 1] = '*';
			e = find_text(m, service, text + i - 1, len - i + 1);
			if (e != NULL)
				return e;
		}
		labels--;
	}
	return NULL;
}

const struct mapping_entry *
mapping_find(const struct mapping *m, enum service service, const char *name,
    size_t name_len)
{
	const struct mapping_entry *e;

	if (m->image == NULL || name_len == 0 || name_len > HOSTNAME_MAX)
		return NULL;
	e = find_text(m, service, name, name_len);
	return e != NULL ? e : find_pattern(m, service, name, name_len);
}

const char *
mapping_entry_name(const struct mapping_entry *e)
{
	return (const void *)(e->target + e->n_targets);
}

uint32_t
mapping_count(const struct mapping *m)
{
	return m->image != NULL ? header_of(m)->n_names : 0;
}

/* --- services ----------------------------------------------------------- */

const char *
service_name(enum service service)
{
	assert(service < N_SERVICES);
	return services[service].name;
}

uint16_t
service_port(enum service service)
{
	assert(service < N_SERVICES);
	return services[service].port;
}
