/* SPDX-License-Identifier: ISC */
#include "jumpd/auth_policy.h"

#include <criterion/criterion.h>
#include <string.h>

static void
add_user(struct auth_policy *p, const char *name, uint8_t methods,
    bool command)
{
	struct auth_user *u = &p->user[p->n_users++];

	u->methods = methods;
	u->command = command;
	u->name_len = (uint8_t)strlen(name);
	memcpy(u->name, name, u->name_len);
}

Test(auth_choose, finds_users_by_their_whole_name)
{
	static struct auth_policy p;
	struct auth_choice c;

	add_user(&p, "jump", AUTH_NONE, false);
	add_user(&p, "alice", AUTH_KEYS, false);
	c = auth_choose(&p, "alice", 5);
	cr_expect_not(c.shadow);
	cr_expect_eq(c.user, 1);
	c = auth_choose(&p, "jump", 4);
	cr_expect_not(c.shadow);
	cr_expect_eq(c.user, 0);
	cr_expect(auth_choose(&p, "jum", 3).shadow);
	cr_expect(auth_choose(&p, "jumpy", 5).shadow);
	cr_expect(auth_choose(&p, "Jump", 4).shadow);
	cr_expect(auth_choose(&p, "jump\0", 5).shadow);
	cr_expect(auth_choose(&p, "", 0).shadow);
}

Test(auth_choose, gives_an_unknown_user_the_most_work)
{
	static struct auth_policy p;

	add_user(&p, "jump", AUTH_NONE, false);
	add_user(&p, "keys", AUTH_KEYS, false);
	add_user(&p, "both", AUTH_KEYS | AUTH_CERTS, false);
	cr_expect_eq(auth_choose(&p, "x", 1).user, 2);
	add_user(&p, "command", AUTH_KEYS, true);
	cr_expect_eq(auth_choose(&p, "x", 1).user, 3);
}

Test(auth_attempts, run_out)
{
	static const struct auth_policy p = { .attempts_max = 3 };
	struct auth_attempts a = { 0 };

	/* asking for the methods is free, once */
	cr_expect_not(auth_attempts_count(&a, &p, AUTH_SAW_NONE));
	cr_expect_not(auth_attempts_count(&a, &p, AUTH_SAW_PROBE));
	cr_expect_not(auth_attempts_count(&a, &p, AUTH_SAW_NONE));
	cr_expect(auth_attempts_count(&a, &p, AUTH_SAW_FAILURE));
	cr_expect(auth_attempts_count(&a, &p, AUTH_SAW_PROBE));
}
