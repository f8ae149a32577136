/* SPDX-License-Identifier: ISC */
#include "jumpd/end_reasons.h"

#include <assert.h>

const char *
end_reason_label(enum end_reason reason)
{
	static const char *const labels[] = {
#define END_REASON(id, label, text) label,
		END_REASONS
#undef END_REASON
	};

	assert(reason < N_END_REASONS);
	return labels[reason];
}

const char *
end_reason_text(enum end_reason reason)
{
	static const char *const texts[] = {
#define END_REASON(id, label, text) text,
		END_REASONS
#undef END_REASON
	};

	assert(reason < N_END_REASONS);
	return texts[reason];
}
