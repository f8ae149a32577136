/* SPDX-License-Identifier: ISC */
/*
 * rtnl.h - addresses, routes and the MTU of a device, by rtnetlink(7).
 *
 * Each call waits for the kernel's answer and returns 0 or -errno.  All need
 * CAP_NET_ADMIN.
 */
#ifndef TRANSLATE_RTNL_H
#define TRANSLATE_RTNL_H

#include "common/prefix.h"

/* A socket for the calls below, owned by the caller, or -errno. */
int rtnl_open(void);

/* The MTU of the device, octets; 0 if it cannot be had. */
uint32_t rtnl_mtu(int fd, const char *device);
int rtnl_mtu_set(int fd, unsigned ifindex, uint32_t mtu);

/* Set the MTU, unless it is 0, and bring the device up, without a link-local
 * address: it has no link, and nobody there to solicit. */
int rtnl_link_up(int fd, unsigned ifindex, uint32_t mtu);

/* Give the device an address in a network of `len` bits (0-32, 0-128).
 * -EALREADY: it has it. */
int rtnl_address_add(int fd, unsigned ifindex, const struct addr *,
    uint8_t len);
int rtnl_address_del(int fd, unsigned ifindex, const struct addr *,
    uint8_t len);

/*
 * Route a prefix to the device.  -EALREADY: it is routed there, by whomever;
 * -EEXIST: it is routed somewhere else.
 */
int rtnl_route_add(int fd, unsigned ifindex, const struct prefix *);

/* The same of a route that was there and may be: it is not touched.
 * -EALREADY: there is one, wherever it leads. */
int rtnl_route_renew(int fd, unsigned ifindex, const struct prefix *);

/* Take such a route back, whoever made it; -ESRCH: there is none. */
int rtnl_route_del(int fd, unsigned ifindex, const struct prefix *);

#endif
