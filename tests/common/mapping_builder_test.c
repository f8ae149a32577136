/* SPDX-License-Identifier: ISC */
#include "common/mapping_builder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct siphash_key key = { "sixteen octets!" };

static struct mapping_line
line_of(const char *text)
{
	struct mapping_line line;
	char problem[256];

	cr_assert(mapping_line_parse(text, strlen(text), &line, problem,
		      sizeof(problem)),
	    "%s: %s", text, problem);
	return line;
}

static enum mapping_add
add(struct mapping_builder *b, const char *text, uint32_t number,
    struct mapping_origin *first)
{
	struct mapping_line line = line_of(text);

	return mapping_builder_add(b, &line,
	    (struct mapping_origin) { number / 10, number }, first);
}

/* The image, to be freed; it passes mapping_check. */
static void *
write_image(const struct mapping_builder *b, struct mapping *ret)
{
	size_t len = mapping_builder_size(b);
	void *image = malloc(len);

	cr_assert_not_null(image);
	mapping_builder_write(b, image);
	cr_assert_eq(mapping_check(image, len, ret), MAPPING_OK);
	return image;
}

Test(mapping_builder, tells_where_the_first_of_two_was)
{
	static const struct {
		const char *line;
		uint32_t first;		/* 0: it is added */
	} cases[] = {
		{ "www.example.com ::1", 0 },			/* 1 */
		{ "WWW.example.com. ::2", 1 },
		{ "*.example.com ::1", 0 },			/* 3 */
		{ "*.example.com ::1 services=ssh", 3 },
		{ "example.com ::1 services=http", 0 },		/* 5 */
		{ "example.com ::1 services=ssh", 0 },		/* 6 */
		{ "example.com ::1 services=https", 0 },	/* 7 */
		{ "example.com ::1 services=https,ssh", 6 },
		{ "example.com ::1 services=https", 7 },
		{ "example.com ::1", 5 },
		{ "example.co ::1", 0 },
		{ "xexample.com ::1", 0 },
	};
	struct mapping_builder *b = mapping_builder_new(&key);
	struct mapping_origin first;
	struct mapping m;
	size_t before;
	void *image;

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		before = mapping_builder_size(b);
		first = (struct mapping_origin) { 77, 77 };
		cr_assert_eq(add(b, cases[i].line, i + 1, &first),
		    cases[i].first != 0 ? MAPPING_DUPLICATE : MAPPING_ADDED,
		    "%s", cases[i].line);
		cr_assert_eq(first.line,
		    cases[i].first != 0 ? cases[i].first : 77, "%s",
		    cases[i].line);
		cr_assert_eq(first.file,
		    cases[i].first != 0 ? cases[i].first / 10 : 77);
		if (cases[i].first != 0)
			cr_assert_eq(mapping_builder_size(b), before);
	}
	image = write_image(b, &m);
	cr_assert_eq(mapping_count(&m), 7);
	free(image);
	mapping_builder_free(b);
}

Test(mapping_builder, goes_on_after_an_image_was_written)
{
	struct mapping_builder *b = mapping_builder_new(&key);
	struct mapping none, one, two;
	void *images[3];

	images[0] = write_image(b, &none);
	cr_assert_eq(mapping_count(&none), 0);
	cr_assert_null(mapping_find(&none, SERVICE_HTTP, "a.b", 3));
	add(b, "a.b ::1", 1, NULL);
	images[1] = write_image(b, &one);
	add(b, "c.d ::1", 2, NULL);
	images[2] = write_image(b, &two);
	cr_assert_not_null(mapping_find(&one, SERVICE_HTTP, "a.b", 3));
	cr_assert_null(mapping_find(&one, SERVICE_HTTP, "c.d", 3));
	cr_assert_not_null(mapping_find(&two, SERVICE_HTTP, "a.b", 3));
	cr_assert_not_null(mapping_find(&two, SERVICE_HTTP, "c.d", 3));
	for (int i = 0; i < 3; i++)
		free(images[i]);
	mapping_builder_free(b);
	mapping_builder_free(NULL);
}

static int
number_name(char *out, size_t room, uint32_t i)
{
	return snprintf(out, room, "%s%u.vm.example.net", i % 7 ? "vm" : "*.",
	    i);
}

Test(mapping_builder, holds_many_names_in_64_octets_beside_each)
{
	enum { N = 50000 };
	struct mapping_builder *b = mapping_builder_new(&key);
	struct mapping_origin first;
	const struct mapping_entry *e;
	char text[64], name[48];
	size_t name_octets = 0;
	struct mapping m;
	void *image;
	int len;

	for (uint32_t i = 0; i < N; i++) {
		name_octets += (size_t)number_name(name, sizeof(name), i);
		snprintf(text, sizeof(text), "%s 2001:db8::%x", name, i + 1);
		cr_assert_eq(add(b, text, i, &first), MAPPING_ADDED);
		if (mapping_builder_size(b) > name_octets + 64 * (i + 1))
			cr_assert_lt(i, 20, "%u names", i + 1);
	}
	for (uint32_t i = 0; i < N; i += 97) {
		number_name(name, sizeof(name), i);
		snprintf(text, sizeof(text), "%s 2001:db8::", name);
		cr_assert_eq(add(b, text, 0, &first), MAPPING_DUPLICATE);
		cr_assert_eq(first.line, i);
	}
	image = write_image(b, &m);
	cr_assert_eq(mapping_count(&m), N);
	for (uint32_t i = 0; i < N; i++) {
		len = number_name(name, sizeof(name), i);
		e = mapping_find(&m, SERVICE_SSH, name, (size_t)len);
		cr_assert_not_null(e, "%s", name);
		cr_assert_eq(e->name_len, len);
		cr_assert_eq(memcmp(mapping_entry_name(e), name, (size_t)len),
		    0);
		cr_assert_eq(e->target[0].octet[15], (uint8_t)(i + 1));
	}
	free(image);
	mapping_builder_free(b);
}
