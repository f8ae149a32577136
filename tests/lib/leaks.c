/* SPDX-License-Identifier: ISC */
/*
 * leaks.c - what LeakSanitizer must not hold against us.
 */

/*
 * libconfig 1.5 forgets a string that stands before a syntax error; Criterion
 * 2.4.1 now and then a result of its own.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n"
	       "leak:libcriterion";
}
