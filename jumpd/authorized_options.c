/* SPDX-License-Identifier: ISC */
#include "jumpd/authorized_options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/quote.h"

/* One option, name or name="value". */
struct option {
	const char	*name;		/* borrowed from the line */
	size_t		 name_len;
	bool		 has_value;
	size_t		 value_len;
	char		 value[PERMIT_TEXT_MAX];	/* without quotes */
};

enum next {
	NEXT_OPTION,
	NEXT_END,
	NEXT_BAD
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-';
}

/* A value in double quotes, in which \" is a quote; *at moves behind it. */
static bool
read_value(const char **at, size_t *left, struct option *o)
{
	const char *text = *at;
	size_t i;

	if (*left == 0 || text[0] != '"')
		return false;
	for (i = 1; i < *left && text[i] != '"'; i++) {
		if (text[i] == '\\' && i + 1 < *left && text[i + 1] == '"')
			i++;
		if (o->value_len == sizeof(o->value))
			return false;
		o->value[o->value_len++] = text[i];
	}
	if (i >= *left)
		return false;
	*at += i + 1;
	*left -= i + 1;
	return true;
}

/* The option at *at, which moves behind it and the comma. */
static enum next
next_option(const char **at, size_t *left, struct option *o)
{
	size_t n = 0;

	if (*left == 0)
		return NEXT_END;
	while (n < *left && is_name((*at)[n]))
		n++;
	o->name = *at;
	o->name_len = n;
	o->has_value = n < *left && (*at)[n] == '=';
	o->value_len = 0;
	if (n == 0)
		return NEXT_BAD;
	*at += n + o->has_value;
	*left -= n + o->has_value;
	if (o->has_value && !read_value(at, left, o))
		return NEXT_BAD;
	if (*left == 0)
		return NEXT_OPTION;
	/* A comma, and something behind it. */
	if ((*at)[0] != ',' || *left == 1)
		return NEXT_BAD;
	(*at)++;
	(*left)--;
	return NEXT_OPTION;
}

static bool
named(const struct option *o, const char *name)
{
	return strlen(name) == o->name_len &&
	    strncasecmp(o->name, name, o->name_len) == 0;
}

bool
authorized_options_have(const char *options, size_t len, const char *flag)
{
	struct option o;

	while (next_option(&options, &len, &o) == NEXT_OPTION)
		if (!o.has_value && named(&o, flag))
			return true;
	return false;
}

/* A flag with or without "no-" in front; *ret_on says which. */
static bool
flag(const struct option *o, const char *name, bool *ret_on)
{
	struct option rest = *o;

	*ret_on = true;
	if (named(o, name))
		return true;
	if (o->name_len < 3 || strncasecmp(o->name, "no-", 3) != 0)
		return false;
	rest.name += 3;
	rest.name_len -= 3;
	*ret_on = false;
	return named(&rest, name);
}

/* Options without a value.  Returns false if it is none of them. */
static bool
read_flag(const struct option *o, struct authorized_key *key)
{
	static const char *const harmless[] = { "agent-forwarding",
		"X11-forwarding", "pty", "user-rc" };
	bool on;
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (flag(o, harmless[i], &on))
			return true;
	if (flag(o, "port-forwarding", &on))
		key->may_forward = on;
	else if (named(o, "restrict"))
		key->may_forward = false;
	else if (named(o, "cert-authority"))
		key->cert_authority = true;
	else if (named(o, "no-touch-required"))
		key->no_touch_required = true;
	else
		return false;
	return true;
}

static enum deny_reason
refuse(char *problem, size_t room, const struct option *o, const char *what)
{
	char name[64];

	quote(o->name, o->name_len, name, sizeof(name));
	snprintf(problem, room, "option %s %s", name, what);
	return DENY_KEY_OPTION;
}

/* A text that may be given once. */
static bool
keep(const struct option *o, bool *has, char out[AUTHORIZED_TEXT_MAX],
    uint16_t *ret_len)
{
	if (*has || o->value_len == 0 || o->value_len > AUTHORIZED_TEXT_MAX)
		return false;
	memcpy(out, o->value, o->value_len);
	*ret_len = (uint16_t)o->value_len;
	*has = true;
	return true;
}

