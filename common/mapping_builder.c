/* SPDX-License-Identifier: ISC */
#include "common/mapping_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapping_layout.h"

enum {
	NAMES_MAX = 1 << 27,
	ROOM_MIN = 4096,	/* octets of the room at first */
	ROOM_STEP = 1 << 20	/* and what it grows by when it is large */
};

/* Entries from `entry` on, up to the next run's, are of lines that follow one
 * another. */
struct run {
	uint32_t	entry;		/* octets from the image's start */
	struct mapping_origin origin;	/* of the first */
};

/* Header and entries grow in their place; the slots come at the end. */
struct mapping_builder {
	struct mapping_room room;	/* borrowed */
	uint8_t		*image;		/* borrowed; where the room is */
	size_t		 used, octets;	/* of the room */
	struct run	*runs;		/* owned; in ascending order */
	size_t		 n_runs, runs_room;
	struct mapping_origin next;	/* goes on with the last run */
};

static struct mapping_header *
header_of(const struct mapping_builder *b)
{
	return (void *)b->image;
}

static const struct mapping_entry *
entry_at(const struct mapping_builder *b, size_t offset)
{
	return (const void *)(b->image + offset);
}

static bool
resize(struct mapping_builder *b, size_t octets)
{
	void *image = b->room.resize(b->room.arg, octets);

	if (image == NULL)
		return false;
	assert((uintptr_t)image % 8 == 0);
	b->image = image;
	b->octets = octets;
	return true;
}

struct mapping_builder *
mapping_builder_new(const struct siphash_key *key, struct mapping_room room)
{
	struct mapping_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->room = room;
	if (!resize(b, ROOM_MIN)) {
		free(b);
		return NULL;
	}
	b->used = sizeof(struct mapping_header);
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
	free(b->runs);
	free(b);
}

/* --- adding ------------------------------------------------------------- */

/* Note where the entry that comes next is from; false: no memory. */
static bool
note_origin(struct mapping_builder *b, struct mapping_origin origin)
{
	size_t more = b->runs_room < 64 ? 64 : b->runs_room * 3 / 2;
	struct run *runs;

	if (b->n_runs == 0 || origin.file != b->next.file ||
	    origin.line != b->next.line) {
		if (b->n_runs == b->runs_room) {
			runs = realloc(b->runs, more * sizeof(*runs));
			if (runs == NULL)
				return false;
			b->runs = runs;
			b->runs_room = more;
		}
		b->runs[b->n_runs++] = (struct run) {
			(uint32_t)b->used, origin
		};
	}
	b->next = origin;
	b->next.line++;
	return true;
}

/* Make room for one more entry of so many octets. */
static enum mapping_build
make_room(struct mapping_builder *b, size_t octets)
{
	struct mapping_header *h = header_of(b);
	uint32_t n_slots = h->n_slots;
	size_t more = b->octets;

	if (h->n_names == NAMES_MAX)
		return MAPPING_FULL;
	if (h->n_names + 1 > mapping_slots_hold(n_slots))
		n_slots *= 2;
	if (b->used + octets +
	    (uint64_t)n_slots * sizeof(struct mapping_slot) >
	    MAPPING_OCTETS_MAX)
		return MAPPING_FULL;
	while (more < b->used + octets)
		more += more < ROOM_STEP ? more : ROOM_STEP;
	if (more > b->octets && !resize(b, more))
		return MAPPING_NO_MEMORY;
	header_of(b)->n_slots = n_slots;
	return MAPPING_BUILT;
}

enum mapping_build
mapping_builder_add(struct mapping_builder *b, const struct mapping_line *line,
    struct mapping_origin origin)
{
	struct mapping_entry head = {
		.services = line->services,
		.n_targets = (uint8_t)line->n_targets,
		.name_len = (uint8_t)line->name_len,
		.flags = line->flags,
	};
	size_t octets = mapping_entry_octets(&head);
	size_t targets = line->n_targets * sizeof(line->target[0]);
	enum mapping_build made;
	uint8_t *at;

