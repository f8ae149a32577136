/* SPDX-License-Identifier: ISC */
/*
 * own_addresses.h - the addresses of this host.
 */
#ifndef COMMON_OWN_ADDRESSES_H
#define COMMON_OWN_ADDRESSES_H

#include <stddef.h>

#include "common/addr.h"

/* The IPv6 ones (targets are never IPv4), put into out[max]; returns how
 * many. */
size_t own_addresses(struct addr *out, size_t max);

#endif
