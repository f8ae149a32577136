/* SPDX-License-Identifier: ISC */
#include "proxyd/refusal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hostname.h"

/* What a strict reader finds in a response. */
struct response {
	int		status;
	size_t		content_length;
	const char	*body;		/* borrowed from the response */
	size_t		body_len;
	unsigned	text_plain, nosniff, no_store, close, fields;
};

static bool
take_field(struct response *r, const char *line, size_t len)
{
	char field[256];
	char *colon, *end;

	if (len >= sizeof(field))
		return false;
	memcpy(field, line, len);
	field[len] = '\0';
	colon = strchr(field, ':');
	if (colon == NULL || colon == field || colon[1] != ' ' ||
	    strcspn(field, " \t") < (size_t)(colon - field))
		return false;
	r->fields++;
	r->text_plain += strcmp(field,
	    "Content-Type: text/plain; charset=utf-8") == 0;
	r->nosniff += strcmp(field, "X-Content-Type-Options: nosniff") == 0;
	r->no_store += strcmp(field, "Cache-Control: no-store") == 0;
	r->close += strcmp(field, "Connection: close") == 0;
	if (strncmp(field, "Content-Length: ", 16) == 0) {
		r->content_length = strtoul(colon + 2, &end, 10);
		return *end == '\0' && end > colon + 2;
	}
	return true;
}

/* Every line ends with CRLF and has no control octets (RFC 9112 2.1). */
static bool
parse(const char *bytes, size_t len, struct response *ret)
{
	const char *at = bytes, *cr;
	struct response r = { 0 };
	bool status_line = true;

	for (;;) {
		cr = memchr(at, '\r', len - (size_t)(at - bytes));
		if (cr == NULL || cr + 1 >= bytes + len || cr[1] != '\n')
			return false;
		for (const char *c = at; c < cr; c++)
			if (*c < ' ' || *c > '~')
				return false;
		if (cr == at)
			break;
		if (!status_line && !take_field(&r, at, (size_t)(cr - at)))
			return false;
		if (status_line && (strncmp(at, "HTTP/1.1 ", 9) != 0 ||
		    at[12] != ' ' || cr - at < 15))
			return false;
		if (status_line)
			r.status = (int)strtol(at + 9, NULL, 10);
		status_line = false;
		at = cr + 2;
	}
	r.body = cr + 2;
	r.body_len = len - (size_t)(r.body - bytes);
	*ret = r;
	return !status_line;
}

static void
fill(char out[REFUSAL_MAX])
{
	memset(out, '!', REFUSAL_MAX);
}

/* The status of each reason; those not here are ended without a word. */
static const struct {
	enum close_reason reason;
	int		status;
} statuses[] = {
	{ CLOSE_PEEK_TIMEOUT, 408 },
	{ CLOSE_HTTP_NOT_HTTP, 400 },
	{ CLOSE_HTTP_REQUEST_LINE, 400 },
	{ CLOSE_HTTP_VERSION, 505 },
	{ CLOSE_HTTP_H2_PREFACE, 505 },
	{ CLOSE_HTTP_CONNECT, 400 },
	{ CLOSE_HTTP_TARGET, 400 },
	{ CLOSE_HTTP_FIELD, 400 },
	{ CLOSE_HTTP_OBS_FOLD, 400 },
	{ CLOSE_HTTP_FIELD_SPACE, 400 },
	{ CLOSE_HTTP_BARE_CR, 400 },
	{ CLOSE_HTTP_BARE_LF, 400 },
	{ CLOSE_HTTP_NUL, 400 },
	{ CLOSE_HTTP_NO_HOST, 400 },
	{ CLOSE_HTTP_TWO_HOSTS, 400 },
	{ CLOSE_HTTP_BAD_HOST, 400 },
	{ CLOSE_HTTP_HOST_MISMATCH, 400 },
	{ CLOSE_HTTP_HOST_ADDRESS, 404 },
	{ CLOSE_HTTP_HEAD_TOO_LONG, 431 },
	{ CLOSE_HTTP_BODY_FRAMING, 400 },
	{ CLOSE_HTTP_CHUNK, 400 },
	{ CLOSE_HTTP_MISDIRECTED, 421 },
	{ CLOSE_NOT_MAPPED, 404 },
	{ CLOSE_TARGET_DENIED, 502 },
	{ CLOSE_DIAL_REFUSED, 502 },
	{ CLOSE_DIAL_UNREACHABLE, 502 },
	{ CLOSE_DIAL_TIMEOUT, 504 },
	{ CLOSE_DIAL_NO_PORT, 503 },
	{ CLOSE_LIMIT_NAME, 503 },
	{ CLOSE_NO_MEMORY, 503 },
	{ CLOSE_NO_DESCRIPTORS, 503 },
	{ CLOSE_FAULT, 503 }
};

