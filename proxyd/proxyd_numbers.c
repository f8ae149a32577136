/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_numbers.h"

#include "proxyd/settings.h"

#define DAY_MS (24 * 60 * 60 * 1000)
#define AT(member) offsetof(struct proxyd_settings, member)

const struct cfgfile_number proxyd_numbers[] = {
	{ "timeouts", "peek", CFGFILE_DURATION, AT(peek_ms),
	    100, DAY_MS, 10000 },
	{ "timeouts", "connect", CFGFILE_DURATION, AT(connect_ms),
	    100, DAY_MS, 5000 },
	{ "timeouts", "idle", CFGFILE_DURATION, AT(idle_ms),
	    100, DAY_MS, 600000 },
	{ "timeouts", "drain", CFGFILE_DURATION, AT(drain_ms),
	    100, DAY_MS, 30000 },
	{ "timeouts", "shutdown", CFGFILE_DURATION, AT(shutdown_ms),
	    100, DAY_MS, 30000 },
	{ "timeouts", "removed", CFGFILE_DURATION, AT(removed_ms),
	    100, DAY_MS, 30000 },
	{ "limits", "http_head", CFGFILE_COUNT, AT(http_head_octets),
	    1024, 65536, 16384 },
	{ "limits", "client_hello", CFGFILE_COUNT, AT(client_hello_octets),
	    4096, 131072, 65536 },
	{ "limits", "connections", CFGFILE_COUNT, AT(connections_max),
	    0, 10000000, 0 },
	{ "limits", "per_client", CFGFILE_COUNT, AT(per_client_max),
	    0, 10000000, 0 },
	{ "limits", "per_name", CFGFILE_COUNT, AT(per_name_max),
	    0, 10000000, 0 },
	/* admission.h counts in microseconds: more is not exact. */
	{ "limits", "rate_per_client", CFGFILE_COUNT, AT(client_rate),
	    0, 100000, 0 },
	{ "limits", "rate_burst", CFGFILE_COUNT, AT(client_burst),
	    0, 1000000, 0 },
	/* Linux: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT. */
	{ "keepalive", "idle", CFGFILE_SECONDS, AT(keepalive_idle_ms),
	    1, 32767, 120 },
	{ "keepalive", "interval", CFGFILE_SECONDS, AT(keepalive_interval_ms),
	    1, 32767, 30 },
	{ "keepalive", "count", CFGFILE_COUNT, AT(keepalive_count),
	    1, 127, 4 },
	{ .group = NULL }
};
