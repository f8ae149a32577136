/* SPDX-License-Identifier: ISC */
#include "translate/leases.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/scratch_folder.h"

enum { LEASE_S = 1000, NOW_S = 1800000000 };

static char reports[4096];

TestSuite(leases, .init = scratch_enter, .fini = scratch_leave);

static void
collect(const char *message, void *arg)
{
	size_t len = strlen(reports);

	(void)arg;
	snprintf(reports + len, sizeof(reports) - len, "%s\n", message);
}

static const struct prefix *
prefix(void)
{
	static struct prefix p;

	cr_assert_eq(prefix_parse("192.0.2.0/24", 12, &p), PREFIX_OK);
	return &p;
}

static struct dynamic_pool *
new_pool(void)
{
	static const struct siphash_key key = { { 3, 1, 4, 1 } };

	return dynamic_pool_new(prefix(), LEASE_S, &key, NULL, NULL);
}

static struct addr
host(unsigned n)
{
	return (struct addr) { { 0x20, 1, 0xd, 0xb8, [15] = (uint8_t)n } };
}

static uint32_t
lend(struct dynamic_pool *pool, unsigned n, uint64_t now_s)
{
	struct addr addr = host(n);
	uint32_t v4 = 0;

	cr_assert(dynamic_pool_lend(pool, &addr, now_s, &v4));
	return v4;
}

/* The host's address without lending one; 0: none. */
static uint32_t
has(const struct dynamic_pool *pool, unsigned n)
{
	struct addr addr = host(n);
	uint32_t v4 = 0;

	dynamic_pool_6to4(pool, &addr, &v4);
	return v4;
}

static struct leases
new_leases(void)
{
	struct leases leases;

	cr_assert_eq(leases_new(prefix(), &leases), 0);
	return leases;
}

static void
copy_all(struct leases *leases, const struct dynamic_pool *pool)
{
	uint32_t at = 0;

	leases_copy(leases, pool, UINT32_MAX, &at);
	cr_assert_eq(at, 0);
}

