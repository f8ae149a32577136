/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_token.h - a configuration text divided as libconfig 1.5 does it.
 *
 * Only as far as is needed to tell strings, comments and numbers apart and
 * to see those that libconfig would misread without a word.
 */
#ifndef COMMON_CFGFILE_TOKEN_H
#define COMMON_CFGFILE_TOKEN_H

enum cfgfile_token {
	CFGFILE_BLANK,		/* white space (one octet) or a comment */
	CFGFILE_STRING,
	CFGFILE_OTHER,		/* a name, a number, anything else */
	/* what must be refused */
	CFGFILE_NUL,
	CFGFILE_AT,
	CFGFILE_ENDLESS_COMMENT,
	CFGFILE_ENDLESS_STRING,
	CFGFILE_STRING_NUL,
	CFGFILE_BIG_NUMBER	/* more than an int, or a long long with L */
};

/*
 * The token that begins at `at`, which is before `end`.  *ret_end is where
 * it ends; after an endless one it means nothing.
 */
enum cfgfile_token cfgfile_token(const char *at, const char *end,
    const char **ret_end);

/* What is wrong with a token that must be refused; NULL for the others. */
const char *cfgfile_token_problem(enum cfgfile_token);

#endif
