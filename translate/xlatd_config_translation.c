/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_config_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/rfc6052.h"

const char *const config_udp_zero_names[] = {
	[SIIT_UDP_ZERO_DROP] = "drop",
	[SIIT_UDP_ZERO_COMPUTE] = "compute",
	[SIIT_UDP_ZERO_PASS] = "pass",
	NULL
};
const char *const config_hairpin_names[] = {
	[SIIT_HAIRPIN_OFF] = "off",
	[SIIT_HAIRPIN_SIMPLE] = "simple",
	[SIIT_HAIRPIN_INTRINSIC] = "intrinsic",
	NULL
};

/* --- addresses ------------------------------------------------------------ */

/* What can be the source of a packet that others see. */
static bool
is_unicast(const struct addr *addr)
{
	static const struct addr none6;
	uint8_t first = addr->octet[12];

	if (addr_is_v4(addr))
		return first != 0 && first != 127 && first < 224;
	return addr->octet[0] != 0xff && !addr_equal(addr, &none6) &&
	    !(addr->octet[0] == 0xfe && (addr->octet[1] & 0xc0) == 0x80);
}

/* Our own address of a family.  Returns false if it was reported. */
static bool
read_own(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, bool v4, struct addr *ret)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	struct addr addr;
	const char *value;

	cfgfile_require(cfgfile, group, name);
	setting = cfgfile_string(cfgfile, group, name, &value);
	if (setting == NULL)
		return false;
	if (addr_parse(value, strlen(value), &addr) &&
	    addr_is_v4(&addr) == v4 && is_unicast(&addr)) {
		*ret = addr;
		return true;
	}
	cfgfile_problem(cfgfile, setting, "%s is no unicast %s address",
	    cfgfile_quoted(value, text), v4 ? "IPv4" : "IPv6");
	return false;
}

static void
read_own_addresses(struct siit *siit, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	struct addr own4;

	siit->has_own4 = read_own(cfgfile, group, "ipv4_address", true, &own4);
	if (siit->has_own4)
		siit->own4 = addr_to_v4(&own4);
	siit->has_own6 = read_own(cfgfile, group, "ipv6_address", false,
	    &siit->own6);
}

/* --- prefixes (RFC 6052) --------------------------------------------------- */

static void
read_range(struct cfgfile *cfgfile, const struct config_setting_t *group,
    struct prefix *range)
{
	static const struct prefix all = {
		.addr.octet = { [10] = 0xff, [11] = 0xff }, .len = 96
	};
	const struct config_setting_t *setting;
	const char *value;

	*range = all;
	setting = cfgfile_string(cfgfile, group, "range", &value);
	if (setting != NULL &&
	    cfgfile_prefix(cfgfile, setting, value, true, range) &&
	    (!addr_is_v4(&range->addr) || range->len < 96))
		cfgfile_problem(cfgfile, setting, "must be an IPv4 prefix");
}

static void
read_embedding(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	struct embedding *embedding =
	    &instance->embedding[instance->n_embeddings];
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	enum rfc6052_error error;
	const char *value;

	cfgfile_require(cfgfile, group, "prefix");
	read_range(cfgfile, group, &embedding->range);
	cfgfile_bool(cfgfile, group, "non_global", &embedding->any);
	setting = cfgfile_string(cfgfile, group, "prefix", &value);
	if (setting == NULL || !cfgfile_prefix(cfgfile, setting, value, false,
	    &embedding->prefix))
		return;
	cfgfile_quoted(value, text);
	error = rfc6052_check(&embedding->prefix);
	if (error != RFC6052_OK)
		cfgfile_problem(cfgfile, setting, "%s %s", text,
		    rfc6052_strerror(error));
	for (uint32_t i = 0; i < instance->n_embeddings; i++) {
		const struct prefix *other = &instance->embedding[i].prefix;

		if (prefix_within(other, &embedding->prefix) &&
		    other->len == embedding->prefix.len)
			cfgfile_problem(cfgfile, setting,
			    "%s is prefixes[%u] already", text, i);
	}
	instance->n_embeddings++;
}

static void
read_embeddings(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct config_setting_t *list, *element;
	uint32_t n;

	list = cfgfile_groups(cfgfile, group, "prefixes", 0,
	    ADDRESS_MAP_PREFIXES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		element = cfgfile_groups_at(cfgfile, list, i);
		if (element != NULL)
			read_embedding(instance, cfgfile, element);
	}
}

/* Which hosts may be behind a prefix: nobody, unless it is said. */
static void
read_translatable(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct config_setting_t *list, *setting;
	struct siit *siit = &instance->siit;
	struct prefix prefix;
	const char *value;
	uint32_t n;

	siit->any_translatable = false;
	list = cfgfile_strings(cfgfile, group, "translatable", 0,
	    SIIT_TRANSLATABLE_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL ||
		    !cfgfile_prefix(cfgfile, setting, value, true, &prefix))
			continue;
		if (!addr_is_v4(&prefix.addr) || prefix.len < 96) {
			cfgfile_problem(cfgfile, setting,
			    "must be an IPv4 prefix");
			continue;
		}
		siit->translatable[siit->n_translatable++] =
		    (struct siit_range) {
			.addr = addr_to_v4(&prefix.addr),
			.mask = prefix.len == 96 ? 0 :
			    UINT32_MAX << (128 - prefix.len)
		};
		instance->translatable[instance->n_translatable++] = prefix;
	}
}

