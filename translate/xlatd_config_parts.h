/* SPDX-License-Identifier: ISC */
/*
 * xlatd_config_parts.h - how the files that read xlatd.conf share the work.
 *
 * For xlatd_config*.c only.
 */
#ifndef TRANSLATE_XLATD_CONFIG_PARTS_H
#define TRANSLATE_XLATD_CONFIG_PARTS_H

#include "translate/xlatd_config.h"

/* Read instance i of the configuration, which has its defaults so far. */
void config_read_instance(struct xlatd_config *, struct cfgfile *,
    const struct config_setting_t *group, uint32_t i);

/* `ipv4_address`, `ipv6_address`, `prefixes`, `icmp` and how to translate. */
void config_read_translation(struct xlatd_instance *, struct cfgfile *,
    const struct config_setting_t *group);

/*
 * Read a choice among the names of an enumeration, which ends with a NULL;
 * *ret is untouched if it is missing or was reported.
 */
void config_read_choice(struct cfgfile *,
    const struct config_setting_t *group, const char *name,
    const char *const *choices, unsigned *ret);

/* What is written for each value, in the enumerations' order. */
extern const char *const config_udp_zero_names[], *const
    config_hairpin_names[];

#endif
