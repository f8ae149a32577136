/* SPDX-License-Identifier: ISC */
/*
 * need.h - memory that start-up and configuration cannot do without.
 *
 * Never for what a peer can make us allocate.
 */
#ifndef COMMON_NEED_H
#define COMMON_NEED_H

#include <stddef.h>

#include "common/log.h"

/* Return what malloc, realloc, strdup... returned; NULL ends the process. */
static inline void *
need(void *memory)
{
	if (memory == NULL)
		log_fatal("out of memory");
	return memory;
}

#endif
