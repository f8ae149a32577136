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

/*
 * Lines that are wrong, or duplicates, are left out.  The image is the
 * caller's to free.
 */
static inline void *
mapping_image_of(const char *text, size_t len, size_t *ret_len)
{
	static const struct siphash_key key = { "mapping_image_of" };
	struct mapping_builder *b = mapping_builder_new(&key);
	struct mapping_origin at = { 0, 0 }, first;
	const char *end = text + len, *newline;
	struct mapping_line line;
	char problem[256];
	void *image;

	assert(b != NULL);
	for (; text < end; text = newline) {
		newline = memchr(text, '\n', (size_t)(end - text));
		newline = newline != NULL ? newline + 1 : end;
		at.line++;
		if (mapping_line_parse(text, (size_t)(newline - text), &line,
			problem, sizeof(problem)) &&
		    line.name_len > 0)
			mapping_builder_add(b, &line, at, &first);
	}
	*ret_len = mapping_builder_size(b);
	image = malloc(*ret_len);
	assert(image != NULL);
	mapping_builder_write(b, image);
	mapping_builder_free(b);
	return image;
}

#endif
