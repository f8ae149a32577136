/* SPDX-License-Identifier: ISC */
/*
 * own_addresses.h - the addresses of this host.
 */
#ifndef COMMON_OWN_ADDRESSES_H
#define COMMON_OWN_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/addr.h"

/* The IPv6 ones (targets are never IPv4), put into out[max]; returns how
 * many. */
size_t own_addresses(struct addr *out, size_t max);

/* A socket for own_addresses_have(), owned by the caller, or -errno. */
int own_addresses_open(void);

/*
 * Would a packet to this IPv6 address stay on this host, as the kernel's
 * routes are now?  So it is with an interface's addresses, anycast ones
 * included, and with all of a prefix that is routed "local" (AnyIP).  Returns
 * 0, with the answer in *ret, or -errno: it cannot be told.  Never waits.
 */
int own_addresses_have(int fd, const struct addr *, bool *ret);

#endif
