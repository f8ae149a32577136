/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_values.h - the settings of a libconfig file as typed values.
 *
 * A reader that finds nothing, or reports what it found, leaves its output
 * untouched: put the default there first.
 */
#ifndef COMMON_CFGFILE_VALUES_H
#define COMMON_CFGFILE_VALUES_H

#include "common/cfgfile.h"

/*
 * The setting `name` of a group, if it is there and right: the value goes to
 * *ret.  Returns the setting, or NULL if it is missing or was reported.
 * Strings live as long as the cfgfile.  Durations are in seconds in the
 * file, with or without a fraction.
 */
const struct config_setting_t *cfgfile_string(struct cfgfile *,
    const struct config_setting_t *group, const char *name,
    const char **ret);
const struct config_setting_t *cfgfile_bool(struct cfgfile *,
    const struct config_setting_t *group, const char *name, bool *ret);
const struct config_setting_t *cfgfile_uint(struct cfgfile *,
    const struct config_setting_t *group, const char *name, uint32_t min,
    uint32_t max, uint32_t *ret);
const struct config_setting_t *cfgfile_duration(struct cfgfile *,
    const struct config_setting_t *group, const char *name, uint32_t min_ms,
    uint32_t max_ms, uint32_t *ret_ms);

/* A group inside a group; NULL if it is missing or was reported. */
const struct config_setting_t *cfgfile_group(struct cfgfile *,
    const struct config_setting_t *group, const char *name);

/*
 * A list of min to max groups, or of strings (for which "[ ]" and "( )" are
 * the same).  *ret_n is the number of its elements, 0 if it is missing or
 * was reported.
 */
const struct config_setting_t *cfgfile_groups(struct cfgfile *,
    const struct config_setting_t *group, const char *name, uint32_t min,
    uint32_t max, uint32_t *ret_n);
const struct config_setting_t *cfgfile_strings(struct cfgfile *,
    const struct config_setting_t *group, const char *name, uint32_t min,
    uint32_t max, uint32_t *ret_n);

/* Element i of a list, or NULL if it was reported. */
const struct config_setting_t *cfgfile_groups_at(struct cfgfile *,
    const struct config_setting_t *list, uint32_t i);
const struct config_setting_t *cfgfile_strings_at(struct cfgfile *,
    const struct config_setting_t *list, uint32_t i, const char **ret);

#endif
