/* SPDX-License-Identifier: ISC */
/*
 * proxyd_config.h - proxyd.conf(5) as plain values and owned strings.
 */
#ifndef PROXYD_PROXYD_CONFIG_H
#define PROXYD_PROXYD_CONFIG_H

#include <stdio.h>

#include "common/cfgfile.h"
#include "common/daemon_config.h"
#include "common/mapping.h"
#include "proxyd/settings.h"

struct proxyd_listener {
	struct endpoint	at;
	enum service	service;	/* SERVICE_HTTP or SERVICE_HTTPS */
	uint32_t	backlog;	/* 1-65535 */
	struct proxyd_accept_proxy accept_proxy;
	char		text[ENDPOINT_TEXT_MAX];	/* of `at` */
};

struct proxyd_config {
	struct daemon_config process;
	uint32_t	 workers;	/* 0: one per CPU */

	uint32_t	 n_listeners;	/* at least 1 */
	struct proxyd_listener listener[PROXYD_LISTENERS_MAX];
	char		*listener_place[PROXYD_LISTENERS_MAX];
					/* owned; "file:line" of each */

	struct mapping_config mapping;

	struct proxyd_settings settings;	/* what workers need */
};

/*
 * Read the file.  Returns the configuration, or NULL if there was a problem;
 * each was then given to `report` as cfgfile.h says.  settings.targets.own
 * has the listeners with an address of their own.
 */
struct proxyd_config *proxyd_config_load(const char *path,
    cfgfile_report_fn *report, void *arg);
void proxyd_config_free(struct proxyd_config *);

/*
 * Make `n` addresses of this host, with the port of each listener on ::,
 * endpoints that are never targets.  IPv4 addresses are passed over: no
 * target is IPv4, and a POP may have many.  Returns false after a report if
 * there are more than TARGET_POLICY_OWN_MAX or the default target turns out
 * to be one of them.
 */
bool proxyd_config_add_own_addresses(struct proxyd_config *,
    const struct addr *, size_t n, cfgfile_report_fn *report, void *arg);

/*
 * Print the configuration, defaults included, so that loading what was
 * printed gives the same one.
 */
void proxyd_config_print(const struct proxyd_config *, FILE *);

#endif
