/* SPDX-License-Identifier: ISC */
#include "common/mapping_builder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct siphash_key key = { "sixteen octets!" };

/* Memory that moves whenever it changes; what is beyond it is not ours. */
struct heap {
	uint8_t		*at;
	size_t		 octets, most;	/* most: larger it cannot become */
};

static void *
resize(void *arg, size_t octets)
{
	struct heap *heap = arg;
	uint8_t *moved;

	if (octets > heap->most)
		return NULL;
	moved = malloc(octets);
	cr_assert_not_null(moved);
	if (heap->at != NULL)
		memcpy(moved, heap->at,
		    octets < heap->octets ? octets : heap->octets);
	free(heap->at);
	heap->at = moved;
	heap->octets = octets;
	return moved;
}

static struct mapping_builder *
builder_in(struct heap *heap, size_t most)
{
	*heap = (struct heap) { .most = most };
	return mapping_builder_new(&key,
	    (struct mapping_room) { resize, heap });
}

static struct mapping_line
line_of(const char *text)
{
	struct mapping_line line;
	char problem[256];

	cr_assert(mapping_line_parse(text, strlen(text), &line, problem,
		      sizeof(problem)),
	    "%s: %s", text, problem);
	return line;
}

static enum mapping_build
add(struct mapping_builder *b, const char *text, uint32_t file, uint32_t line)
{
	struct mapping_line parsed = line_of(text);

	return mapping_builder_add(b, &parsed,
	    (struct mapping_origin) { file, line });
}

static void
no_duplicate(void *arg, const struct mapping_duplicate *d)
{
	(void)arg;
	cr_assert(false, "%.*s", (int)d->name_len, d->name);
}

/* The image is whole and sound. */
static struct mapping
finish(struct mapping_builder *b, const struct heap *heap)
{
	struct mapping m;
	size_t octets;

	cr_assert_eq(mapping_builder_finish(b, no_duplicate, NULL, &octets),
	    MAPPING_BUILT);
	cr_assert_eq(octets, heap->octets);
	cr_assert_eq(mapping_check(heap->at, octets, &m), MAPPING_OK);
	return m;
}

/* What was told of duplicates: "name file:line first-file:line\n" each. */
struct told {
	const struct mapping_builder *builder;
	char		 text[1024];
	size_t		 len;
};

static void
tell(void *arg, const struct mapping_duplicate *d)
{
	struct told *told = arg;
	struct mapping_origin at, first;

	at = mapping_builder_origin(told->builder, d->entry);
	first = mapping_builder_origin(told->builder, d->first);
	told->len += (size_t)snprintf(told->text + told->len,
	    sizeof(told->text) - told->len, "%.*s %u:%u %u:%u\n",
	    (int)d->name_len, d->name, at.file, at.line, first.file,
	    first.line);
	cr_assert_lt(told->len, sizeof(told->text));
}

Test(mapping_builder, tells_where_both_of_two_were)
{
	static const struct {
		const char *text;
		uint32_t file, line;
	} lines[] = {
		{ "www.example.com ::1", 0, 1 },
		{ "WWW.example.com. ::2", 0, 2 },		/* again */
		{ "*.example.com ::1", 0, 4 },
		{ "*.example.com ::1 services=ssh", 0, 5 },	/* again */
		{ "example.com ::1 services=http", 0, 6 },
		{ "example.com ::1 services=ssh", 1, 7 },
		{ "example.com ::1 services=https", 1, 8 },
		{ "example.com ::1 services=https,ssh", 2, 9 },	/* again */
		{ "example.com ::1 services=https", 2, 100 },	/* again */
		{ "example.com ::1", 2, 101 },			/* again */
		{ "example.co ::1", 2, 102 },
		{ "xexample.com ::1", 3, 1 },
		{ "www.example.com ::1", 3, 2 },		/* again */
	};
	struct told told = { .len = 0 };
	struct mapping_builder *b;
	struct heap heap;
	size_t octets;

	b = builder_in(&heap, SIZE_MAX);
	told.builder = b;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_assert_eq(add(b, lines[i].text, lines[i].file,
				 lines[i].line),
		    MAPPING_BUILT);
	cr_assert_eq(mapping_builder_finish(b, tell, &told, &octets),
	    MAPPING_BUILT);
	cr_assert_str_eq(told.text,
	    "www.example.com 0:2 0:1\n"
	    "*.example.com 0:5 0:4\n"
	    "example.com 2:9 1:7\n"
	    "example.com 2:100 1:8\n"
	    "example.com 2:101 0:6\n"
	    "www.example.com 3:2 0:1\n");
	mapping_builder_free(b);
	free(heap.at);
}

