/* SPDX-License-Identifier: ISC */
#include "proxyd/close_reasons.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

Test(close_reasons, labels_are_unique)
{
	enum close_reason a, b;

	for (a = 0; a < N_CLOSE_REASONS; a++)
		for (b = 0; b < a; b++)
			cr_assert_str_neq(close_reason_label(a),
			    close_reason_label(b));
}

/* Lower-case words of letters and digits, one '_' between them. */
Test(close_reasons, labels_are_snake_case)
{
	enum close_reason r;
	const char *label;
	size_t i, len;

	for (r = 0; r < N_CLOSE_REASONS; r++) {
		label = close_reason_label(r);
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

/* They complete "connection ended: ...": no capital verb, no full stop. */
Test(close_reasons, texts_are_fragments_and_tell_reasons_apart)
{
	enum close_reason a, b;
	const char *text;

	for (a = 0; a < N_CLOSE_REASONS; a++) {
		text = close_reason_text(a);
		cr_assert_not_null(text, "%s", close_reason_label(a));
		cr_assert(strlen(text) > 0, "%s", close_reason_label(a));
		cr_assert_neq(text[strlen(text) - 1], '.', "%s", text);
		for (b = 0; b < a; b++)
			cr_assert_str_neq(text, close_reason_text(b));
	}
}

Test(close_reasons, a_zeroed_connection_has_none)
{
	cr_assert_eq(CLOSE_NONE, 0);
	cr_assert_str_eq(close_reason_label(CLOSE_NONE), "none");
}

/* Dashboards and logs know these: a label never changes its meaning. */
Test(close_reasons, the_label_is_the_reasons_name)
{
#define CLOSE_REASON(id, label, text) { #id, label },
	static const struct {
		const char *id, *label;
	} names[] = { CLOSE_REASONS };
#undef CLOSE_REASON
	size_t i;

	for (i = 0; i < N_CLOSE_REASONS; i++)
		cr_assert_eq(strcasecmp(names[i].id, names[i].label), 0, "%s",
		    names[i].label);
}
