/* SPDX-License-Identifier: ISC */
/*
 * mapping_builder.h - lines in, one image out.
 *
 * The image grows where it will be used, in memory that the caller has, so
 * that it never exists twice; what the builder needs besides is small as long
 * as most lines of a file follow one another.
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

/* Memory of the caller's for the image. */
struct mapping_room {
	/*
	 * Make it so long; what is in it stays.  Returns where it is now,
	 * 8-octet aligned, or NULL, and then it is as it was.
	 */
	void		*(*resize)(void *arg, size_t octets);
	void		*arg;
};

enum mapping_build {
	MAPPING_BUILT = 0,
	MAPPING_FULL,		/* 2^31 octets or 2^27 names */
	MAPPING_NO_MEMORY
};

/* Returns NULL if there is no memory.  The key should be random.  Using the
 * room between these calls is the builder's alone. */
struct mapping_builder *mapping_builder_new(const struct siphash_key *,
    struct mapping_room);
void mapping_builder_free(struct mapping_builder *);

/* Add a line that has a name. */
enum mapping_build mapping_builder_add(struct mapping_builder *,
    const struct mapping_line *, struct mapping_origin);

/* An entry has the name of one before it, and a service. */
struct mapping_duplicate {
	const char	*name;		/* not NUL-ended */
	size_t		 name_len;
	uint32_t	 entry, first;	/* for mapping_builder_origin */
};

typedef void mapping_duplicate_fn(void *arg,
    const struct mapping_duplicate *);

/*
 * Finish the image, which then fills the room: *ret_octets.  Tells of each
 * entry that is a duplicate, in order; if there is one the image is unsound.
 * Afterwards the builder can only be asked for origins, and freed.
 */
enum mapping_build mapping_builder_finish(struct mapping_builder *,
    mapping_duplicate_fn *, void *arg, size_t *ret_octets);

/* Where an entry came from.  Takes time: for messages. */
struct mapping_origin mapping_builder_origin(const struct mapping_builder *,
    uint32_t entry);

#endif