Test(mapping_builder, makes_images_of_nothing_and_of_little)
{
	struct mapping_builder *b;
	struct heap heap;
	struct mapping m;

	b = builder_in(&heap, SIZE_MAX);
	m = finish(b, &heap);
	cr_assert_eq(mapping_count(&m), 0);
	cr_assert_null(mapping_find(&m, SERVICE_HTTP, "a.b", 3));
	mapping_builder_free(b);
	free(heap.at);

	b = builder_in(&heap, SIZE_MAX);
	add(b, "a.b ::1", 0, 1);
	m = finish(b, &heap);
	cr_assert_not_null(mapping_find(&m, SERVICE_HTTP, "a.b", 3));
	mapping_builder_free(b);
	mapping_builder_free(NULL);
	free(heap.at);
}

Test(mapping_builder, says_when_there_is_no_room)
{
	struct mapping_builder *b;
	enum mapping_build made = MAPPING_BUILT;
	struct heap heap;
	size_t octets;
	char text[64];
	unsigned n;

	cr_assert_null(builder_in(&heap, 100));
	cr_assert_null(heap.at);

	b = builder_in(&heap, 10000);
	for (n = 0; made == MAPPING_BUILT; n++) {
		snprintf(text, sizeof(text), "n%u.example ::1", n);
		made = add(b, text, 0, n + 1);
	}
	cr_assert_eq(made, MAPPING_NO_MEMORY);
	cr_assert_gt(n, 150);
	/* What was added before is still good, if there is room for slots. */
	cr_assert_eq(mapping_builder_finish(b, no_duplicate, NULL, &octets),
	    MAPPING_NO_MEMORY);
	heap.most = SIZE_MAX;
	cr_assert_eq(mapping_count(&(struct mapping) { 0 }), 0);
	finish(b, &heap);
	mapping_builder_free(b);
	free(heap.at);
}

static int
number_name(char *out, size_t room, uint32_t i)
{
	return snprintf(out, room, "%s%u.vm.example.net", i % 7 ? "vm" : "*.",
	    i);
}

Test(mapping_builder, holds_many_names_in_64_octets_beside_each)
{
	enum { N = 50000 };
	struct mapping_builder *b;
	const struct mapping_entry *e;
	char text[64], name[48];
	size_t name_octets = 0;
	struct heap heap;
	struct mapping m;
	int len;

	b = builder_in(&heap, SIZE_MAX);
	for (uint32_t i = 0; i < N; i++) {
		name_octets += (size_t)number_name(name, sizeof(name), i);
		snprintf(text, sizeof(text), "%s 2001:db8::%x", name, i + 1);
		/* every third line is a comment */
		cr_assert_eq(add(b, text, 5, i + i / 2), MAPPING_BUILT);
	}
	m = finish(b, &heap);
	cr_assert_leq(m.len, name_octets + 64 * N);
	cr_assert_eq(mapping_count(&m), N);
	for (uint32_t i = 0; i < N; i++) {
		len = number_name(name, sizeof(name), i);
		e = mapping_find(&m, SERVICE_SSH, name, (size_t)len);
		cr_assert_not_null(e, "%s", name);
		cr_assert_eq(e->name_len, len);
		cr_assert_eq(memcmp(mapping_entry_name(e), name, (size_t)len),
		    0);
		cr_assert_eq(e->target[0].octet[15], (uint8_t)(i + 1));
		if (i % 997 != 0)
			continue;
		cr_assert_eq(mapping_builder_origin(b,
				 (uint32_t)((const uint8_t *)e - m.image))
				 .line, i + i / 2);
	}
	mapping_builder_free(b);
	free(heap.at);
}
