/* SPDX-License-Identifier: ISC */
#include "translate/drop_reasons.h"

#include <assert.h>

const char *
drop_reason_label(enum drop_reason reason)
{
	static const char *const labels[] = {
#define DROP_REASON(id, label, text, rule) label,
		DROP_REASONS
#undef DROP_REASON
	};

	assert(reason < N_DROP_REASONS);
	return labels[reason];
}

const char *
drop_reason_text(enum drop_reason reason)
{
	static const char *const texts[] = {
#define DROP_REASON(id, label, text, rule) text,
		DROP_REASONS
#undef DROP_REASON
	};

	assert(reason < N_DROP_REASONS);
	return texts[reason];
}

const char *
drop_reason_rule(enum drop_reason reason)
{
	static const char *const rules[] = {
#define DROP_REASON(id, label, text, rule) rule,
		DROP_REASONS
#undef DROP_REASON
	};

	assert(reason < N_DROP_REASONS);
	return rules[reason];
}
