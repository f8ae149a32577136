/* SPDX-License-Identifier: ISC */
/*
 * jumpd_config_parts.h - how the files that read jumpd.conf share the work.
 *
 * For jumpd_config*.c only.
 */
#ifndef JUMPD_JUMPD_CONFIG_PARTS_H
#define JUMPD_JUMPD_CONFIG_PARTS_H

#include "jumpd/jumpd_config.h"

/* `listeners`, and into egress.own those that are no wildcards. */
void config_read_listeners(struct jumpd_config *, struct cfgfile *);

/* `allow`, `deny`, `nat64_prefixes`, `embed_prefix`, `source`,
 * `exempt_sources`, `dns`, `resolvers`. */
void config_read_targets(struct jumpd_config *, struct cfgfile *);

/* `authentication`, `users`, and where keys are. */
void config_read_users(struct jumpd_config *, struct cfgfile *);

/* Up to `max` patterns of the setting `name` of a group. */
void config_read_patterns(struct jumpd_config *, struct cfgfile *,
    const struct config_setting_t *group, const char *name,
    struct jumpd_patterns *);

#endif
