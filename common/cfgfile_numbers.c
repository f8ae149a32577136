/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_numbers.h"

#include <string.h>

#include "common/cfgfile_values.h"

static void
read_number(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const struct cfgfile_number *number, uint32_t *value)
{
	*value = number->value;
	if (number->kind == CFGFILE_DURATION)
		cfgfile_duration(cfgfile, group, number->name, number->min,
		    number->max, value);
	else
		cfgfile_uint(cfgfile, group, number->name, number->min,
		    number->max, value);
	if (number->kind == CFGFILE_SECONDS)
		*value *= 1000;
}

void
cfgfile_read_numbers(struct cfgfile *cfgfile,
    const struct cfgfile_number *number, void *settings)
{
	const struct config_setting_t *group = NULL;
	const char *name = "";

	for (; number->group != NULL; number++) {
		if (strcmp(name, number->group) != 0) {
			name = number->group;
			group = cfgfile_group(cfgfile, cfgfile_root(cfgfile),
			    name);
		}
		read_number(cfgfile, group, number, (uint32_t *)(void *)
		    ((char *)settings + number->offset));
	}
}

static void
print_number(const struct cfgfile_number *number, uint32_t value, FILE *out)
{
	fprintf(out, "\t%s = ", number->name);
	if (number->kind == CFGFILE_COUNT)
		fprintf(out, "%u;\n", value);
	else if (value % 1000 == 0)
		fprintf(out, "%u;\n", value / 1000);
	else
		fprintf(out, "%u.%03u;\n", value / 1000, value % 1000);
}

const struct cfgfile_number *
cfgfile_print_group(const struct cfgfile_number *number, const void *settings,
    FILE *out)
{
	const char *group = number->group;

	for (; number->group != NULL && strcmp(number->group, group) == 0;
	    number++) {
		const void *value = (const char *)settings + number->offset;

		print_number(number, *(const uint32_t *)value, out);
	}
	return number;
}

void
cfgfile_print_numbers(const struct cfgfile_number *number,
    const void *settings, FILE *out)
{
	while (number->group != NULL) {
		fprintf(out, "%s = {\n", number->group);
		number = cfgfile_print_group(number, settings, out);
		fputs("};\n", out);
	}
}
