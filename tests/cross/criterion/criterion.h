/* SPDX-License-Identifier: ISC */
/*
 * criterion.h - as much of Criterion as the tests of pure code use, for
 * machines that Debian has no Criterion for.
 *
 * Tests run one after the other in a process each.  An assertion that fails
 * ends its test, an expectation only fails it.
 */
#ifndef CROSS_CRITERION_H
#define CROSS_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct cross_options {
	void		(*init)(void);
	void		(*fini)(void);
	int		timeout;		/* seconds; ignored */
};

struct cross_test {
	const char	*suite;
	const char	*name;
	void		(*run)(void);
	const struct cross_options *options;	/* the suite's, or NULL */
	struct cross_test *next;
};

void cross_add(struct cross_test *);

/* Count a failure; returns false if the test must end. */
void cross_failed(const char *file, int line, const char *claim, bool ends);

/* What the test itself says about it. */
__attribute__((format(printf, 1, 2)))
void cross_say(const char *format, ...);

#define TestSuite(suite, ...) \
	struct cross_options cross_suite_##suite = { __VA_ARGS__ }

#define Test(suite_, name_, ...) \
	extern struct cross_options cross_suite_##suite_ \
	    __attribute__((weak)); \
	static void suite_##_##name_##_test(void); \
	__attribute__((constructor)) static void \
	suite_##_##name_##_add(void) \
	{ \
		static struct cross_test test = { #suite_, #name_, \
		    suite_##_##name_##_test, NULL, NULL }; \
		test.options = &cross_suite_##suite_; \
		cross_add(&test); \
	} \
	static void suite_##_##name_##_test(void)

#define CROSS_CHECK(ends, claim, text, ...) do { \
		if (!(claim)) { \
			__VA_OPT__(cross_say(__VA_ARGS__);) \
			cross_failed(__FILE__, __LINE__, text, ends); \
		} \
	} while (0)
#define CROSS_TEXT(ends, claim, a, b, ...) do { \
		const char *cross_a = (a), *cross_b = (b); \
		if (!(claim)) { \
			cross_say("\"%s\" and \"%s\"", cross_a, cross_b); \
			__VA_OPT__(cross_say(__VA_ARGS__);) \
			cross_failed(__FILE__, __LINE__, #a ", " #b, ends); \
		} \
	} while (0)
#define CROSS_SAME (strcmp(cross_a, cross_b) == 0)

#define cr_assert(x, ...)	CROSS_CHECK(true, x, #x, __VA_ARGS__)
#define cr_assert_not(x, ...)	CROSS_CHECK(true, !(x), "not " #x, __VA_ARGS__)
#define cr_assert_null(x, ...)	CROSS_CHECK(true, (x) == NULL, #x, __VA_ARGS__)
#define cr_assert_not_null(x, ...) \
	CROSS_CHECK(true, (x) != NULL, #x, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) \
	CROSS_CHECK(true, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) \
	CROSS_CHECK(true, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) \
	CROSS_CHECK(true, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) \
	CROSS_CHECK(true, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) \
	CROSS_CHECK(true, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) \
	CROSS_CHECK(true, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, octets, ...) \
	CROSS_CHECK(true, memcmp(a, b, octets) == 0, #a " == " #b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) \
	CROSS_TEXT(true, CROSS_SAME, a, b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) \
	CROSS_TEXT(true, !CROSS_SAME, a, b, __VA_ARGS__)

#define cr_expect(x, ...)	CROSS_CHECK(false, x, #x, __VA_ARGS__)
#define cr_expect_not(x, ...) \
	CROSS_CHECK(false, !(x), "not " #x, __VA_ARGS__)
#define cr_expect_null(x, ...) \
	CROSS_CHECK(false, (x) == NULL, #x, __VA_ARGS__)
#define cr_expect_not_null(x, ...) \
	CROSS_CHECK(false, (x) != NULL, #x, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) \
	CROSS_CHECK(false, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) \
	CROSS_CHECK(false, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) \
	CROSS_CHECK(false, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) \
	CROSS_CHECK(false, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) \
	CROSS_CHECK(false, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) \
	CROSS_CHECK(false, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, octets, ...) \
	CROSS_CHECK(false, memcmp(a, b, octets) == 0, #a " == " #b, \
	    __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) \
	CROSS_TEXT(false, CROSS_SAME, a, b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) \
	CROSS_TEXT(false, !CROSS_SAME, a, b, __VA_ARGS__)

#define cr_skip(...)	cross_skip()
#define cr_skip_test(...)	cross_skip()
void cross_skip(void);

#endif
