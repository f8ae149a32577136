/* SPDX-License-Identifier: ISC */
#include "translate/dynamic_pool.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/packet_make.h"

enum { LEASE_S = 100 };

static const struct siphash_key key = { { 2, 7, 1, 8 } };

static struct dynamic_pool *
pool_of(const char *text)
{
	struct dynamic_pool *pool;
	struct prefix prefix;

	cr_assert_eq(prefix_parse(text, strlen(text), &prefix), PREFIX_OK);
	pool = dynamic_pool_new(&prefix, LEASE_S, &key, NULL, NULL);
	cr_assert_not_null(pool);
	return pool;
}

static struct addr
host(unsigned n)
{
	struct addr addr = { { 0x20, 1, 0xd, 0xb8, [14] = (uint8_t)(n >> 8),
	    [15] = (uint8_t)n } };

	return addr;
}

/* The host's address, or 0. */
static uint32_t
lend(struct dynamic_pool *pool, unsigned n, uint64_t now_s)
{
	struct addr addr = host(n);
	uint32_t v4 = 0;

	dynamic_pool_lend(pool, &addr, now_s, &v4);
	return v4;
}

Test(dynamic_pool, lends_each_host_an_address_of_its_own)
{
	struct dynamic_pool *pool = pool_of("192.0.2.0/24");
	uint32_t v4, got;
	bool seen[256] = { false };
	struct addr addr, want;
	unsigned n;

	cr_assert_eq(dynamic_pool_size(pool), 254);
	for (n = 0; n < 254; n++) {
		v4 = lend(pool, n, 1000);
		cr_assert(v4 > 0xc0000200 && v4 < 0xc00002ff, "%x", v4);
		cr_assert_not(seen[v4 & 0xff]);
		seen[v4 & 0xff] = true;
		want = host(n);
		cr_assert(dynamic_pool_4to6(pool, v4, &addr));
		cr_assert(addr_equal(&addr, &want));
		cr_assert(dynamic_pool_6to4(pool, &want, &got));
		cr_assert_eq(got, v4);
		cr_assert_eq(lend(pool, n, 1001), v4);
		cr_assert_eq(dynamic_pool_lent(pool), n + 1);
		cr_assert_eq(dynamic_pool_changes(pool), n + 1);
	}
	cr_assert_eq(lend(pool, 254, 1001), 0);
	dynamic_pool_free(pool);
	dynamic_pool_free(NULL);
}

Test(dynamic_pool, holds_its_prefix_and_nothing_else)
{
	struct dynamic_pool *pool = pool_of("192.0.2.0/24");
	struct addr addr = host(1);
	uint32_t v4 = 5;

	cr_assert(dynamic_pool_holds(pool, 0xc0000200));
	cr_assert(dynamic_pool_holds(pool, 0xc00002ff));
	cr_assert_not(dynamic_pool_holds(pool, 0xc00001ff));
	cr_assert_not(dynamic_pool_holds(pool, 0xc0000300));
	cr_assert_not(dynamic_pool_holds(pool, 0));
	cr_assert_not(dynamic_pool_4to6(pool, 0xc0000300, &addr));
	cr_assert_not(dynamic_pool_4to6(pool, 0xc0000201, &addr));
	cr_assert_not(dynamic_pool_6to4(pool, &addr, &v4));
	cr_assert_eq(v4, 5);
	dynamic_pool_free(pool);
}

Test(dynamic_pool, lends_all_addresses_of_the_smallest_prefixes)
{
	struct dynamic_pool *pool = pool_of("192.0.2.4/31");

	cr_assert_eq(dynamic_pool_size(pool), 2);
	dynamic_pool_free(pool);
	pool = pool_of("192.0.2.4/32");
	cr_assert_eq(dynamic_pool_size(pool), 1);
	cr_assert_eq(lend(pool, 1, 0), 0xc0000204);
	dynamic_pool_free(pool);
	pool = pool_of("192.0.2.4/30");
	cr_assert_eq(dynamic_pool_size(pool), 2);
	dynamic_pool_free(pool);
}

static bool
is_odd(void *arg, uint32_t v4)
{
	++*(unsigned *)arg;
	return v4 % 2 == 1;
}

