/* SPDX-License-Identifier: ISC */
/*
 * worker.h - the process of one SSH connection.
 *
 * Forked by the parent with the client's descriptor and a pair to the broker,
 * and nothing else.  Before it reads the client's first byte it is
 * unprivileged, in an empty root, without the right to open files and
 * sockets, and its memory is bounded.  It ends itself when one turn of its
 * loop takes a second of CPU time (libssh.md 1: a client can make libssh
 * loop), and the parent ends it when it is busy for long without moving a
 * byte.
 *
 * SIGTERM: it ends when the last channel has ended; a second one: at once.
 */
#ifndef JUMPD_WORKER_H
#define JUMPD_WORKER_H

#include <stdatomic.h>

#include "common/sandbox.h"
#include "jumpd/host_keys.h"
#include "jumpd/settings.h"

/*
 * What a session's process tells the parent, in memory they share: a page
 * each, and a process has only its own.
 */
struct worker_slot {
	_Alignas(4096) _Atomic uint64_t moved;	/* octets relayed so far */
};

struct worker_start {
	int		 client;
	int		 broker;
	int		 null_fd;	/* /dev/null */
	int		 empty_root;	/* a folder; -1: no right to chroot */
	uint64_t	 memory_octets;	/* of address space, beyond which there
					 * is none; 0: no limit */
	const struct sandbox_ids *ids;
	const struct jumpd_settings *settings;
	struct host_keys *keys;
	struct endpoint	 client_at, local;
	struct worker_slot *slots;	/* of all */
	uint32_t	 n_slots;
	uint32_t	 slot;		/* which is its own */
};

/* Be that process.  Never returns. */
void worker_run(const struct worker_start *) __attribute__((noreturn));

/* Make in advance what all of them need, so that none has to: the system-call
 * filter. */
void worker_prepare(void);

#endif
