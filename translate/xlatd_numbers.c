/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_numbers.h"

#include "translate/xlatd_config.h"

#define DAY_MS (24 * 60 * 60 * 1000u)
#define AT(member) offsetof(struct xlatd_limits, member)

const struct xlatd_number xlatd_numbers[] = {
	{ "", "queues", false, AT(queues), 1, XLATD_QUEUES_MAX, 1 },
	{ "", "mtu", false, AT(mtu), 0, 65535, 0 },
	{ "", "ipv4_mtu", false, AT(ipv4_mtu), SIIT_MTU4_MIN, 65535, 1500 },
	{ "", "ipv6_mtu", false, AT(ipv6_mtu), SIIT_MTU_MIN, 65535, 1500 },
	{ "", "lowest_ipv6_mtu", false, AT(lowest_ipv6_mtu), SIIT_MTU_MIN,
	    65535, 1280 },
	/* Not less than a host may be silent in a TCP connection that lives
	 * (RFC 5382 REQ-5), unless somebody asks for it. */
	{ "dynamic_pool", "lease_time", true, AT(lease_ms), 1000, 30 * DAY_MS,
	    7500 * 1000 },
	{ "icmp", "rate", false, AT(icmp_rate), 1, 1000000, 1000 },
	{ "icmp", "burst", false, AT(icmp_burst), 1, 1000000, 2000 },
	{ "icmp", "peer_rate", false, AT(icmp_peer_rate), 1, 1000000, 50 },
	{ "icmp", "peer_burst", false, AT(icmp_peer_burst), 1, 1000000, 100 },
	{ .group = NULL }
};
