/* SPDX-License-Identifier: ISC */
/*
 * worker_state.h - what worker.c, a worker's life, and worker_packets.c, what
 * it does with each packet, share; nobody else includes it.
 */
#ifndef TRANSLATE_WORKER_STATE_H
#define TRANSLATE_WORKER_STATE_H

#include "translate/vnet.h"
#include "translate/worker.h"

enum {
	/* Where a packet begins in the buffer: room before it for what the
	 * translator puts there, and for its vnet header; a multiple of 16, so
	 * that the fields of its header are aligned. */
	PACKET_AT = 64,
	READ_OCTETS = VNET_OCTETS + PACKET_MAX + 1,
	BUFFER_OCTETS = PACKET_AT - VNET_OCTETS + READ_OCTETS
};

struct worker {
	struct worker_start start;
	struct siit_queue *queue;	/* owned */
	uint8_t		*buffer;	/* owned; BUFFER_OCTETS */
	uint64_t	 now_ms;	/* monotonic */
	uint64_t	 checked_ms;	/* when we looked up last */
	uint64_t	 copied_ms;	/* leases, likewise */
	uint32_t	 copied_at;	/* where in the pool to go on */
	uint64_t	 pool_changes;	/* that were copied */
	struct token_bucket log_lines;
	uint64_t	 unlogged;	/* drops, since the last line */
};

/*
 * Translate what was read to w->buffer + PACKET_AT - VNET_OCTETS: a vnet
 * header and a packet, `len` octets in all.  Writes what comes of it, counts,
 * and tells of drops if that was asked for.
 */
void worker_translate(struct worker *, size_t len);

#endif
