/* SPDX-License-Identifier: ISC */
/*
 * xlatd_config.h - xlatd.conf(5) as plain values and owned strings.
 */
#ifndef TRANSLATE_XLATD_CONFIG_H
#define TRANSLATE_XLATD_CONFIG_H

#include <net/if.h>
#include <stdio.h>

#include "common/daemon_config.h"
#include "translate/siit.h"

enum {
	XLATD_INSTANCES_MAX = 32,
	XLATD_QUEUES_MAX = 64,
	XLATD_ADDRESSES_MAX = 16,
	XLATD_ROUTES_MAX = 4096
};

/* What the numbers of an instance set; see xlatd_numbers.h. */
struct xlatd_limits {
	uint32_t	queues;
	uint32_t	mtu;		/* of the device; 0: as it is */
	uint32_t	ipv4_mtu, ipv6_mtu, lowest_ipv6_mtu;
	uint32_t	lease_ms;
	uint32_t	icmp_rate, icmp_burst;
	uint32_t	icmp_peer_rate, icmp_peer_burst;
};

/* An address of the host on the device. */
struct xlatd_address {
	struct addr	addr;
	uint8_t		len;		/* 0-32 or 0-128 */
};

struct xlatd_instance {
	char		 device[IFNAMSIZ];
	bool		 offload, setup;
	struct xlatd_limits limits;

	uint32_t	 n_addresses;
	struct xlatd_address address[XLATD_ADDRESSES_MAX];
	uint32_t	 n_routes;
	struct prefix	*route;		/* owned */

	struct siit	 siit;		/* but for its map and key */
	uint32_t	 n_embeddings;
	struct embedding embedding[ADDRESS_MAP_PREFIXES_MAX];
	uint32_t	 n_translatable;	/* as siit.translatable */
	struct prefix	 translatable[SIIT_TRANSLATABLE_MAX];
	uint32_t	 n_icmp_pool;	/* as written; siit.pool has them
					 * address by address */
	struct prefix	 icmp_pool[SIIT_POOL_MAX];

	struct mapping_config mapping;

	bool		 has_pool;
	struct prefix	 pool;		/* IPv4 */
	char		*lease_file;	/* owned; absolute */
};

struct xlatd_config {
	struct daemon_config process;
	bool		 log_drops;
	uint32_t	 n_instances;	/* at least 1 */
	struct xlatd_instance *instance;	/* owned */
};

/*
 * Read the file.  Returns the configuration, or NULL if there was a problem;
 * each was then given to `report` as cfgfile.h says.  Mapping files are not
 * opened.
 */
struct xlatd_config *xlatd_config_load(const char *path,
    cfgfile_report_fn *report, void *arg);
void xlatd_config_free(struct xlatd_config *);

/*
 * Print the configuration, defaults included, so that loading what was
 * printed gives the same one.
 */
void xlatd_config_print(const struct xlatd_config *, FILE *);

#endif
