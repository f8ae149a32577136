/* SPDX-License-Identifier: ISC */
/*
 * dial.h - a connection to a VM, begun without waiting.
 */
#ifndef COMMON_DIAL_H
#define COMMON_DIAL_H

#include <stdbool.h>

#include "common/prefix.h"
#include "common/sock.h"

/* Where from; `n` 0: the kernel chooses. */
struct dial_sources {
	const struct addr *address;	/* borrowed; IPv6 */
	uint32_t	n;
};

/*
 * Begin to connect: from `embedded` if it is not NULL, an address that need
 * not be ours; otherwise from one of the sources, starting with number
 * `rotation` and going on to the next when its ports run out.  Returns 0 and
 * a non-blocking descriptor owned by the caller in *ret_fd, or -errno, why
 * it failed at once.
 *
 * Without a sock_keepalive it is a connection of few words: the caller has
 * something to send at once, which then goes with the handshake's last ACK,
 * and will tune the socket if it lasts.
 */
int dial_begin(const struct endpoint *, const struct sock_keepalive *,
    const struct dial_sources *, const struct addr *embedded,
    uint32_t rotation, int *ret_fd);

/*
 * Bind a TCP socket to a source address as a dial does; `foreign` is for one
 * that need not be ours.  Returns 0 or -errno.
 */
int dial_bind(int fd, const struct addr *source, bool foreign);

/* How a begun dial ended: 0 if it is connected, or -errno. */
int dial_result(int fd);

/*
 * The address that stands for an IPv4 client behind a /96 (source=embed).
 * Returns false, with *ret untouched, for other clients.
 */
bool dial_embed(const struct prefix *, const struct addr *client,
    struct addr *ret);

#endif
