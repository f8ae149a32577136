/* SPDX-License-Identifier: ISC */
#include "jumpd/jumpd_numbers.h"

#include "jumpd/key_command.h"
#include "jumpd/settings.h"

#define HOUR_MS (60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define MANY 10000000		/* no limit beyond */
#define AT(member) offsetof(struct jumpd_settings, member)

const struct cfgfile_number jumpd_numbers[] = {
	{ "timeouts", "login", CFGFILE_DURATION, AT(login_ms),
	    100, HOUR_MS, 30000 },
	{ "timeouts", "connect", CFGFILE_DURATION, AT(connect_ms),
	    100, HOUR_MS, 5000 },
	{ "timeouts", "open", CFGFILE_DURATION, AT(open_ms),
	    100, HOUR_MS, 20000 },
	{ "timeouts", "dns", CFGFILE_DURATION, AT(dns_ms),
	    100, HOUR_MS, 5000 },
	{ "timeouts", "command", CFGFILE_DURATION, AT(command_ms),
	    100, HOUR_MS, 5000 },
	{ "timeouts", "command_cache", CFGFILE_DURATION, AT(command_cache_ms),
	    0, DAY_MS, 0 },
	{ "timeouts", "session_idle", CFGFILE_DURATION, AT(session_idle_ms),
	    0, 7 * DAY_MS, 0 },
	{ "timeouts", "session", CFGFILE_DURATION, AT(session_ms),
	    0, 7 * DAY_MS, 0 },
	{ "timeouts", "channel_idle", CFGFILE_DURATION, AT(channel_idle_ms),
	    0, 7 * DAY_MS, 0 },
	{ "timeouts", "shutdown", CFGFILE_DURATION, AT(shutdown_ms),
	    0, DAY_MS, 30000 },
	/* Connections, before anything is spent on them. */
	{ "limits", "connections", CFGFILE_COUNT, AT(source.connections),
	    0, MANY, 0 },
	{ "limits", "half_open", CFGFILE_COUNT, AT(source.half_open),
	    1, 65536, 500 },
	{ "limits", "half_open_per_source", CFGFILE_COUNT,
	    AT(source.half_open_per_source), 0, 65536, 50 },
	{ "limits", "per_source", CFGFILE_COUNT, AT(source.per_source),
	    0, MANY, 0 },
	{ "limits", "rate_per_source", CFGFILE_COUNT,
	    AT(source.rate_per_source), 0, 1000000, 0 },
	{ "limits", "burst_per_source", CFGFILE_COUNT,
	    AT(source.burst_per_source), 0, 1000000, 0 },
	/* Sessions. */
	{ "limits", "login_attempts", CFGFILE_COUNT, AT(auth.attempts_max),
	    1, 100, 6 },
	{ "limits", "session_channels", CFGFILE_COUNT,
	    AT(scan.session_channels), 0, 4096, 128 },
	{ "limits", "session_opens", CFGFILE_COUNT, AT(scan.session_opens),
	    0, MANY, 10000 },
	{ "limits", "rekey", CFGFILE_COUNT, AT(rekey_octets),
	    65536, INT32_MAX, 1 << 30 },
	/* Not a scanner's relay. */
	{ "limits", "source_opens", CFGFILE_COUNT, AT(scan.source_opens),
	    0, MANY, 600 },
	{ "limits", "source_targets", CFGFILE_COUNT, AT(scan.source_targets),
	    0, MANY, 1000 },
	{ "limits", "source_failed_dials", CFGFILE_COUNT,
	    AT(scan.source_failed_dials), 0, MANY, 120 },
	{ "limits", "target_opens", CFGFILE_COUNT, AT(scan.target_opens),
	    0, MANY, 600 },
	/* Being opened at once. */
	{ "limits", "opening", CFGFILE_COUNT, AT(broker.pending),
	    1, 65536, 1024 },
	{ "limits", "opening_per_source", CFGFILE_COUNT,
	    AT(broker.pending_per_source), 1, 65536, 128 },
	{ "limits", "opening_per_session", CFGFILE_COUNT,
	    AT(broker.pending_per_session), 1, 128, 64 },
	{ "limits", "addresses", CFGFILE_COUNT, AT(broker.addresses),
	    1, 16, 4 },
	{ "limits", "key_commands", CFGFILE_COUNT, AT(broker.commands),
	    1, KEY_COMMAND_RUNS_MAX, 8 },
	{ "penalties", "failed_login", CFGFILE_DURATION,
	    AT(source.penalty_login_ms), 0, HOUR_MS, 5000 },
	{ "penalties", "hang_up", CFGFILE_DURATION,
	    AT(source.penalty_hang_up_ms), 0, HOUR_MS, 1000 },
	{ "penalties", "login_timeout", CFGFILE_DURATION,
	    AT(source.penalty_grace_ms), 0, HOUR_MS, 10000 },
	{ "penalties", "crash", CFGFILE_DURATION,
	    AT(source.penalty_crash_ms), 0, HOUR_MS, 60000 },
	{ "penalties", "threshold", CFGFILE_DURATION,
	    AT(source.penalty_threshold_ms), 0, DAY_MS, 30000 },
	{ "penalties", "max", CFGFILE_DURATION,
	    AT(source.penalty_max_ms), 0, DAY_MS, 600000 },
	/* Linux: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT. */
	{ "keepalive", "idle", CFGFILE_SECONDS, AT(keepalive_idle_ms),
	    1, 32767, 120 },
	{ "keepalive", "interval", CFGFILE_SECONDS, AT(keepalive_interval_ms),
	    1, 32767, 30 },
	{ "keepalive", "count", CFGFILE_COUNT, AT(keepalive_count),
	    1, 127, 4 },
	{ "keepalive", "client", CFGFILE_DURATION, AT(client_alive_ms),
	    0, DAY_MS, 60000 },
	{ "keepalive", "client_count", CFGFILE_COUNT, AT(client_alive_count),
	    1, 1000, 3 },
	{ .group = NULL }
};