Test(dynamic_pool, does_not_lend_what_is_reserved)
{
	struct prefix prefix;
	struct dynamic_pool *pool;
	const struct addr addr = host(1);
	unsigned asked = 0, n;

	cr_assert_eq(prefix_parse("192.0.2.0/27", 12, &prefix), PREFIX_OK);
	pool = dynamic_pool_new(&prefix, LEASE_S, &key, is_odd, &asked);
	cr_assert_not_null(pool);
	cr_assert_eq(asked, 30);
	cr_assert_eq(dynamic_pool_size(pool), 15);
	for (n = 0; n < 15; n++)
		cr_assert_eq(lend(pool, n, 0) % 2, 0);
	cr_assert_eq(lend(pool, n, 0), 0);
	cr_assert_eq(dynamic_pool_restore(pool, 0xc0000201, &addr, 0, 0),
	    DYNAMIC_POOL_NOT_OURS);
	dynamic_pool_free(pool);
}

Test(dynamic_pool, refuses_prefixes_it_cannot_hold)
{
	static const char *const bad[] = { "10.0.0.0/11", "0.0.0.0/0",
		"2001:db8::/120" };
	struct prefix prefix;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(prefix_parse(bad[i], strlen(bad[i]), &prefix),
		    PREFIX_OK);
		cr_assert_null(dynamic_pool_new(&prefix, LEASE_S, &key, NULL,
		    NULL), "%s", bad[i]);
	}
}

Test(dynamic_pool, takes_from_the_host_silent_longest)
{
	struct dynamic_pool *pool = pool_of("192.0.2.0/30");
	uint32_t a = lend(pool, 1, 1000), b = lend(pool, 2, 1010);
	struct addr addr, want = host(3);

	/* Both are within their time, a to the last second of it. */
	cr_assert_eq(lend(pool, 3, 1000 + LEASE_S), 0);
	/* A packet prolongs it. */
	cr_assert_eq(lend(pool, 1, 1050), a);
	cr_assert_eq(lend(pool, 3, 1010 + LEASE_S), 0);
	cr_assert_eq(lend(pool, 3, 1011 + LEASE_S), b);
	cr_assert(dynamic_pool_4to6(pool, b, &addr));
	cr_assert(addr_equal(&addr, &want));
	cr_assert_eq(lend(pool, 2, 1011 + LEASE_S), 0);
	cr_assert_eq(lend(pool, 1, 5000), a);
	cr_assert_eq(dynamic_pool_lent(pool), 2);
	dynamic_pool_free(pool);
}

Test(dynamic_pool, lets_a_host_keep_what_nobody_needs)
{
	struct dynamic_pool *pool = pool_of("192.0.2.0/24");
	uint32_t v4 = lend(pool, 1, 0);
	struct addr addr;

	cr_assert(dynamic_pool_4to6(pool, v4, &addr));
	cr_assert_eq(lend(pool, 2, 10 * LEASE_S) == v4, false);
	cr_assert_eq(lend(pool, 1, 20 * LEASE_S), v4);
	dynamic_pool_free(pool);
}

/* Another pool with the same key, as after a restart without leases. */
Test(dynamic_pool, gives_most_hosts_the_same_address_again)
{
	struct dynamic_pool *a = pool_of("192.0.2.0/24");
	struct dynamic_pool *b = pool_of("192.0.2.0/24");
	unsigned n, same = 0;

	for (n = 0; n < 50; n++)
		lend(a, n, 0);
	for (n = 50; n-- > 0;)
		same += lend(b, n, 0) == lend(a, n, 0);
	cr_assert_gt(same, 25, "%u", same);
	dynamic_pool_free(a);
	dynamic_pool_free(b);
}

Test(dynamic_pool, takes_over_only_good_leases)
{
	static const struct {
		uint32_t v4;
		unsigned host;
		uint64_t heard_s;
		enum dynamic_pool_restored want;
	} cases[] = {
		{ 0xc0000201, 1, 1000, DYNAMIC_POOL_TAKEN },
		{ 0xc0000201, 9, 1000, DYNAMIC_POOL_CONFLICT },
		{ 0xc0000209, 1, 1000, DYNAMIC_POOL_CONFLICT },
		{ 0xc0000203, 3, 900, DYNAMIC_POOL_TAKEN },
		{ 0xc0000204, 4, 899, DYNAMIC_POOL_EXPIRED },
		{ 0xc0000205, 5, 999999999999, DYNAMIC_POOL_TAKEN },
		{ 0xc0000200, 6, 1000, DYNAMIC_POOL_NOT_OURS },
		{ 0xc000020f, 6, 1000, DYNAMIC_POOL_NOT_OURS },
		{ 0xc0000210, 6, 1000, DYNAMIC_POOL_NOT_OURS },
		{ 0xc00001ff, 6, 1000, DYNAMIC_POOL_NOT_OURS },
	};
	struct dynamic_pool *pool = pool_of("192.0.2.0/28");
	struct addr addr;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		addr = host(cases[i].host);
		cr_assert_eq(dynamic_pool_restore(pool, cases[i].v4, &addr,
		    cases[i].heard_s, 1000), cases[i].want, "case %zu", i);
	}
	cr_assert_eq(dynamic_pool_lent(pool), 3);
	cr_assert_eq(dynamic_pool_changes(pool), 0);
	dynamic_pool_free(pool);
}

