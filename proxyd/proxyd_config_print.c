/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config.h"

#include <string.h>

#include "common/cfgfile_text.h"
#include "proxyd/proxyd_numbers.h"

static void
print_setting(const char *name, const char *text, FILE *out)
{
	fprintf(out, "%s = ", name);
	cfgfile_print_string(text, out);
	fputs(";\n", out);
}

/* Begin an element of a list on a line of its own. */
static void
begin_element(uint32_t i, FILE *out)
{
	fputs(i == 0 ? "\n\t" : ",\n\t", out);
}

static void
end_list(uint32_t n, FILE *out)
{
	fputs(n == 0 ? "];\n" : "\n];\n", out);
}

/*
 * IPv4 is accepted only as ::ffff:192.0.2.0, so that nobody opens it by
 * mistake; print what will be accepted.
 */
static void
print_v6(const struct addr *addr, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, "%s%s", addr_is_v4(addr) ? "::ffff:" : "",
	    addr_format(addr, text));
}

/* On the listener's line. */
static void
print_accept_proxy(const struct proxyd_accept_proxy *accept, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	fputs("accept_proxy = [", out);
	for (uint32_t i = 0; i < accept->n; i++)
		fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ",
		    prefix_format(&accept->prefix[i], text));
	fputs("]; ", out);
}

static void
print_listeners(const struct proxyd_config *config, FILE *out)
{
	fputs("listeners = (", out);
	for (uint32_t i = 0; i < config->n_listeners; i++) {
		const struct proxyd_listener *listener = &config->listener[i];
		char text[ADDR_TEXT_MAX];

		begin_element(i, out);
		fprintf(out, "{ address = \"%s\"; port = %u; protocol = "
		    "\"%s\"; backlog = %u; ",
		    addr_format(&listener->at.addr, text), listener->at.port,
		    listener->service == SERVICE_HTTP ? "http" : "tls",
		    listener->backlog);
		print_accept_proxy(&listener->accept_proxy, out);
		fputc('}', out);
	}
	fputs("\n);\n", out);
}

static void
print_mapping(const struct proxyd_config *config, FILE *out)
{
	fputs("mapping_files = [", out);
	for (uint32_t i = 0; i < config->n_mapping_files; i++) {
		begin_element(i, out);
		cfgfile_print_string(config->mapping_file[i], out);
	}
	end_list(config->n_mapping_files, out);
	fputs("mapping = [", out);
	for (uint32_t i = 0; i < config->n_mapping_lines; i++) {
		begin_element(i, out);
		cfgfile_print_string(config->mapping_line[i].text, out);
	}
	end_list(config->n_mapping_lines, out);
}

static void
print_prefixes(const char *name, const struct prefix *prefix, uint32_t n,
    FILE *out)
{
	fprintf(out, "%s = [", name);
	for (uint32_t i = 0; i < n; i++) {
		begin_element(i, out);
		fputc('"', out);
		print_v6(&prefix[i].addr, out);
		fprintf(out, "/%u\"", prefix[i].len);
	}
	end_list(n, out);
}

static void
print_embed_prefix(const struct proxyd_settings *settings, FILE *out)
{
	char text[PREFIX_TEXT_MAX] = "";

	if (settings->has_embed_prefix)
		prefix_format(&settings->embed_prefix, text);
	print_setting("embed_prefix", text, out);
}

static void
print_targets(const struct proxyd_settings *settings, FILE *out)
{
	print_prefixes("allow_targets", settings->targets.allow,
	    settings->targets.n_allow, out);
	print_prefixes("nat64_prefixes", settings->targets.nat64,
	    settings->targets.n_nat64, out);
	print_embed_prefix(settings, out);
	fputs("source = [", out);
	for (uint32_t i = 0; i < settings->n_sources; i++) {
		begin_element(i, out);
		fputc('"', out);
		print_v6(&settings->source[i], out);
		fputc('"', out);
	}
	end_list(settings->n_sources, out);
	fputs("default_target = \"", out);
	if (settings->has_default_target)
		print_v6(&settings->default_target, out);
	fputs("\";\n", out);
}

static void
print_number(const struct proxyd_number *number, uint32_t value, FILE *out)
{
	fprintf(out, "\t%s = ", number->name);
	if (number->kind == PROXYD_COUNT)
		fprintf(out, "%u;\n", value);
	else if (value % 1000 == 0)
		fprintf(out, "%u;\n", value / 1000);
	else
		fprintf(out, "%u.%03u;\n", value / 1000, value % 1000);
}

static void
print_numbers(const struct proxyd_settings *settings, FILE *out)
{
	const struct proxyd_number *number = proxyd_numbers;
	const char *group = NULL;

	for (; number->group != NULL; number++) {
		const void *value = (const char *)settings + number->offset;

		if (group == NULL || strcmp(group, number->group) != 0)
			fprintf(out, "%s%s = {\n", group == NULL ? "" :
			    "};\n", number->group);
		group = number->group;
		print_number(number, *(const uint32_t *)value, out);
	}
	fputs("};\n", out);
}

void
proxyd_config_print(const struct proxyd_config *config, FILE *out)
{
	print_setting("user", config->user, out);
	print_setting("group", config->group, out);
	fprintf(out, "workers = %u;\n", config->workers);
	print_setting("log", config->log, out);
	fprintf(out, "log_connections = %s;\n",
	    config->settings.log_connections ? "true" : "false");
	fprintf(out, "reload_closes_removed = %s;\n",
	    config->settings.reload_closes_removed ? "true" : "false");
	print_listeners(config, out);
	print_mapping(config, out);
	print_targets(&config->settings, out);
	print_numbers(&config->settings, out);
}