static int
status_of(enum close_reason reason)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].reason == reason)
			return statuses[i].status;
	return 0;
}

static void
check_http(enum close_reason reason, const char *name, bool head_method)
{
	const char *label = close_reason_label(reason);
	char out[REFUSAL_MAX];
	struct response r;
	size_t len, body_len, i;

	len = refusal_http(reason, name, false, out);
	cr_assert(len > 0 && len < REFUSAL_MAX, "%s: %zu", label, len);
	cr_assert(parse(out, len, &r), "%s: %.*s", label, (int)len, out);
	body_len = r.body_len;
	cr_assert(body_len > 60, "%s: says nothing", label);
	cr_assert(r.body[body_len - 1] == '\n', "%s: last line", label);
	for (i = 0; i < body_len; i++)
		cr_assert(r.body[i] == '\n' || (r.body[i] >= ' ' &&
		    r.body[i] <= '~'), "%s: %.*s", label, (int)len, out);
	fill(out);
	len = refusal_http(reason, name, head_method, out);
	cr_assert(parse(out, len, &r), "%s", label);
	cr_assert_eq(r.status, status_of(reason), "%s: %d", label, r.status);
	cr_assert_eq(r.content_length, body_len, "%s: length", label);
	cr_assert_eq(r.body_len, head_method ? 0 : body_len, "%s", label);
	cr_assert(r.fields == 5 && r.text_plain == 1 && r.nosniff == 1 &&
	    r.no_store == 1 && r.close == 1, "%s: fields", label);
}

Test(refusal, is_a_well_formed_response_or_nothing_for_each_reason)
{
	char longest[HOSTNAME_MAX + 1];
	enum close_reason reason;
	char out[REFUSAL_MAX];

	memset(longest, 'w', HOSTNAME_MAX);
	longest[HOSTNAME_MAX] = '\0';
	for (reason = CLOSE_NONE; reason < N_CLOSE_REASONS; reason++) {
		if (status_of(reason) == 0) {
			cr_assert_eq(refusal_http(reason, "a.example", false,
			    out), 0, "%s", close_reason_label(reason));
			continue;
		}
		for (int head = 0; head < 2; head++) {
			check_http(reason, "www.example.com", head == 1);
			check_http(reason, longest, head == 1);
			check_http(reason, "", head == 1);
		}
	}
}

static bool
says(enum close_reason reason, const char *name, const char *what)
{
	char out[REFUSAL_MAX + 1];
	size_t len = refusal_http(reason, name, false, out);

	out[len] = '\0';
	return strstr(strstr(out, "\r\n\r\n"), what) != NULL;
}