/* The earlier one counts; a local time cannot be compared with UTC here. */
static bool
read_expiry(const struct option *o, struct authorized_expiry *expiry)
{
	struct authorized_expiry read;

	if (!authorized_expiry_read(o->value, o->value_len, &read) ||
	    (expiry->set && expiry->local != read.local))
		return false;
	if (!expiry->set || read.civil_s < expiry->civil_s)
		*expiry = read;
	return true;
}

static enum deny_reason
read_permit(const struct option *o, struct authorized_key *key, char *problem,
    size_t room)
{
	bool memory;

	if (permit_add(&key->permit, o->value, o->value_len, &memory))
		return DENY_NONE;
	if (!memory)
		return refuse(problem, room, o,
		    "is no list of [ADDRESS or PREFIX]:PORT and NAME:PORT");
	snprintf(problem, room, "%s", deny_reason_text(DENY_NO_MEMORY));
	return DENY_NO_MEMORY;
}

static enum deny_reason
read_from(const struct option *o, struct authorized_key *key, char *problem,
    size_t room)
{
	static const struct addr any;

	if (!keep(o, &key->has_from, key->from, &key->from_len))
		return refuse(problem, room, o, "is empty, too long or twice");
	if (from_check(key->from, key->from_len, &any) == FROM_MALFORMED)
		return refuse(problem, room, o, "is no list of patterns");
	return DENY_NONE;
}

static enum deny_reason
read_option(const struct option *o, struct authorized_key *key, char *problem,
    size_t room)
{
	if (!o->has_value)
		return read_flag(o, key) ? DENY_NONE :
					   refuse(problem, room, o,
					       "cannot be honoured here");
	if (named(o, "permitopen"))
		return read_permit(o, key, problem, room);
	if (named(o, "from"))
		return read_from(o, key, problem, room);
	if (named(o, "expiry-time"))
		return read_expiry(o, &key->expiry) ?
		    DENY_NONE :
		    refuse(problem, room, o, "is no time YYYYMMDD[HHMM[SS]][Z]"
			", or mixes UTC and local time");
	if (named(o, "principals"))
		return keep(o, &key->has_principals, key->principals,
			   &key->principals_len) ?
		    DENY_NONE :
		    refuse(problem, room, o, "is empty, too long or twice");
	return refuse(problem, room, o, "cannot be honoured here");
}

enum deny_reason
authorized_options_read(const char *options, size_t len,
    struct authorized_key *key, char *problem, size_t room)
{
	enum deny_reason reason;
	enum next next;
	struct option o;

	while ((next = next_option(&options, &len, &o)) == NEXT_OPTION) {
		reason = read_option(&o, key, problem, room);
		if (reason != DENY_NONE)
			return reason;
	}
	if (next == NEXT_END)
		return DENY_NONE;
	snprintf(problem, room, "malformed options");
	return DENY_KEY_OPTION;
}

/* The number that `n` digits make, or -1. */
static int
digits(const char *text, size_t n)
{
	int value = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = 10 * value + (text[i] - '0');
	}
	return value;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01 to the first of January of the year. */
static int64_t
days_before_year(int year)
{
	int y = year - 1;
	int64_t leap_days = y / 4 - y / 100 + y / 400 - 477;

	return (int64_t)365 * (year - 1970) + leap_days;
}

static bool
civil_seconds(int year, int month, int day, int seconds, int64_t *ret)
{
	int64_t days;
	int m;

	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month))
		return false;
	days = days_before_year(year) + day - 1;
	for (m = 1; m < month; m++)
		days += days_of_month(year, m);
	*ret = days * 86400 + seconds;
	return true;
}

bool
authorized_expiry_read(const char *text, size_t len,
    struct authorized_expiry *ret)
{
	struct authorized_expiry e = { .set = true, .local = true };
	int hour = 0, minute = 0, second = 0;

	if (len > 0 && (text[len - 1] == 'Z' || text[len - 1] == 'z')) {
		e.local = false;
		len--;
	}
	if (len != 8 && len != 12 && len != 14)
		return false;
	if (len >= 12) {
		hour = digits(text + 8, 2);
		minute = digits(text + 10, 2);
	}
	if (len == 14)
		second = digits(text + 12, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 60 ||
	    !civil_seconds(digits(text, 4), digits(text + 4, 2),
		digits(text + 6, 2), (hour * 60 + minute) * 60 + second,
		&e.civil_s))
		return false;
	*ret = e;
	return true;
}
