/* SPDX-License-Identifier: ISC */
#include "translate/drop_reasons.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

Test(drop_reasons, labels_are_unique)
{
	enum drop_reason a, b;

	for (a = 0; a < N_DROP_REASONS; a++)
		for (b = 0; b < a; b++)
			cr_assert_str_neq(drop_reason_label(a),
			    drop_reason_label(b));
}

/* Lower-case words of letters and digits, one '_' between them. */
Test(drop_reasons, labels_are_snake_case)
{
	enum drop_reason r;
	const char *label;
	size_t i, len;

	for (r = 0; r < N_DROP_REASONS; r++) {
		label = drop_reason_label(r);
		len = strlen(label);
		cr_assert(len > 0, "reason %d", (int)r);
		cr_assert_eq(strspn(label,
		    "abcdefghijklmnopqrstuvwxyz0123456789_"), len, "%s",
		    label);
		cr_assert(label[0] >= 'a' && label[0] <= 'z', "%s", label);
		cr_assert_neq(label[len - 1], '_', "%s", label);
		for (i = 1; i < len; i++)
			cr_assert_not(label[i - 1] == '_' && label[i] == '_',
			    "%s", label);
	}
}

/* They complete "packet dropped: ...": no capital verb, no full stop. */
Test(drop_reasons, texts_are_fragments_and_tell_reasons_apart)
{
	enum drop_reason a, b;
	const char *text;

	for (a = 0; a < N_DROP_REASONS; a++) {
		text = drop_reason_text(a);
		cr_assert_not_null(text, "%s", drop_reason_label(a));
		cr_assert(strlen(text) > 0, "%s", drop_reason_label(a));
		cr_assert_neq(text[strlen(text) - 1], '.', "%s", text);
		for (b = 0; b < a; b++)
			cr_assert_str_neq(text, drop_reason_text(b));
	}
}

Test(drop_reasons, a_zeroed_result_has_none)
{
	cr_assert_eq(DROP_NONE, 0);
	cr_assert_str_eq(drop_reason_label(DROP_NONE), "none");
}

/* Dashboards and logs know these: a label never changes its meaning. */
Test(drop_reasons, the_label_is_the_reasons_name)
{
#define DROP_REASON(id, label, text, rule) { #id, label },
	static const struct {
		const char *id, *label;
	} names[] = { DROP_REASONS };
#undef DROP_REASON
	size_t i;

	for (i = 0; i < N_DROP_REASONS; i++)
		cr_assert_eq(strcasecmp(names[i].id, names[i].label), 0, "%s",
		    names[i].label);
}

/* "RFC 7915 4.1", "RFC 7915 4.1, 5.1, RFC 1812 5.3.7", or nothing. */
Test(drop_reasons, rules_are_references)
{
	enum drop_reason r;
	const char *rule;

	for (r = 0; r < N_DROP_REASONS; r++) {
		rule = drop_reason_rule(r);
		cr_assert(*rule == '\0' || strncmp(rule, "RFC ", 4) == 0,
		    "%s", rule);
		cr_assert_eq(strspn(rule, "RFC 0123456789.,"), strlen(rule),
		    "%s", rule);
	}
	cr_assert_str_eq(drop_reason_rule(DROP_NONE), "");
}
