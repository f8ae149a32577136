/* SPDX-License-Identifier: ISC */
/*
 * dial.h - a connection to a VM, begun without waiting.
 */
#ifndef PROXYD_DIAL_H
#define PROXYD_DIAL_H

#include "proxyd/close_reasons.h"
#include "proxyd/settings.h"

/*
 * Begin to connect: from `embedded` if it is not NULL, an address that need
 * not be ours; otherwise from one of the configured source addresses, starting
 * with number `rotation` and going on to the next when its ports run out.
 * Returns CLOSE_NONE and a descriptor owned by the caller in *ret_fd, or why
 * it failed at once.
 */
enum close_reason dial_begin(const struct endpoint *,
    const struct proxyd_settings *, const struct addr *embedded,
    uint32_t rotation, int *ret_fd);

/*
 * Bind a TCP socket to a source address as a dial does; `foreign` is for one
 * that need not be ours.  Returns 0 or an errno.
 */
int dial_bind(int fd, const struct addr *source, bool foreign);

/* How a begun dial ended: CLOSE_NONE if it is connected. */
enum close_reason dial_result(int fd);

#endif
