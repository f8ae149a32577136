/* SPDX-License-Identifier: ISC */
#include "common/mapping.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/mapping_image.h"

static const char example[] = "www.example.com 2001:db8::1\n"
			      "*.example.com 2001:db8::2,2001:db8::3\n"
			      "*.a.example.com 2001:db8::4 http=8080\n"
			      "b.a.example.com 2001:db8::5 services=http\n"
			      "example.org 2001:db8::6 services=http\n"
			      "example.org 2001:db8::7 services=https,ssh\n"
			      "*.org 2001:db8::8 services=https\n";

/* A mapping of lines; free its image. */
static struct mapping
mapping_of(const char *text, size_t len)
{
	struct mapping m;
	size_t octets;
	void *image = mapping_image_of(text, len, &octets);

	cr_assert_eq(mapping_check(image, octets, &m), MAPPING_OK);
	return m;
}

static void
mapping_free(struct mapping *m)
{
	free((void *)(uintptr_t)m->image);
}

/* The last octet of the first target a name gets; 0: none. */
static unsigned
find(const struct mapping *m, enum service service, const char *name)
{
	const struct mapping_entry *e =
	    mapping_find(m, service, name, strlen(name));

	return e != NULL ? e->target[0].octet[15] : 0;
}

Test(mapping, prefers_exact_then_the_longest_pattern_for_each_service)
{
	static const struct {
		const char *name;
		unsigned http, https;
	} cases[] = {
		{ "www.example.com", 1, 1 },
		{ "example.com", 0, 0 },
		{ "x.example.com", 2, 2 },
		{ "x.y.z.example.com", 2, 2 },
		{ "x.www.example.com", 2, 2 },
		{ "a.example.com", 2, 2 },
		{ "x.a.example.com", 4, 4 },
		{ "x.b.a.example.com", 4, 4 },
		{ "b.a.example.com", 5, 4 },
		{ "xexample.com", 0, 0 },
		{ "x.xexample.com", 0, 0 },
		{ "example.org", 6, 7 },
		{ "www.example.org", 0, 8 },
		{ "org", 0, 0 },
		{ "com", 0, 0 },
		{ "", 0, 0 },
		{ ".", 0, 0 },
		{ ".example.com", 0, 0 },
	};
	struct mapping m = mapping_of(example, strlen(example));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(find(&m, SERVICE_HTTP, cases[i].name),
		    cases[i].http, "%s", cases[i].name);
		cr_assert_eq(find(&m, SERVICE_HTTPS, cases[i].name),
		    cases[i].https, "%s", cases[i].name);
	}
	cr_assert_eq(mapping_count(&m), 7);
	mapping_free(&m);
}

Test(mapping, gives_the_whole_entry)
{
	struct mapping m = mapping_of(example, strlen(example));
	const struct mapping_entry *e =
	    mapping_find(&m, SERVICE_HTTP, "x.example.com", 13);

	cr_assert_eq(e->n_targets, 2);
	cr_assert_eq(e->target[1].octet[0], 0x20);
	cr_assert_eq(e->target[1].octet[15], 3);
	cr_assert_eq(e->services, 7);
	cr_assert_eq(e->port[SERVICE_HTTP], 0);
	cr_assert_eq(e->name_len, 13);
	cr_assert_eq(memcmp(mapping_entry_name(e), "*.example.com", 13), 0);
	e = mapping_find(&m, SERVICE_HTTP, "x.a.example.com", 15);
	cr_assert_eq(e->port[SERVICE_HTTP], 8080);
	cr_assert_eq(e->port[SERVICE_HTTPS], 0);
	mapping_free(&m);
}

Test(mapping, gives_the_flags_of_each_entry)
{
	static const char text[] =
	    "a.example ::1 services=http proxy=v1 forwarded=yes\n"
	    "a.example ::2 services=https,ssh source=embed proxy=v2\n"
	    "*.a.example ::3 source=embed\n"
	    "b.example ::4\n";
	static const struct {
		const char *name;
		enum service service;
		unsigned flags;
	} cases[] = {
		{ "a.example", SERVICE_HTTP,
		    MAPPING_PROXY_V1 | MAPPING_FORWARDED },
		{ "a.example", SERVICE_HTTPS,
		    MAPPING_PROXY_V2 | MAPPING_SOURCE_EMBED },
		{ "b.a.example", SERVICE_HTTP, MAPPING_SOURCE_EMBED },
		{ "b.example", SERVICE_HTTP, 0 },
	};
	struct mapping m = mapping_of(text, strlen(text));
	const struct mapping_entry *e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e = mapping_find(&m, cases[i].service, cases[i].name,
		    strlen(cases[i].name));
		cr_assert_not_null(e, "%s", cases[i].name);
		cr_assert_eq(e->flags, cases[i].flags, "%s", cases[i].name);
	}
	mapping_free(&m);
}

Test(mapping, knows_which_flags_are_for_which_services)
{
	const unsigned http = 1 << SERVICE_HTTP, ssh = 1 << SERVICE_SSH;

	for (unsigned flags = 0; flags < 256; flags++) {
		bool proxy = (flags & 3) != 0, forwarded = (flags & 8) != 0;

		for (unsigned s = 1; s < 8; s++) {
			bool fit = flags < 16 && (flags & 3) != 3 &&
			    (!proxy || s != ssh) &&
			    (!forwarded || (s & http) != 0);

			cr_assert_eq(mapping_flags_fit((uint8_t)flags,
					 (uint8_t)s),
			    fit, "%#x for %#x", flags, s);
		}
	}
}

