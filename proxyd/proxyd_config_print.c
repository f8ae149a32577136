/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config.h"

#include "common/cfgfile_address.h"
#include "proxyd/proxyd_numbers.h"

/* Begin an element of a list on a line of its own. */
static void
begin_element(uint32_t i, FILE *out)
{
	fputs(i == 0 ? "\n\t" : ",\n\t", out);
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
print_targets(const struct proxyd_settings *settings, FILE *out)
{
	char text[PREFIX_TEXT_MAX] = "";

	cfgfile_print_prefixes("allow_targets", settings->targets.allow,
	    settings->targets.n_allow, out);
	cfgfile_print_prefixes("nat64_prefixes", settings->targets.nat64,
	    settings->targets.n_nat64, out);
	if (settings->has_embed_prefix)
		prefix_format(&settings->embed_prefix, text);
	fprintf(out, "embed_prefix = \"%s\";\n", text);
	cfgfile_print_addresses("source", settings->source,
	    settings->n_sources, out);
	fputs("default_target = \"", out);
	if (settings->has_default_target)
		cfgfile_print_v6(&settings->default_target, out);
	fputs("\";\n", out);
}

void
proxyd_config_print(const struct proxyd_config *config, FILE *out)
{
	daemon_config_print(&config->process, out);
	fprintf(out, "workers = %u;\n", config->workers);
	fprintf(out, "log_connections = %s;\n",
	    config->settings.log_connections ? "true" : "false");
	fprintf(out, "reload_closes_removed = %s;\n",
	    config->settings.reload_closes_removed ? "true" : "false");
	print_listeners(config, out);
	mapping_config_print(&config->mapping, "", out);
	print_targets(&config->settings, out);
	cfgfile_print_numbers(proxyd_numbers, &config->settings, out);
}
