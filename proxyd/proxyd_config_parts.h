/* SPDX-License-Identifier: ISC */
/*
 * proxyd_config_parts.h - how the files that read proxyd.conf share the work.
 *
 * For proxyd_config*.c only.
 */
#ifndef PROXYD_PROXYD_CONFIG_PARTS_H
#define PROXYD_PROXYD_CONFIG_PARTS_H

#include "proxyd/proxyd_config.h"

/* `listeners`, and into targets.own those that are no wildcards. */
void config_read_listeners(struct proxyd_config *, struct cfgfile *);

/*
 * `allow_targets`, `nat64_prefixes`, `embed_prefix`, `source` and
 * `default_target`; after the listeners.
 */
void config_read_targets(struct proxyd_config *, struct cfgfile *);

#endif
