/* SPDX-License-Identifier: ISC */
/*
 * jumpd_config.h - jumpd.conf(5) as plain values and owned strings.
 */
#ifndef JUMPD_JUMPD_CONFIG_H
#define JUMPD_JUMPD_CONFIG_H

#include <stdio.h>

#include "common/daemon_config.h"
#include "jumpd/host_keys.h"
#include "jumpd/key_command.h"
#include "jumpd/key_files.h"
#include "jumpd/settings.h"

enum { JUMPD_PATTERNS_MAX = 16 };	/* of one setting */

struct jumpd_listener {
	struct endpoint	at;
	uint32_t	backlog;	/* 1-65535 */
	char		text[ENDPOINT_TEXT_MAX];	/* of `at` */
	char		*place;		/* owned; "file:line" */
};

/* A list of patterns of files, and where it stands. */
struct jumpd_patterns {
	uint32_t	 n;
	char		*pattern[JUMPD_PATTERNS_MAX];	/* owned; absolute */
	char		*place[JUMPD_PATTERNS_MAX];	/* owned */
};

struct jumpd_config {
	struct daemon_config process;
	uint32_t	 n_listeners;	/* at least 1 */
	struct jumpd_listener listener[JUMPD_LISTENERS_MAX];

	char		*host_key[N_HOST_KEY_TYPES];
				/* owned; absolute; "": none of this type */
	char		*host_key_place[N_HOST_KEY_TYPES];	/* owned */

	/* authorized_keys of user i of settings.auth; "%u" is as written */
	struct jumpd_patterns authorized[AUTH_USERS_MAX];
	struct jumpd_patterns trusted_ca, revoked;
	uint32_t	 n_command;	/* program and arguments; 0: none */
	char		*command[KEY_COMMAND_ARGS_MAX];	/* owned */
	char		*command_user;	/* owned */
	char		*command_place;	/* owned */

	struct mapping_config mapping;
	bool		 system_resolvers;	/* those of resolv.conf */
	struct jumpd_settings settings;	/* what the processes need */
};

/*
 * Read the file.  Returns the configuration, or NULL if there was a problem;
 * each was then given to `report` as cfgfile.h says.  settings.egress.own has
 * the listeners with an address of their own; of settings.command and
 * .resolver only what the file says is set.
 */
struct jumpd_config *jumpd_config_load(const char *path,
    cfgfile_report_fn *report, void *arg);
void jumpd_config_free(struct jumpd_config *);

/*
 * Make `n` addresses of this host, with the port of each listener on ::,
 * endpoints that are never targets.  Returns false after a report if there
 * are more than EGRESS_OWN_MAX.
 */
bool jumpd_config_add_own_addresses(struct jumpd_config *,
    const struct addr *, size_t n, cfgfile_report_fn *report, void *arg);

/* What is allowed, but hardly wanted: for -t and the log at start. */
void jumpd_config_warn(const struct jumpd_config *,
    cfgfile_report_fn *report, void *arg);

/*
 * The files with keys, "%u" replaced by each user's name; owned by the
 * caller (jumpd_config_free_rules).  Returns how many.
 */
size_t jumpd_config_key_rules(const struct jumpd_config *,
    struct key_file_rule **ret);
void jumpd_config_free_rules(struct key_file_rule *, size_t n);

/*
 * Print the configuration, defaults included, so that loading what was
 * printed gives the same one.
 */
void jumpd_config_print(const struct jumpd_config *, FILE *);

#endif
