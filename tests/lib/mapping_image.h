/* SPDX-License-Identifier: ISC */
/*
 * mapping_image.h - a mapping made of the text of a mapping file.
 */
#ifndef TESTS_LIB_MAPPING_IMAGE_H
#define TESTS_LIB_MAPPING_IMAGE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapping_builder.h"

/* A builder's room on the heap; `arg` is the pointer to it, NULL at first. */
static inline void *
mapping_image_resize(void *arg, size_t octets)
{
	void **image = arg, *moved = realloc(*image, octets);

	if (moved != NULL)
		*image = moved;
	return moved;
}

struct mapping_image_lines {
	const struct mapping_builder *builder;
	uint8_t		*skip;		/* by line: 1 if it is left out */
	unsigned	 n_skipped;
};

static inline void
mapping_image_skip(void *arg, const struct mapping_duplicate *d)
{
	struct mapping_image_lines *lines = arg;

	lines->skip[mapping_builder_origin(lines->builder, d->entry).line] = 1;
	lines->n_skipped++;
}

/* Returns the image; the lines that are duplicates are marked. */
static inline void *
mapping_image_build(const char *text, size_t len,
    struct mapping_image_lines *lines, size_t *ret_len)
{
	static const struct siphash_key key = { "mapping_image_of" };
	void *image = NULL;
	const struct mapping_room room = { mapping_image_resize, &image };
	struct mapping_builder *b = mapping_builder_new(&key, room);
	struct mapping_origin at = { 0, 0 };
	const char *end = text + len, *newline;
	struct mapping_line line;
	enum mapping_build made;
	char problem[256];

	assert(b != NULL);
	for (; text < end; text = newline) {
		newline = memchr(text, '\n', (size_t)(end - text));
		newline = newline != NULL ? newline + 1 : end;
		at.line++;
		if (lines->skip[at.line] == 0 &&
		    mapping_line_parse(text, (size_t)(newline - text), &line,
			problem, sizeof(problem)) &&
		    line.name_len > 0)
			mapping_builder_add(b, &line, at);
	}
	lines->builder = b;
	lines->n_skipped = 0;
	made = mapping_builder_finish(b, mapping_image_skip, lines, ret_len);
	assert(made == MAPPING_BUILT);
	mapping_builder_free(b);
	return image;
}

/*
 * Lines that are wrong, or duplicates, are left out.  The image is the
 * caller's to free.
 */
static inline void *
mapping_image_of(const char *text, size_t len, size_t *ret_len)
{
	struct mapping_image_lines lines = { .skip = calloc(len + 2, 1) };
	void *image;

	assert(lines.skip != NULL);
	image = mapping_image_build(text, len, &lines, ret_len);
	if (lines.n_skipped > 0) {
		free(image);
		image = mapping_image_build(text, len, &lines, ret_len);
		assert(lines.n_skipped == 0);
	}
	free(lines.skip);
	return image;
}

#endif
