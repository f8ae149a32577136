/* SPDX-License-Identifier: ISC */
#include "jumpd/deny_reasons.h"

#include <assert.h>

const char *
deny_reason_label(enum deny_reason reason)
{
	static const char *const labels[] = {
#define DENY_REASON(id, label, text) label,
		DENY_REASONS
#undef DENY_REASON
	};

	assert(reason < N_DENY_REASONS);
	return labels[reason];
}

const char *
deny_reason_text(enum deny_reason reason)
{
	static const char *const texts[] = {
#define DENY_REASON(id, label, text) text,
		DENY_REASONS
#undef DENY_REASON
	};

	assert(reason < N_DENY_REASONS);
	return texts[reason];
}
