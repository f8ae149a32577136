/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/need.h"
#include "common/quote.h"

const char *
cfgfile_quoted(const char *text, char out[CFGFILE_QUOTED_MAX])
{
	quote(text, strlen(text), out, CFGFILE_QUOTED_MAX);
	return out;
}

void
cfgfile_print_string(const char *text, FILE *out)
{
	fputc('"', out);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

char *
cfgfile_absolute(const char *config_path, const char *pattern)
{
	const char *slash = strrchr(config_path, '/');
	bool wild = strpbrk(pattern, "*?[") != NULL;
	char *folder, *real, *out, *at;

	if (pattern[0] == '/')
		return need(strdup(pattern));
	folder = need(slash == NULL ? strdup(".") :
	    strndup(config_path, (size_t)(slash - config_path) + 1));
	real = realpath(folder, NULL);
	if (real == NULL)	/* gone since we read the file */
		real = need(strdup(folder));
	at = out = need(malloc(2 * strlen(real) + strlen(pattern) + 2));
	for (const char *c = real; *c != '\0'; c++) {
		if (wild && strchr("*?[\\", *c) != NULL)
			*at++ = '\\';
		*at++ = *c;
	}
	if (at == out || at[-1] != '/')
		*at++ = '/';
	memcpy(at, pattern, strlen(pattern) + 1);
	free(real);
	free(folder);
	return out;
}

static bool
has_colon(const char *text)
{
	return strchr(text, ':') != NULL;
}

/*
 * The network that a prefix with host bits was perhaps meant to be, in the
 * notation of `value`.
 */
static void
report_host_bits(struct cfgfile *cfgfile,
    const struct config_setting_t *setting, const char *value)
{
	const char *slash = strchr(value, '/');
	char text[CFGFILE_QUOTED_MAX], meant[ADDR_TEXT_MAX];
	unsigned long len, first;
	struct addr addr;

	assert(slash != NULL);
	len = strtoul(slash + 1, NULL, 10);
	addr_parse(value, (size_t)(slash - value), &addr);
	first = has_colon(value) ? len : 96 + len;
	for (unsigned long bit = first; bit < 128; bit++)
		addr.octet[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	cfgfile_problem(cfgfile, setting,
	    "%s has bits set beyond its length; did you mean %s%s/%lu?",
	    cfgfile_quoted(value, text),
	    addr_is_v4(&addr) && has_colon(value) ? "::ffff:" : "",
	    addr_format(&addr, meant), len);
}

bool
cfgfile_prefix(struct cfgfile *cfgfile,
    const struct config_setting_t *setting, const char *value, bool v4_too,
    struct prefix *ret)
{
	char text[CFGFILE_QUOTED_MAX];
	enum prefix_error error;

	if (!v4_too && !has_colon(value)) {
		cfgfile_problem(cfgfile, setting, "%s is not an IPv6 prefix",
		    cfgfile_quoted(value, text));
		return false;
	}
	error = prefix_parse(value, strlen(value), ret);
	if (error == PREFIX_HOST_BITS)
		report_host_bits(cfgfile, setting, value);
	else if (error != PREFIX_OK)
		cfgfile_problem(cfgfile, setting, "%s %s",
		    cfgfile_quoted(value, text), prefix_strerror(error));
	return error == PREFIX_OK;
}