	assert(line->name_len >= 1 && line->name_len <= HOSTNAME_MAX);
	assert(line->n_targets >= 1 && line->n_targets <= MAPPING_TARGETS_MAX);
	assert(line->services != 0 && line->services < 1u << N_SERVICES);
	assert(mapping_flags_fit(line->flags, line->services));
	made = make_room(b, mapping_padded(octets));
	if (made != MAPPING_BUILT)
		return made;
	if (!note_origin(b, origin))
		return MAPPING_NO_MEMORY;
	memcpy(head.port, line->port, sizeof(head.port));
	at = b->image + b->used;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), line->target, targets);
	memcpy(at + sizeof(head) + targets, line->name, line->name_len);
	memset(at + octets, 0, mapping_padded(octets) - octets);
	mapping_note_depth(header_of(b)->depths, line->name, line->name_len);
	header_of(b)->n_names++;
	b->used += mapping_padded(octets);
	return MAPPING_BUILT;
}

/* --- the slots ---------------------------------------------------------- */

/* True if the entries have the name and a service in common. */
static bool
are_rivals(const struct mapping_entry *a, const struct mapping_entry *b)
{
	return a->name_len == b->name_len && (a->services & b->services) != 0 &&
	    memcmp(mapping_entry_name(a), mapping_entry_name(b),
		a->name_len) == 0;
}

static void
place(const struct mapping_builder *b, struct mapping_slot slot,
    mapping_duplicate_fn *fn, void *arg)
{
	const struct mapping_header *h = header_of(b);
	const struct mapping_entry *e = entry_at(b, slot.entry);
	struct mapping_slot *slots = (void *)(b->image + h->slots_at);
	uint32_t mask = h->n_slots - 1, i;
	struct mapping_duplicate found;

	for (i = slot.tag & mask; slots[i].entry != 0; i = (i + 1) & mask) {
		if (slots[i].tag != slot.tag ||
		    !are_rivals(e, entry_at(b, slots[i].entry)))
			continue;
		found.name = mapping_entry_name(e);
		found.name_len = e->name_len;
		found.entry = slot.entry;
		found.first = slots[i].entry;
		fn(arg, &found);
		return;
	}
	slots[i] = slot;
}

/* A slot's cache line takes longer to come than anything else takes, so it is
 * asked for some entries ahead. */
static void
place_all(const struct mapping_builder *b, mapping_duplicate_fn *fn, void *arg)
{
	const struct mapping_header *h = header_of(b);
	const struct mapping_slot *slots = (void *)(b->image + h->slots_at);
	struct mapping_slot ahead[MAPPING_AHEAD], slot;
	const struct mapping_entry *e;
	size_t at = sizeof(*h);
	uint32_t n;

	for (n = 0; n < h->n_names + MAPPING_AHEAD; n++) {
		if (n >= MAPPING_AHEAD)
			place(b, ahead[n % MAPPING_AHEAD], fn, arg);
		if (n >= h->n_names)
			continue;
		e = entry_at(b, at);
		slot.entry = (uint32_t)at;
		slot.tag = mapping_tag(&h->key, mapping_entry_name(e),
		    e->name_len);
		__builtin_prefetch(&slots[slot.tag & (h->n_slots - 1)], 1);
		ahead[n % MAPPING_AHEAD] = slot;
		at += mapping_padded(mapping_entry_octets(e));
	}
}

enum mapping_build
mapping_builder_finish(struct mapping_builder *b, mapping_duplicate_fn *fn,
    void *arg, size_t *ret_octets)
{
	struct mapping_header *h = header_of(b);
	size_t slots = h->n_slots * sizeof(struct mapping_slot);

	if (!resize(b, b->used + slots))
		return MAPPING_NO_MEMORY;
	h = header_of(b);
	h->slots_at = (uint32_t)b->used;
	h->octets = b->octets;
	memset(b->image + b->used, 0, slots);
	place_all(b, fn, arg);
	*ret_octets = b->octets;
	return MAPPING_BUILT;
}

struct mapping_origin
mapping_builder_origin(const struct mapping_builder *b, uint32_t entry)
{
	size_t low = 0, high = b->n_runs, middle, at;
	struct mapping_origin origin;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (b->runs[middle].entry <= entry)
			low = middle;
		else
			high = middle;
	}
	origin = b->runs[low].origin;
	for (at = b->runs[low].entry; at < entry;
	    at += mapping_padded(mapping_entry_octets(entry_at(b, at))))
		origin.line++;
	return origin;
}