/* --- against a list ------------------------------------------------------ */

enum { HOSTS = 40, ADDRESSES = 14, STEPS = 20000 };

/* What the pool promises, kept the slow way. */
struct model {
	uint32_t	v4[HOSTS];	/* 0: none */
	uint64_t	heard_s[HOSTS];
};

static unsigned
lent(const struct model *m)
{
	unsigned n, count = 0;

	for (n = 0; n < HOSTS; n++)
		count += m->v4[n] != 0;
	return count;
}

/* Who must give way, or HOSTS. */
static unsigned
silent_longest(const struct model *m, uint64_t now_s)
{
	unsigned n, best = HOSTS;

	for (n = 0; n < HOSTS; n++)
		if (m->v4[n] != 0 && (best == HOSTS ||
		    m->heard_s[n] < m->heard_s[best]))
			best = n;
	return best < HOSTS && now_s - m->heard_s[best] > LEASE_S ? best :
	    HOSTS;
}

Test(dynamic_pool, keeps_its_promises)
{
	struct dynamic_pool *pool = pool_of("192.0.2.0/28");
	struct chance chance = { 5 };
	struct model m = { { 0 }, { 0 } };
	unsigned step, n, loser, i;
	uint64_t now_s = 1;
	uint32_t v4;

	for (step = 0; step < STEPS; step++) {
		/* No two hosts in one second: the order is clear then. */
		now_s += 1 + chance_below(&chance, 15);
		n = chance_below(&chance, HOSTS);
		v4 = lend(pool, n, now_s);
		if (m.v4[n] != 0) {
			cr_assert_eq(v4, m.v4[n]);
		} else if (lent(&m) < ADDRESSES) {
			cr_assert_neq(v4, 0);
		} else {
			loser = silent_longest(&m, now_s);
			cr_assert_eq(v4, loser < HOSTS ? m.v4[loser] : 0);
			if (loser < HOSTS)
				m.v4[loser] = 0;
		}
		for (i = 0; v4 != 0 && i < HOSTS; i++)
			cr_assert(i == n || m.v4[i] != v4);
		m.v4[n] = v4;
		m.heard_s[n] = now_s;
		cr_assert_eq(dynamic_pool_lent(pool), lent(&m));
	}
	dynamic_pool_free(pool);
}

/* What a process tells another of its leases is what the other lends. */
Test(dynamic_pool, hands_its_leases_over_one_by_one)
{
	struct dynamic_pool *old = pool_of("192.0.2.0/24");
	struct dynamic_pool *new = pool_of("192.0.2.0/24");
	uint32_t v4, offset;
	uint64_t heard_s;
	struct addr addr;
	unsigned n;

	for (n = 0; n < 50; n++)
		lend(old, n, 1000 + n);
	for (offset = 0; offset < 256; offset++) {
		v4 = 0xc0000200 + offset;
		heard_s = 7;
		if (!dynamic_pool_lease(old, v4, &addr, &heard_s)) {
			cr_assert_eq(heard_s, 7);
			continue;
		}
		cr_assert_eq(heard_s, 1000u + addr.octet[15]);
		cr_assert_eq(dynamic_pool_restore(new, v4, &addr,
		    heard_s, 1050), DYNAMIC_POOL_TAKEN);
		cr_assert_eq(dynamic_pool_restore(new, v4, &addr,
		    heard_s, 1050), DYNAMIC_POOL_CONFLICT);
	}
	cr_assert_eq(dynamic_pool_lent(new), 50);
	for (n = 0; n < 50; n++)
		cr_assert_eq(lend(new, n, 1060), lend(old, n, 1060));
	addr = host(99);
	cr_assert_eq(dynamic_pool_restore(new, 0xc00002ff, &addr, 1060,
	    1060), DYNAMIC_POOL_NOT_OURS);
	cr_assert_eq(dynamic_pool_restore(new, 0xc0000300, &addr, 1060,
	    1060), DYNAMIC_POOL_NOT_OURS);
	cr_assert_eq(dynamic_pool_restore(new, 0xc0000201, &addr, 100,
	    1060), DYNAMIC_POOL_EXPIRED);
	dynamic_pool_free(old);
	dynamic_pool_free(new);
}
