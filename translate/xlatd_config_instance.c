/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_config_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/need.h"
#include "translate/xlatd_numbers.h"

/* --- the device ----------------------------------------------------------- */

/* What the kernel takes for a name, and every tool for an argument. */
static bool
is_device_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strspn(name, letters) == len &&
	    name[0] != '-' && name[0] != '.';
}

static void
read_device(struct xlatd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, uint32_t i)
{
	struct xlatd_instance *instance = &config->instance[i];
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;

	cfgfile_require(cfgfile, group, "device");
	setting = cfgfile_string(cfgfile, group, "device", &value);
	if (setting == NULL)
		return;
	if (!is_device_name(value)) {
		cfgfile_problem(cfgfile, setting, "%s is no device's name: "
		    "1-%d letters, digits, '.', '_' and '-'",
		    cfgfile_quoted(value, text), IFNAMSIZ - 1);
		return;
	}
	for (uint32_t j = 0; j < i; j++)
		if (strcmp(value, config->instance[j].device) == 0)
			cfgfile_problem(cfgfile, setting,
			    "%s is the device of instances[%u] already",
			    cfgfile_quoted(value, text), j);
	memcpy(instance->device, value, strlen(value) + 1);
}

static void
read_numbers(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct xlatd_number *number = xlatd_numbers;

	for (; number->group != NULL; number++) {
		const struct config_setting_t *in = number->group[0] == '\0' ?
		    group : cfgfile_group(cfgfile, group, number->group);
		uint32_t *value = (uint32_t *)(void *)
		    ((char *)&instance->limits + number->offset);

		*value = number->value;
		if (number->duration)
			cfgfile_duration(cfgfile, in, number->name,
			    number->min, number->max, value);
		else
			cfgfile_uint(cfgfile, in, number->name, number->min,
			    number->max, value);
	}
}

/* "2001:db8::1/64": unlike a prefix's, the bits after the length count. */
static bool
parse_address(const char *text, struct xlatd_address *ret)
{
	const char *slash = strchr(text, '/');
	struct xlatd_address address;
	char *end;
	unsigned long len, most;

	if (slash == NULL || slash[1] < '0' || slash[1] > '9' ||
	    !addr_parse(text, (size_t)(slash - text), &address.addr))
		return false;
	len = strtoul(slash + 1, &end, 10);
	most = addr_is_v4(&address.addr) ? 32 : 128;
	if (*end != '\0' || end - slash > 4 || len > most)
		return false;
	address.len = (uint8_t)len;
	*ret = address;
	return true;
}

static void
read_addresses(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct config_setting_t *list, *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "addresses", 0,
	    XLATD_ADDRESSES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (parse_address(value,
		    &instance->address[instance->n_addresses]))
			instance->n_addresses++;
		else
			cfgfile_problem(cfgfile, setting,
			    "%s is no address with the length of its network, "
			    "such as \"192.0.2.1/24\"",
			    cfgfile_quoted(value, text));
	}
}

static void
read_routes(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "routes", 0, XLATD_ROUTES_MAX,
	    &n);
	instance->route = need(calloc(n + 1, sizeof(*instance->route)));
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting != NULL && cfgfile_prefix(cfgfile, setting, value,
		    true, &instance->route[instance->n_routes]))
			instance->n_routes++;
	}
}

/* Settings that only `setup` gives a meaning. */
static void
read_setup(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	static const char *const names[] = { "mtu", "addresses", "routes" };

	cfgfile_bool(cfgfile, group, "setup", &instance->setup);
	read_addresses(instance, cfgfile, group);
	read_routes(instance, cfgfile, group);
	for (unsigned i = 0; !instance->setup && i < 3; i++) {
		const struct config_setting_t *setting =
		    cfgfile_find(cfgfile, group, names[i]);
		bool given = i == 0 ? instance->limits.mtu != 0 :
		    i == 1 ? instance->n_addresses > 0 :
		    instance->n_routes > 0;

		if (setting != NULL && given)
			cfgfile_problem(cfgfile, setting,
			    "needs setup = true");
	}
}

/* --- mappings ------------------------------------------------------------- */

/* Two instances that write to one file would lose each other's leases. */
static void
check_lease_file(const struct xlatd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *setting, uint32_t i)
{
	const char *path = config->instance[i].lease_file;

	for (uint32_t j = 0; j < i; j++)
		if (config->instance[j].lease_file != NULL &&
		    strcmp(config->instance[j].lease_file, path) == 0)
			cfgfile_problem(cfgfile, setting,
			    "is the file of instances[%u] already", j);
}

static void
read_dynamic_pool(struct xlatd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, uint32_t i)
{
	struct xlatd_instance *instance = &config->instance[i];
	const struct config_setting_t *pool, *setting;
	const char *value;

	pool = cfgfile_group(cfgfile, group, "dynamic_pool");
	if (pool == NULL)
		return;
	cfgfile_require(cfgfile, pool, "prefix");
	cfgfile_require(cfgfile, pool, "leases");
	setting = cfgfile_string(cfgfile, pool, "prefix", &value);
	if (setting != NULL && cfgfile_prefix(cfgfile, setting, value, true,
	    &instance->pool)) {
		instance->has_pool = true;
		if (!addr_is_v4(&instance->pool.addr) ||
		    instance->pool.len < 128 - DYNAMIC_POOL_BITS_MAX)
			cfgfile_problem(cfgfile, setting,
			    "must be an IPv4 prefix of /%d to /32",
			    32 - DYNAMIC_POOL_BITS_MAX);
	}
	setting = cfgfile_string(cfgfile, pool, "leases", &value);
	if (setting != NULL && value[0] != '/')
		cfgfile_problem(cfgfile, setting, "must be an absolute path");
	else if (setting != NULL) {
		instance->lease_file = need(strdup(value));
		check_lease_file(config, cfgfile, setting, i);
	}
	if (instance->limits.queues > 1)
		cfgfile_problem(cfgfile, pool, "needs queues = 1: who has "
		    "which address is known to one queue only");
}

/* Without one of these no IPv6 host has an IPv4 address. */
static void
check_hosts(struct cfgfile *cfgfile, const struct config_setting_t *group)
{
	static const char *const names[] = { "mapping", "mapping_files",
		"dynamic_pool", "translatable" };

	if (group == NULL)
		return;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (cfgfile_find(cfgfile, group, names[i]) != NULL)
			return;
	cfgfile_problem(cfgfile, group, "no IPv6 host can have an IPv4 "
	    "address: mapping, mapping_files, dynamic_pool or translatable "
	    "is needed");
}

void
config_read_instance(struct xlatd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, uint32_t i)
{
	struct xlatd_instance *instance = &config->instance[i];

	instance->offload = true;
	siit_init(&instance->siit, NULL);
	read_device(config, cfgfile, group, i);
	cfgfile_bool(cfgfile, group, "offload", &instance->offload);
	read_numbers(instance, cfgfile, group);
	read_setup(instance, cfgfile, group);
	config_read_translation(instance, cfgfile, group);
	mapping_config_read(&instance->mapping, cfgfile, group,
	    config->process.path);
	read_dynamic_pool(config, cfgfile, group, i);
	check_hosts(cfgfile, group);
}
