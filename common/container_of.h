/* SPDX-License-Identifier: ISC */
/*
 * container_of.h - from a member back to what it is embedded in.
 */
#ifndef COMMON_CONTAINER_OF_H
#define COMMON_CONTAINER_OF_H

#include <stddef.h>

#define CONTAINER_OF(type, member, p) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))

#endif
