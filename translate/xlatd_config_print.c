/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_config_parts.h"

#include <string.h>

#include "common/cfgfile_text.h"
#include "translate/xlatd_numbers.h"

/* Elements of a list stand on lines of their own, this deep. */
#define DEEP "\t\t"

static void
print_setting(const char *indent, const char *name, const char *text,
    FILE *out)
{
	fprintf(out, "%s%s = ", indent, name);
	cfgfile_print_string(text, out);
	fputs(";\n", out);
}

static void
print_bool(const char *indent, const char *name, bool value, FILE *out)
{
	fprintf(out, "%s%s = %s;\n", indent, name, value ? "true" : "false");
}

static void
print_prefixes(const char *indent, const char *name,
    const struct prefix *prefix, uint32_t n, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	fprintf(out, "%s%s = [", indent, name);
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, "%s\n%s\t\"%s\"", i == 0 ? "" : ",", indent,
		    prefix_format(&prefix[i], text));
	if (n > 0)
		fprintf(out, "\n%s", indent);
	fputs("];\n", out);
}

static void
print_numbers(const struct xlatd_limits *limits, const char *group,
    const char *indent, FILE *out)
{
	const struct xlatd_number *number = xlatd_numbers;

	for (; number->group != NULL; number++) {
		const void *at = (const char *)limits + number->offset;
		uint32_t value = *(const uint32_t *)at;

		if (strcmp(number->group, group) != 0)
			continue;
		if (!number->duration)
			fprintf(out, "%s%s = %u;\n", indent, number->name,
			    value);
		else if (value % 1000 == 0)
			fprintf(out, "%s%s = %u;\n", indent, number->name,
			    value / 1000);
		else
			fprintf(out, "%s%s = %u.%03u;\n", indent,
			    number->name, value / 1000, value % 1000);
	}
}

static void
print_addresses(const struct xlatd_instance *instance, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fputs(DEEP "addresses = [", out);
	for (uint32_t i = 0; i < instance->n_addresses; i++)
		fprintf(out, "%s\"%s/%u\"", i == 0 ? " " : ", ",
		    addr_format(&instance->address[i].addr, text),
		    instance->address[i].len);
	fputs(instance->n_addresses == 0 ? "];\n" : " ];\n", out);
}

static void
print_tos(const char *name, int16_t value, FILE *out)
{
	if (value == SIIT_TOS_COPY)
		fprintf(out, DEEP "%s = \"copy\";\n", name);
	else
		fprintf(out, DEEP "%s = \"%d\";\n", name, value);
}

static void
print_embeddings(const struct xlatd_instance *instance, FILE *out)
{
	char prefix[PREFIX_TEXT_MAX], range[PREFIX_TEXT_MAX];

	fputs(DEEP "prefixes = (", out);
	for (uint32_t i = 0; i < instance->n_embeddings; i++) {
		const struct embedding *embedding = &instance->embedding[i];

		fprintf(out, "%s\n" DEEP "\t{ prefix = \"%s\"; range = \"%s\"; "
		    "non_global = %s; }", i == 0 ? "" : ",",
		    prefix_format(&embedding->prefix, prefix),
		    prefix_format(&embedding->range, range),
		    embedding->any ? "true" : "false");
	}
	fputs(instance->n_embeddings == 0 ? ");\n" : "\n" DEEP ");\n", out);
}

static void
print_translation(const struct xlatd_instance *instance, FILE *out)
{
	const struct siit *siit = &instance->siit;
	char text[ADDR_TEXT_MAX];

	fprintf(out, DEEP "ipv4_address = \"%u.%u.%u.%u\";\n",
	    siit->own4 >> 24, siit->own4 >> 16 & 255, siit->own4 >> 8 & 255,
	    siit->own4 & 255);
	fprintf(out, DEEP "ipv6_address = \"%s\";\n",
	    addr_format(&siit->own6, text));
	print_embeddings(instance, out);
	print_prefixes(DEEP, "translatable", instance->translatable,
	    instance->n_translatable, out);
	print_tos("tos", siit->tos, out);
	print_tos("traffic_class", siit->traffic_class, out);
	print_setting(DEEP, "udp_zero_checksum",
	    config_udp_zero_names[siit->udp_zero], out);
	print_setting(DEEP, "hairpinning",
	    config_hairpin_names[siit->hairpin], out);
	fputs(DEEP "icmp = {\n", out);
	print_bool(DEEP "\t", "errors", siit->icmp_errors, out);
	print_numbers(&instance->limits, "icmp", DEEP "\t", out);
	print_prefixes(DEEP "\t", "pool", instance->icmp_pool,
	    instance->n_icmp_pool, out);
	print_bool(DEEP "\t", "pool_extension", siit->pool_extension, out);
	fputs(DEEP "};\n", out);
}

static void
print_mapping(const struct xlatd_instance *instance, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	mapping_config_print(&instance->mapping, DEEP, out);
	if (!instance->has_pool)
		return;
	fputs(DEEP "dynamic_pool = {\n", out);
	print_setting(DEEP "\t", "prefix",
	    prefix_format(&instance->pool, text), out);
	print_setting(DEEP "\t", "leases", instance->lease_file, out);
	print_numbers(&instance->limits, "dynamic_pool", DEEP "\t", out);
	fputs(DEEP "};\n", out);
}

static void
print_instance(const struct xlatd_instance *instance, FILE *out)
{
	fputs("\t{\n", out);
	print_setting(DEEP, "device", instance->device, out);
	print_numbers(&instance->limits, "", DEEP, out);
	print_bool(DEEP, "offload", instance->offload, out);
	print_bool(DEEP, "setup", instance->setup, out);
	print_addresses(instance, out);
	print_prefixes(DEEP, "routes", instance->route, instance->n_routes,
	    out);
	print_translation(instance, out);
	print_mapping(instance, out);
	fputs("\t}", out);
}

void
xlatd_config_print(const struct xlatd_config *config, FILE *out)
{
	daemon_config_print(&config->process, out);
	print_bool("", "log_drops", config->log_drops, out);
	fputs("instances = (\n", out);
	for (uint32_t i = 0; i < config->n_instances; i++) {
		print_instance(&config->instance[i], out);
		fputs(i + 1 < config->n_instances ? ",\n" : "\n", out);
	}
	fputs(");\n", out);
}
