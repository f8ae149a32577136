/* SPDX-License-Identifier: ISC */
#include "common/mapping_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapping_layout.h"

enum { NAMES_MAX = 1 << 27 };

struct origin_of {
	uint32_t	entry;		/* where it is, in octets */
	struct mapping_origin origin;
};

/* Header and entries grow as they will lie in the image; so do the slots. */
struct mapping_builder {
	uint8_t		*image;		/* owned; without the slots */
	size_t		 used, room;	/* octets of `image` */
	struct mapping_slot *slots;	/* owned */
	struct origin_of *origins;	/* owned; in ascending order */
	size_t		 origins_room;
};

static struct mapping_header *
header_of(const struct mapping_builder *b)
{
	return (void *)b->image;
}

static const struct mapping_entry *
entry_at(const struct mapping_builder *b, uint32_t offset)
{
	return (const void *)(b->image + offset);
}

struct mapping_builder *
mapping_builder_new(const struct siphash_key *key)
{
	struct mapping_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->used = sizeof(struct mapping_header);
	b->room = 4096;
	b->image = malloc(b->room);
	b->slots = calloc(MAPPING_SLOTS_MIN, sizeof(*b->slots));
	if (b->image == NULL || b->slots == NULL) {
		mapping_builder_free(b);
		return NULL;
	}
	*header_of(b) = (struct mapping_header) {
		.magic = MAPPING_MAGIC,
		.version = MAPPING_VERSION,
		.key = *key,
		.n_slots = MAPPING_SLOTS_MIN,
	};
	return b;
}

void
mapping_builder_free(struct mapping_builder *b)
{
	if (b == NULL)
		return;
	free(b->origins);
	free(b->slots);
	free(b->image);
	free(b);
}

/* --- room --------------------------------------------------------------- */

/* Make the array at *array hold n elements; false if there is no memory. */
static bool
grow(void **array, size_t *room, size_t n, size_t element)
{
	size_t more = *room;
	void *moved;

	if (n <= *room)
		return true;
	while (more < n)
		more = more < 64 ? 64 : more + more / 2;
	moved = realloc(*array, more * element);
	if (moved == NULL)
		return false;
	*array = moved;
	*room = more;
	return true;
}

static void
place(struct mapping_slot *slots, uint32_t n_slots, struct mapping_slot slot)
{
	uint32_t i = slot.tag & (n_slots - 1);

	while (slots[i].entry != 0)
		i = (i + 1) & (n_slots - 1);
	slots[i] = slot;
}

static bool
grow_slots(struct mapping_builder *b, uint32_t n_slots)
{
	struct mapping_header *h = header_of(b);
	struct mapping_slot *slots;
	uint32_t i;

	if (n_slots == h->n_slots)
		return true;
	slots = calloc(n_slots, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (i = 0; i < h->n_slots; i++) {
		if (b->slots[i].entry != 0)
			place(slots, n_slots, b->slots[i]);
	}
	free(b->slots);
	b->slots = slots;
	h->n_slots = n_slots;
	return true;
}

/* Make room for one more entry of so many octets. */
static enum mapping_add
make_room(struct mapping_builder *b, size_t octets)
{
	struct mapping_header *h = header_of(b);
	uint32_t n = h->n_names + 1, n_slots = h->n_slots;
	void *image = b->image, *origins = b->origins;
	bool ok;

	if (n > mapping_slots_hold(n_slots))
		n_slots *= 2;
	if (n > NAMES_MAX ||
	    b->used + octets + (uint64_t)n_slots * sizeof(*b->slots) >
	    MAPPING_OCTETS_MAX)
		return MAPPING_FULL;
	ok = grow(&image, &b->room, b->used + octets, 1);
	b->image = image;
	ok = ok && grow(&origins, &b->origins_room, n, sizeof(*b->origins));
	b->origins = origins;
	return ok && grow_slots(b, n_slots) ? MAPPING_ADDED :
					      MAPPING_NO_MEMORY;
}

/* --- adding ------------------------------------------------------------- */

static struct mapping_origin
origin_of(const struct mapping_builder *b, uint32_t entry)
{
	size_t low = 0, high = header_of(b)->n_names;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (b->origins[middle].entry <= entry)
			low = middle;
		else
			high = middle;
	}
	return b->origins[low].origin;
}