/* --- ICMP ------------------------------------------------------------------ */

/* Add a prefix's addresses to those of the RFC 6791 pool. */
static void
add_icmp_pool(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *setting, const struct prefix *prefix)
{
	struct siit *siit = &instance->siit;
	uint64_t n = UINT64_C(1) << (128 - prefix->len);

	if (siit->n_pool + n > SIIT_POOL_MAX) {
		cfgfile_problem(cfgfile, setting,
		    "makes more than %d addresses in all", SIIT_POOL_MAX);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		siit->pool[siit->n_pool++] = addr_to_v4(&prefix->addr) + i;
	instance->icmp_pool[instance->n_icmp_pool++] = *prefix;
}

static void
read_icmp_pool(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *icmp)
{
	const struct config_setting_t *list, *setting;
	struct prefix prefix;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, icmp, "pool", 0, SIIT_POOL_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL ||
		    !cfgfile_prefix(cfgfile, setting, value, true, &prefix))
			continue;
		if (!addr_is_v4(&prefix.addr) || prefix.len < 96 ||
		    !is_unicast(&prefix.addr))
			cfgfile_problem(cfgfile, setting,
			    "must be a prefix of IPv4 unicast addresses");
		else
			add_icmp_pool(instance, cfgfile, setting, &prefix);
	}
}

/* --- how to translate ------------------------------------------------------ */

void
config_read_choice(struct cfgfile *cfgfile,
    const struct config_setting_t *group, const char *name,
    const char *const *choices, unsigned *ret)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;

	setting = cfgfile_string(cfgfile, group, name, &value);
	if (setting == NULL)
		return;
	for (unsigned i = 0; choices[i] != NULL; i++)
		if (strcmp(value, choices[i]) == 0) {
			*ret = i;
			return;
		}
	cfgfile_problem(cfgfile, setting,
	    "must be \"%s\", \"%s\" or \"%s\", not %s", choices[0],
	    choices[1], choices[2], cfgfile_quoted(value, text));
}

/* "copy", or what the octet always is. */
static void
read_tos(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name, int16_t *ret)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;
	unsigned long octet;
	char *end;

	setting = cfgfile_string(cfgfile, group, name, &value);
	if (setting == NULL)
		return;
	if (strcmp(value, "copy") == 0) {
		*ret = SIIT_TOS_COPY;
		return;
	}
	octet = strtoul(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' && octet <= 255)
		*ret = (int16_t)octet;
	else
		cfgfile_problem(cfgfile, setting,
		    "must be \"copy\" or \"0\"-\"255\", not %s",
		    cfgfile_quoted(value, text));
}

/* After the numbers. */
static void
read_mtus(struct xlatd_instance *instance, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct xlatd_limits *limits = &instance->limits;

	instance->siit.mtu4 = limits->ipv4_mtu;
	instance->siit.mtu6 = limits->ipv6_mtu;
	instance->siit.lowest_mtu6 = limits->lowest_ipv6_mtu;
	if (limits->lowest_ipv6_mtu > limits->ipv6_mtu)
		cfgfile_problem(cfgfile,
		    cfgfile_find(cfgfile, group, "lowest_ipv6_mtu"),
		    "must not be more than ipv6_mtu, which is %u",
		    limits->ipv6_mtu);
}

void
config_read_translation(struct xlatd_instance *instance,
    struct cfgfile *cfgfile, const struct config_setting_t *group)
{
	const struct config_setting_t *icmp;
	struct siit *siit = &instance->siit;
	unsigned udp_zero = siit->udp_zero, hairpin = siit->hairpin;

	read_own_addresses(siit, cfgfile, group);
	read_embeddings(instance, cfgfile, group);
	read_translatable(instance, cfgfile, group);
	read_mtus(instance, cfgfile, group);
	read_tos(cfgfile, group, "tos", &siit->tos);
	read_tos(cfgfile, group, "traffic_class", &siit->traffic_class);
	config_read_choice(cfgfile, group, "udp_zero_checksum",
	    config_udp_zero_names, &udp_zero);
	siit->udp_zero = (enum siit_udp_zero)udp_zero;
	config_read_choice(cfgfile, group, "hairpinning",
	    config_hairpin_names, &hairpin);
	siit->hairpin = (enum siit_hairpin)hairpin;
	icmp = cfgfile_group(cfgfile, group, "icmp");
	cfgfile_bool(cfgfile, icmp, "errors", &siit->icmp_errors);
	cfgfile_bool(cfgfile, icmp, "pool_extension", &siit->pool_extension);
	read_icmp_pool(instance, cfgfile, icmp);
}
