/* SPDX-License-Identifier: ISC */
/*
 * mapping_builder.h - lines in, one image out.
 *
 * Pure but for memory.
 */
#ifndef COMMON_MAPPING_BUILDER_H
#define COMMON_MAPPING_BUILDER_H

#include "common/mapping_line.h"
#include "common/siphash.h"

struct mapping_builder;

struct mapping_origin {
	uint32_t	file;		/* the caller's number for the file */
	uint32_t	line;		/* from 1 */
};

enum mapping_add {
	MAPPING_ADDED = 0,
	MAPPING_DUPLICATE,	/* same name, a service in common */
	MAPPING_FULL,		/* 2^31 octets or 2^27 names */
	MAPPING_NO_MEMORY
};

/* Returns NULL if there is no memory.  The key should be random. */
struct mapping_builder *mapping_builder_new(const struct siphash_key *);
void mapping_builder_free(struct mapping_builder *);

/*
 * Add a line that has a name.  On MAPPING_DUPLICATE *ret_first says where
 * the other one was; it is untouched otherwise.
 */
enum mapping_add mapping_builder_add(struct mapping_builder *,
    const struct mapping_line *, struct mapping_origin,
    struct mapping_origin *ret_first);

/* Octets the image will take. */
size_t mapping_builder_size(const struct mapping_builder *);

/*
 * Write the image to out[mapping_builder_size()], 8-octet aligned.  The
 * builder stays as it is.
 */
void mapping_builder_write(const struct mapping_builder *, void *out);

#endif