Test(leases, are_the_same_after_a_file)
{
	struct dynamic_pool *old = new_pool(), *new = new_pool();
	struct leases leases = new_leases();
	struct stat st;

	for (unsigned n = 0; n < 100; n++)
		lend(old, n, NOW_S - n * 7 % 100);
	copy_all(&leases, old);
	cr_assert_eq(leases_write(&leases, "leases"), 0);
	cr_assert_eq(stat("leases", &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0640);
	cr_assert_neq(stat("leases.new", &st), 0);
	cr_assert(leases_read("leases", new, NOW_S, collect, NULL));
	cr_assert_str_eq(reports, "");
	cr_assert_eq(dynamic_pool_lent(new), 100);
	for (unsigned n = 0; n < 100; n++)
		cr_assert_eq(has(new, n), has(old, n), "%u", n);
	leases_free(&leases);
	leases_free(&leases);
	dynamic_pool_free(old);
	dynamic_pool_free(new);
}

Test(leases, of_a_missing_file_are_none)
{
	struct dynamic_pool *pool = new_pool();

	cr_assert(leases_read("leases", pool, NOW_S, collect, NULL));
	cr_assert_str_eq(reports, "");
	cr_assert_eq(dynamic_pool_lent(pool), 0);
	dynamic_pool_free(pool);
}

/* What TAYGA writes, and what a user may have made of it. */
Test(leases, are_read_leniently_and_problems_named)
{
	struct dynamic_pool *pool = new_pool();
	FILE *file = fopen("leases", "w");

	fprintf(file, "###\n192.0.2.9\t2001:db8::1\t%d\n\nnonsense\n"
	    "198.51.100.1 2001:db8::2 %d\n192.0.2.10 2001:db8::3 17\n"
	    "192.0.2.9 2001:db8::4 %d\n", NOW_S - 5, NOW_S, NOW_S);
	for (unsigned i = 0; i < 300; i++)
		fputc('x', file);
	fclose(file);
	cr_assert(leases_read("leases", pool, NOW_S, collect, NULL));
	cr_expect_str_eq(reports, "leases:4: is no lease, and left out\n");
	cr_expect_eq(dynamic_pool_lent(pool), 1);
	cr_expect_eq(has(pool, 1), 0xc0000209);
	dynamic_pool_free(pool);
}

Test(leases, that_cannot_be_written_leave_the_file)
{
	struct leases leases = new_leases();

	cr_assert_eq(mkdir("leases.new", 0700), 0);
	cr_assert_lt(leases_write(&leases, "leases"), 0);
	cr_assert_neq(access("leases", F_OK), 0);
	cr_assert_lt(leases_write(&leases, "no-such-folder/leases"), 0);
	leases_free(&leases);
}

Test(leases, are_restored_with_the_order_of_silence)
{
	struct dynamic_pool *old = new_pool(), *new = new_pool();
	struct leases leases = new_leases();
	uint32_t longest;

	for (unsigned n = 0; n < 254; n++)
		lend(old, n, NOW_S - 500 + n * 37 % 254);
	longest = has(old, 0);
	copy_all(&leases, old);
	leases_restore(&leases, new, NOW_S);
	cr_assert_eq(dynamic_pool_lent(new), 254);
	/* All are lent: who was silent longest loses first. */
	cr_expect_eq(lend(new, 255, NOW_S + LEASE_S), longest);
	leases_free(&leases);
	dynamic_pool_free(old);
	dynamic_pool_free(new);
}

Test(leases, catch_up_with_what_was_lent_since)
{
	struct dynamic_pool *old = new_pool(), *new = new_pool();
	struct leases from = new_leases(), known = new_leases();

	for (unsigned n = 0; n < 10; n++)
		lend(old, n, NOW_S - 5000);
	copy_all(&from, old);
	leases_restore(&from, new, NOW_S - 5000);
	copy_all(&known, new);
	for (unsigned n = 10; n < 20; n++)
		lend(old, n, NOW_S - 4000);
	copy_all(&from, old);
	cr_assert(leases_catch_up(&from, &known, new, NOW_S - 4000));
	for (unsigned n = 0; n < 20; n++)
		cr_assert_eq(has(new, n), has(old, n), "%u", n);
	/* An address that has another host now. */
	for (unsigned n = 20; n < 254; n++)
		lend(old, n, NOW_S);
	lend(old, 254, NOW_S);
	copy_all(&from, old);
	cr_expect_not(leases_catch_up(&from, &known, new, NOW_S));
	leases_free(&from);
	leases_free(&known);
	dynamic_pool_free(old);
	dynamic_pool_free(new);
}

/* Only new leases are worth writing down soon. */
Test(leases, count_changes)
{
	struct dynamic_pool *pool = new_pool();
	struct leases leases = new_leases();
	struct addr one = host(1), two = host(2);
	uint64_t changes;

	leases_put(&leases, 0xc0000205, &one, NOW_S);
	changes = atomic_load(&leases.shared->changes);
	leases_put(&leases, 0xc0000205, &one, NOW_S + 5);
	cr_expect_eq(atomic_load(&leases.shared->changes), changes);
	leases_put(&leases, 0xc0000205, &two, NOW_S + 5);
	cr_expect_gt(atomic_load(&leases.shared->changes), changes);
	/* Nobody's address. */
	changes = atomic_load(&leases.shared->changes);
	leases_put(&leases, 0xc0000305, &two, NOW_S);
	leases_put(&leases, 0xc00001ff, &two, NOW_S);
	cr_expect_eq(atomic_load(&leases.shared->changes), changes);
	leases_restore(&leases, pool, NOW_S + 5);
	cr_expect_eq(dynamic_pool_lent(pool), 1);
	cr_expect_eq(has(pool, 2), 0xc0000205);
	leases_free(&leases);
	dynamic_pool_free(pool);
}
