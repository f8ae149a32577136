/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_values.h"

#include <libconfig.h>
#include <stddef.h>

static bool
is_integer(const struct config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ||
	    config_setting_type(setting) == CONFIG_TYPE_INT64;
}

static bool
is_listed(const struct config_setting_t *setting)
{
	return config_setting_is_list(setting) ||
	    config_setting_is_array(setting);
}

const struct config_setting_t *
cfgfile_string(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, const char **ret)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);

	if (setting == NULL)
		return NULL;
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		cfgfile_problem(cfgfile, setting, "must be a string");
		return NULL;
	}
	*ret = config_setting_get_string(setting);
	return setting;
}

const struct config_setting_t *
cfgfile_bool(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, bool *ret)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);

	if (setting == NULL)
		return NULL;
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
		cfgfile_problem(cfgfile, setting, "must be true or false");
		return NULL;
	}
	*ret = config_setting_get_bool(setting);
	return setting;
}

const struct config_setting_t *
cfgfile_uint(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, uint32_t min, uint32_t max, uint32_t *ret)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);
	long long value;

	if (setting == NULL)
		return NULL;
	if (!is_integer(setting)) {
		cfgfile_problem(cfgfile, setting, "must be an integer");
		return NULL;
	}
	value = config_setting_get_int64(setting);
	if (value < min || value > max) {
		cfgfile_problem(cfgfile, setting, "must be %u-%u, not %lld",
		    min, max, value);
		return NULL;
	}
	*ret = (uint32_t)value;
	return setting;
}

const struct config_setting_t *
cfgfile_duration(struct cfgfile *cfgfile,
    const struct config_setting_t *group, const char *name, uint32_t min_ms,
    uint32_t max_ms, uint32_t *ret_ms)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);
	double seconds;

	if (setting == NULL)
		return NULL;
	if (is_integer(setting))
		seconds = (double)config_setting_get_int64(setting);
	else if (config_setting_type(setting) == CONFIG_TYPE_FLOAT)
		seconds = config_setting_get_float(setting);
	else {
		cfgfile_problem(cfgfile, setting,
		    "must be a number of seconds");
		return NULL;
	}
	/* Said so that a NaN is refused too. */
	if (!(seconds * 1000 >= min_ms && seconds * 1000 <= max_ms)) {
		cfgfile_problem(cfgfile, setting,
		    "must be %.10g-%.10g seconds, not %.10g", min_ms / 1e3,
		    max_ms / 1e3, seconds);
		return NULL;
	}
	*ret_ms = (uint32_t)(seconds * 1000 + 0.5);
	return setting;
}

const struct config_setting_t *
cfgfile_group(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);

	if (setting != NULL && !config_setting_is_group(setting)) {
		cfgfile_problem(cfgfile, setting,
		    "must be a group: { ... }");
		return NULL;
	}
	return setting;
}

/* A list of min to max elements, whatever they are. */
static const struct config_setting_t *
find_list(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, const char *what, uint32_t min, uint32_t max,
    uint32_t *ret_n)
{
	const struct config_setting_t *setting =
	    cfgfile_find(cfgfile, group, name);
	uint32_t n;

	*ret_n = 0;
	if (setting == NULL)
		return NULL;
	if (!is_listed(setting)) {
		cfgfile_problem(cfgfile, setting, "must be %s", what);
		return NULL;
	}
	n = (uint32_t)config_setting_length(setting);
	if (n < min || n > max) {
		cfgfile_problem(cfgfile, setting,
		    "must have %u-%u elements, not %u", min, max, n);
		return NULL;
	}
	*ret_n = n;
	return setting;
}

const struct config_setting_t *
cfgfile_groups(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, uint32_t min, uint32_t max, uint32_t *ret_n)
{
	return find_list(cfgfile, group, name,
	    "a list of groups: ( { ... }, ... )", min, max, ret_n);
}

const struct config_setting_t *
cfgfile_strings(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, uint32_t min, uint32_t max, uint32_t *ret_n)
{
	return find_list(cfgfile, group, name,
	    "a list of strings: [ \"...\", ... ]", min, max, ret_n);
}

const struct config_setting_t *
cfgfile_groups_at(struct cfgfile *cfgfile,
    const struct config_setting_t *list, uint32_t i)
{
	const struct config_setting_t *setting = cfgfile_element(list, i);

	if (config_setting_is_group(setting))
		return setting;
	cfgfile_problem(cfgfile, setting, "must be a group: { ... }");
	return NULL;
}

const struct config_setting_t *
cfgfile_strings_at(struct cfgfile *cfgfile,
    const struct config_setting_t *list, uint32_t i, const char **ret)
{
	const struct config_setting_t *setting = cfgfile_element(list, i);

	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		cfgfile_problem(cfgfile, setting, "must be a string");
		return NULL;
	}
	*ret = config_setting_get_string(setting);
	return setting;
}