Test(mapping, finds_nothing_in_the_empty_value_or_an_empty_image)
{
	struct mapping none = { 0 }, empty = mapping_of("", 0);

	cr_assert_eq(find(&none, SERVICE_HTTP, "a.example"), 0);
	cr_assert_eq(mapping_count(&none), 0);
	cr_assert_eq(find(&empty, SERVICE_HTTP, "a.example"), 0);
	cr_assert_eq(mapping_count(&empty), 0);
	mapping_free(&empty);
}

Test(mapping, matches_patterns_at_every_depth_a_name_can_have)
{
	char name[HOSTNAME_MAX + 1], text[HOSTNAME_MAX + 64];
	struct mapping m;

	memset(name, 0, sizeof(name));
	for (size_t i = 0; i < HOSTNAME_MAX; i++)
		name[i] = i % 2 ? '.' : 'a';
	for (size_t labels = 1; labels < 127; labels++) {
		/* the last `labels` labels under a "*" */
		snprintf(text, sizeof(text), "*.%s ::7",
		    name + HOSTNAME_MAX + 1 - 2 * labels);
		m = mapping_of(text, strlen(text));
		cr_assert_eq(mapping_count(&m), 1, "%s", text);
		cr_assert_eq(find(&m, SERVICE_HTTP, name), 7, "%zu", labels);
		cr_assert_eq(find(&m, SERVICE_HTTP,
				 name + HOSTNAME_MAX + 1 - 2 * labels), 0);
		mapping_free(&m);
	}
	/* longer than any name, and bytes that are none */
	m = mapping_of(example, strlen(example));
	memset(text, '.', sizeof(text));
	cr_assert_null(mapping_find(&m, SERVICE_HTTP, text, HOSTNAME_MAX));
	cr_assert_null(mapping_find(&m, SERVICE_HTTP, text, sizeof(text)));
	mapping_free(&m);
}

/* --- against a naive model ---------------------------------------------- */

enum { MODEL_LINES = 40 };

struct model {
	unsigned	n;
	char		name[MODEL_LINES][32];
	unsigned	services[MODEL_LINES];	/* the target is 1 + index */
};

static uint32_t
random_below(uint32_t *state, uint32_t n)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % n;
}

/* A name of 1 to 4 labels out of three, below "*." or not. */
static void
random_name(uint32_t *state, bool pattern, char out[32])
{
	static const char *const labels[] = { "a", "bb", "a-b" };
	size_t used = 0;

	for (unsigned i = 1 + random_below(state, 4); i > 0; i--)
		used += (size_t)snprintf(out + used, 32 - used, "%s%s",
		    labels[random_below(state, 3)], i > 1 ? "." : "");
	if (pattern && random_below(state, 2) == 0) {
		memmove(out + 2, out, used + 1);
		memcpy(out, "*.", 2);
	}
}

static void
model_add(struct model *model, const char *name, unsigned services)
{
	for (unsigned i = 0; i < model->n; i++) {
		if (strcmp(model->name[i], name) == 0 &&
		    (model->services[i] & services) != 0)
			return;
	}
	memcpy(model->name[model->n], name, 32);
	model->services[model->n++] = services;
}

static unsigned
model_find(const struct model *model, enum service s, const char *name)
{
	size_t best = 0, len, name_len = strlen(name);
	unsigned target = 0;

	for (unsigned i = 0; i < model->n; i++) {
		const char *have = model->name[i];

		if ((model->services[i] >> s & 1) == 0)
			continue;
		if (strcmp(have, name) == 0)
			return i + 1;
		len = strlen(have);
		if (have[0] == '*' && len <= name_len && len > best &&
		    strcmp(name + name_len - (len - 1), have + 1) == 0) {
			best = len;
			target = i + 1;
		}
	}
	return target;
}

Test(mapping, agrees_with_a_list_searched_from_end_to_end)
{
	static const char *const options[] = { "",
		" services=http", " services=https", " services=http,https",
		" services=ssh", " services=http,ssh", " services=https,ssh",
		"" };
	uint32_t state = 2026;
	unsigned found = 0;

	for (unsigned round = 0; round < 300; round++) {
		struct model model = { 0 };
		char text[MODEL_LINES * 64], name[32];
		unsigned services, n = random_below(&state, MODEL_LINES);
		struct mapping m;
		size_t len = 0;

		while (n-- > 0) {
			unsigned before = model.n;

			random_name(&state, true, name);
			services = 1 + random_below(&state, 7);
			model_add(&model, name, services);
			/* The builder refuses the same ones: no target. */
			len += (size_t)snprintf(text + len,
			    sizeof(text) - len, "%s ::%x%s\n", name,
			    model.n > before ? model.n : 255,
			    options[services]);
		}
		m = mapping_of(text, len);
		cr_assert_eq(mapping_count(&m), model.n);
		for (unsigned i = 0; i < 200; i++) {
			enum service s = random_below(&state, N_SERVICES);

			random_name(&state, false, name);
			cr_assert_eq(find(&m, s, name),
			    model_find(&model, s, name), "%s in\n%.*s", name,
			    (int)len, text);
			found += find(&m, s, name) != 0;
		}
		mapping_free(&m);
	}
	cr_assert_gt(found, 10000);
}

Test(mapping, knows_the_services)
{
	cr_assert_str_eq(service_name(SERVICE_HTTP), "http");
	cr_assert_str_eq(service_name(SERVICE_HTTPS), "https");
	cr_assert_str_eq(service_name(SERVICE_SSH), "ssh");
	cr_assert_eq(service_port(SERVICE_HTTP), 80);
	cr_assert_eq(service_port(SERVICE_HTTPS), 443);
	cr_assert_eq(service_port(SERVICE_SSH), 22);
}
