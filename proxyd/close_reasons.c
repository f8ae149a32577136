/* SPDX-License-Identifier: ISC */
#include "proxyd/close_reasons.h"

#include <assert.h>

const char *
close_reason_label(enum close_reason reason)
{
	static const char *const labels[] = {
#define CLOSE_REASON(id, label, text) label,
		CLOSE_REASONS
#undef CLOSE_REASON
	};

	assert(reason < N_CLOSE_REASONS);
	return labels[reason];
}

const char *
close_reason_text(enum close_reason reason)
{
	static const char *const texts[] = {
#define CLOSE_REASON(id, label, text) text,
		CLOSE_REASONS
#undef CLOSE_REASON
	};

	assert(reason < N_CLOSE_REASONS);
	return texts[reason];
}