Test(refusal, tells_people_which_host_and_what_to_do)
{
	static const enum close_reason with_name[] = {
		CLOSE_NOT_MAPPED, CLOSE_TARGET_DENIED, CLOSE_DIAL_REFUSED,
		CLOSE_DIAL_UNREACHABLE, CLOSE_DIAL_TIMEOUT,
		CLOSE_DIAL_NO_PORT
	};
	size_t i;

	for (i = 0; i < sizeof(with_name) / sizeof(with_name[0]); i++) {
		cr_assert(says(with_name[i], "www.example.com",
		    " www.example.com"), "%s",
		    close_reason_label(with_name[i]));
		cr_assert(says(with_name[i], "", " this host"), "%s",
		    close_reason_label(with_name[i]));
		cr_assert(!says(with_name[i], "a.example", "%"), "%s",
		    close_reason_label(with_name[i]));
	}
	cr_assert(says(CLOSE_NOT_MAPPED, "a.example", "IPv6 address"));
	cr_assert(says(CLOSE_NOT_MAPPED, "a.example", "your provider"));
	cr_assert(says(CLOSE_NOT_MAPPED, "a.example", "CNAME"));
	cr_assert(says(CLOSE_DIAL_REFUSED, "a.example", "refused"));
	cr_assert(says(CLOSE_DIAL_TIMEOUT, "a.example", "did not answer"));
}

Test(refusal, says_what_was_wrong_with_a_bad_request)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == 400)
			cr_assert(says(statuses[i].reason, "",
			    close_reason_text(statuses[i].reason)), "%s",
			    close_reason_label(statuses[i].reason));
}

/* The alert for each reason without and with an alert (42) of the peek. */
static const struct {
	enum close_reason reason;
	uint8_t		own, peeked;
} alert_cases[] = {
	{ CLOSE_TLS_NOT_TLS, 0, 42 },
	{ CLOSE_TLS_BAD_HELLO, 50, 42 },
	{ CLOSE_TLS_HELLO_TOO_LONG, 47, 42 },
	{ CLOSE_TLS_NO_SNI, 109, 42 },
	{ CLOSE_TLS_BAD_SNI, 47, 42 },
	{ CLOSE_TLS_SNI_ADDRESS, 47, 42 },
	{ CLOSE_NOT_MAPPED, 112, 112 },
	{ CLOSE_TARGET_DENIED, 80, 80 },
	{ CLOSE_DIAL_REFUSED, 80, 80 },
	{ CLOSE_DIAL_UNREACHABLE, 80, 80 },
	{ CLOSE_DIAL_TIMEOUT, 80, 80 },
	{ CLOSE_DIAL_NO_PORT, 80, 80 },
	{ CLOSE_LIMIT_NAME, 80, 80 },
	{ CLOSE_NO_MEMORY, 80, 80 },
	{ CLOSE_NO_DESCRIPTORS, 80, 80 },
	{ CLOSE_FAULT, 80, 80 }
};

static void
check_alert(enum close_reason reason, uint8_t given, uint8_t expected)
{
	const char record[] = { 0x15, 3, 3, 0, 2, 2, (char)expected };
	const char *label = close_reason_label(reason);
	char out[REFUSAL_MAX];
	size_t len, i;

	fill(out);
	len = refusal_tls(reason, given, out);
	cr_assert_eq(len, expected == 0 ? 0 : sizeof(record), "%s", label);
	cr_assert(memcmp(out, record, len) == 0, "%s: %u", label,
	    (uint8_t)out[6]);
	for (i = len; i < REFUSAL_MAX; i++)
		cr_assert(out[i] == '!', "%s: writes further", label);
}

Test(refusal, is_a_fatal_alert_or_nothing_for_each_reason)
{
	enum close_reason reason;

	for (reason = CLOSE_NONE; reason < N_CLOSE_REASONS; reason++) {
		uint8_t own = 0, peeked = 0;

		for (size_t i = 0; i < sizeof(alert_cases) /
		    sizeof(alert_cases[0]); i++)
			if (alert_cases[i].reason == reason) {
				own = alert_cases[i].own;
				peeked = alert_cases[i].peeked;
			}
		check_alert(reason, 0, own);
		check_alert(reason, 42, peeked);
	}
}
