/* SPDX-License-Identifier: ISC */
#include "jumpd/auth_policy.h"

#include <assert.h>
#include <string.h>

/* The most work that a login of this user can be. */
static unsigned
work(const struct auth_user *user)
{
	return (user->methods & AUTH_KEYS ? 1u : 0u) +
	    (user->methods & AUTH_CERTS ? 1u : 0u) + (user->command ? 4u : 0u);
}

struct auth_choice
auth_choose(const struct auth_policy *policy, const void *name, size_t len)
{
	struct auth_choice choice = { .shadow = true };
	uint32_t i;

	assert(policy->n_users > 0 && policy->n_users <= AUTH_USERS_MAX);
	for (i = 0; i < policy->n_users; i++) {
		if (policy->user[i].name_len == len &&
		    memcmp(policy->user[i].name, name, len) == 0) {
			choice.user = i;
			choice.shadow = false;
			return choice;
		}
		if (work(&policy->user[i]) > work(&policy->user[choice.user]))
			choice.user = i;
	}
	return choice;
}

bool
auth_attempts_count(struct auth_attempts *attempts,
    const struct auth_policy *policy, enum auth_event event)
{
	if (event == AUTH_SAW_NONE && !attempts->none_tried)
		attempts->none_tried = true;
	else if (attempts->failed < UINT32_MAX)
		attempts->failed++;
	return attempts->failed >= policy->attempts_max;
}
