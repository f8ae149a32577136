/* SPDX-License-Identifier: ISC */
/*
 * mapping.h - the table from (service, name) to VM addresses.
 *
 * An immutable, position-independent image: offsets, no pointers, so that it
 * can live in a sealed memfd that every worker maps read-only.
 * mapping_builder.h makes one.  Exact names and "*." patterns share one keyed
 * hash table; a pattern stands under its own text ("*.example.com").
 * "*.example.com" matches any depth below example.com, not example.com
 * itself; exact beats pattern, the longer pattern beats the shorter, all
 * among the entries that have the service.
 *
 * Pure: reads the image it is given and nothing else.
 */
#ifndef COMMON_MAPPING_H
#define COMMON_MAPPING_H

#include "common/addr.h"

enum service {
	SERVICE_HTTP,
	SERVICE_HTTPS,
	SERVICE_SSH,
	N_SERVICES
};

enum { MAPPING_TARGETS_MAX = 16 };	/* per line of a mapping file */

/* What a line asks for besides its targets: bits of mapping_entry.flags. */
enum {
	MAPPING_PROXY_V1 = 1 << 0,	/* proxy=v1: a PROXY header to the VM */
	MAPPING_PROXY_V2 = 1 << 1,	/* proxy=v2; never both */
	MAPPING_SOURCE_EMBED = 1 << 2,	/* source=embed: connect from the
					 * client's IPv4 in embed_prefix */
	MAPPING_FORWARDED = 1 << 3,	/* forwarded=yes; HTTP only */
	MAPPING_FLAGS = (1 << 4) - 1	/* all of them */
};

/* One line of a mapping, inside the image; followed by its name, no NUL. */
struct mapping_entry {
	uint8_t		services;	/* bit (1 << enum service) */
	uint8_t		n_targets;	/* 1-MAPPING_TARGETS_MAX */
	uint8_t		name_len;	/* 1-HOSTNAME_MAX */
	uint8_t		flags;		/* MAPPING_PROXY_V1... */
	uint16_t	port[N_SERVICES];	/* 0: the listener's port */
	uint16_t	reserved2;	/* 0 */
	struct addr	target[];
};

struct mapping {
	const uint8_t	*image;		/* borrowed; 8-octet aligned */
	size_t		 len;
};

enum mapping_fault {
	MAPPING_OK = 0,
	MAPPING_NOT_AN_IMAGE,	/* magic, version or size is wrong */
	MAPPING_CORRUPT		/* an offset, count or slot is wrong */
};

/*
 * Look at every offset of an image that something less trusted made.  Only
 * an image that passed may be given to mapping_find.  O(size).
 * *ret is set only on MAPPING_OK and borrows `image`.
 */
enum mapping_fault mapping_check(const void *image, size_t len,
    struct mapping *ret);

/*
 * The entry for a normalised name (hostname.h), or NULL.  Lives as long as
 * the image: copy what must outlive a reload.
 */
const struct mapping_entry *mapping_find(const struct mapping *,
    enum service, const char *name, size_t name_len);

/* The name of an entry; not NUL-ended, entry->name_len octets. */
const char *mapping_entry_name(const struct mapping_entry *);

/*
 * True if the bits are known ones, at most one of the PROXY bits, and each
 * means something to one of the services: SOURCE_EMBED to any, PROXY to HTTP
 * and HTTPS, FORWARDED to HTTP.  So it is in any image that passed.
 */
bool mapping_flags_fit(uint8_t flags, uint8_t services);

/* How many names the image holds. */
uint32_t mapping_count(const struct mapping *);

/* "http", "https", "ssh". */
const char *service_name(enum service);

/* 80, 443, 22. */
uint16_t service_port(enum service);

#endif