/* The offset of an entry that has the line's name and a service of it, or 0. */
static uint32_t
find_rival(const struct mapping_builder *b, const struct mapping_line *line,
    uint32_t tag)
{
	uint32_t mask = header_of(b)->n_slots - 1, i;
	const struct mapping_entry *e;

	for (i = tag & mask; b->slots[i].entry != 0; i = (i + 1) & mask) {
		if (b->slots[i].tag != tag)
			continue;
		e = entry_at(b, b->slots[i].entry);
		if (e->name_len == line->name_len &&
		    (e->services & line->services) != 0 &&
		    memcmp(mapping_entry_name(e), line->name, e->name_len) ==
		    0)
			return b->slots[i].entry;
	}
	return 0;
}

static void
append(struct mapping_builder *b, const struct mapping_line *line,
    const struct mapping_entry *head, uint32_t tag)
{
	struct mapping_header *h = header_of(b);
	size_t targets = head->n_targets * sizeof(head->target[0]);
	size_t octets = mapping_entry_octets(head);
	uint8_t *at = b->image + b->used;

	memcpy(at, head, sizeof(*head));
	memcpy(at + sizeof(*head), line->target, targets);
	memcpy(at + sizeof(*head) + targets, line->name, line->name_len);
	memset(at + octets, 0, mapping_padded(octets) - octets);
	place(b->slots, h->n_slots,
	    (struct mapping_slot) { tag, (uint32_t)b->used });
	mapping_note_depth(h->depths, line->name, line->name_len);
	h->n_names++;
	b->used += mapping_padded(octets);
}

enum mapping_add
mapping_builder_add(struct mapping_builder *b, const struct mapping_line *line,
    struct mapping_origin origin, struct mapping_origin *ret_first)
{
	struct mapping_entry head = {
		.services = line->services,
		.n_targets = (uint8_t)line->n_targets,
		.name_len = (uint8_t)line->name_len,
		.flags = line->flags,
	};
	enum mapping_add added;
	uint32_t tag, rival;

	assert(line->name_len >= 1 && line->name_len <= HOSTNAME_MAX);
	assert(line->n_targets >= 1 && line->n_targets <= MAPPING_TARGETS_MAX);
	assert(line->services != 0 && line->services < 1u << N_SERVICES);
	assert(mapping_flags_fit(line->flags, line->services));
	memcpy(head.port, line->port, sizeof(head.port));
	tag = mapping_tag(&header_of(b)->key, line->name, line->name_len);
	rival = find_rival(b, line, tag);
	if (rival != 0) {
		*ret_first = origin_of(b, rival);
		return MAPPING_DUPLICATE;
	}
	added = make_room(b, mapping_padded(mapping_entry_octets(&head)));
	if (added != MAPPING_ADDED)
		return added;
	b->origins[header_of(b)->n_names] = (struct origin_of) {
		(uint32_t)b->used, origin
	};
	append(b, line, &head, tag);
	return MAPPING_ADDED;
}

/* --- the image ---------------------------------------------------------- */

size_t
mapping_builder_size(const struct mapping_builder *b)
{
	return b->used + header_of(b)->n_slots * sizeof(*b->slots);
}

void
mapping_builder_write(const struct mapping_builder *b, void *out)
{
	struct mapping_header *h = out;

	assert((uintptr_t)out % 8 == 0);
	memcpy(out, b->image, b->used);
	memcpy((uint8_t *)out + b->used, b->slots,
	    header_of(b)->n_slots * sizeof(*b->slots));
	h->octets = mapping_builder_size(b);
	h->slots_at = (uint32_t)b->used;
}
