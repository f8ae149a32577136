/* SPDX-License-Identifier: ISC */
#include "proxyd/http_forwarded.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/http_framing.h"
#include "proxyd/peek_http.h"
#include "tests/lib/hostile.h"

#define GET "GET / HTTP/1.1\r\nHost: www.example.com\r\n"

/* What is added for 192.0.2.43. */
#define ADDS \
	"X-Forwarded-For: 192.0.2.43\r\n" \
	"X-Forwarded-Proto: http\r\n" \
	"X-Forwarded-Host: www.example.com\r\n" \
	"Forwarded: for=192.0.2.43;host=www.example.com;proto=http\r\n" \
	"\r\n"
#define ADDS_NAMELESS \
	"X-Forwarded-For: 192.0.2.43\r\n" \
	"X-Forwarded-Proto: http\r\n" \
	"Forwarded: for=192.0.2.43;proto=http\r\n" \
	"\r\n"

static const struct head_case {
	const char	*name;
	const char	*head;
	const char	*expect;
} cases[] = {
	{ "plain", GET "\r\n", GET ADDS },
	{ "odd spacing and order are kept",
	    GET "b:  2\t \r\nA:\r\nb:1\r\n\r\n",
	    GET "b:  2\t \r\nA:\r\nb:1\r\n" ADDS },
	{ "leading empty lines", "\r\n\r\n" GET "\r\n", "\r\n\r\n" GET ADDS },
	{ "no field at all", "GET / HTTP/1.0\r\n\r\n",
	    "GET / HTTP/1.0\r\n" ADDS_NAMELESS },
	{ "Host is an address",
	    "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n" ADDS_NAMELESS },
	{ "absolute-form; the name is normalised",
	    "GET http://WWW.example.COM.:80/ HTTP/1.1\r\n"
	    "Host: www.EXAMPLE.com.\r\n\r\n",
	    "GET http://WWW.example.COM.:80/ HTTP/1.1\r\n"
	    "Host: www.EXAMPLE.com.\r\n" ADDS },
	{ "each of the six",
	    "GET / HTTP/1.1\r\n"
	    "Forwarded: for=127.0.0.1\r\n"
	    "X-Forwarded-For: 127.0.0.1\r\n"
	    "Host: www.example.com\r\n"
	    "X-Forwarded-Host: admin\r\n"
	    "X-Forwarded-Port: 443\r\n"
	    "X-Forwarded-Proto: https\r\n"
	    "X-Real-IP: 127.0.0.1\r\n\r\n",
	    GET ADDS },
	{ "any case, no space, empty, several times",
	    GET "x-forwarded-for:1\r\nX-FORWARDED-FOR:\r\nA: b\r\n"
	    "fOrWaRdEd:for=x\r\nx-real-Ip:2\r\nX-Forwarded-For: 3\r\n\r\n",
	    GET "A: b\r\n" ADDS },
	{ "as a variable's name would have it",
	    GET "X_Forwarded_For: 1\r\nx.real-ip: 2\r\n"
	    "X~Forwarded`Proto: https\r\n\r\n",
	    GET ADDS },
	{ "names that are only like them",
	    GET "X-Forwarded: 1\r\nX-Forwarded-Fo: 1\r\n"
	    "X-Forwarded-Forr: 1\r\nXForwardedFor: 1\r\nForwarde: 1\r\n"
	    "-Forwarded: 1\r\nX-Forwarded-For-: 1\r\nX-Real-IQ: 1\r\n\r\n",
	    GET "X-Forwarded: 1\r\nX-Forwarded-Fo: 1\r\n"
	    "X-Forwarded-Forr: 1\r\nXForwardedFor: 1\r\nForwarde: 1\r\n"
	    "-Forwarded: 1\r\nX-Forwarded-For-: 1\r\nX-Real-IQ: 1\r\n" ADDS },
	{ "names inside other values and the target",
	    "GET /?X-Forwarded-For:1 HTTP/1.1\r\nHost: www.example.com\r\n"
	    "A: X-Forwarded-For: 1\r\nProxy-Connection: Forwarded\r\n\r\n",
	    "GET /?X-Forwarded-For:1 HTTP/1.1\r\nHost: www.example.com\r\n"
	    "A: X-Forwarded-For: 1\r\nProxy-Connection: Forwarded\r\n" ADDS },
	{ "Connection without our names",
	    GET "Connection:  keep-alive ,, Upgrade\t\r\n\r\n",
	    GET "Connection:  keep-alive ,, Upgrade\t\r\n" ADDS },
	{ "Connection with only our names",
	    GET "Connection: x-forwarded-for, Forwarded\r\nA: b\r\n\r\n",
	    GET "A: b\r\n" ADDS },
	{ "Connection with others too",
	    GET "connection:close,X-Forwarded-Host,a,b, c ,X-Real-IP\r\n\r\n",
	    GET "connection: close,a,b,c\r\n" ADDS },
	{ "two Connections",
	    GET "Connection: FORWARDED\r\nConnection: X-Forwarded-Proto ,"
	    "Upgrade\r\n\r\n",
	    GET "Connection: Upgrade\r\n" ADDS },
	{ "Connection that is no list",
	    GET "Connection: \"Forwarded\"\r\nConnection: close;Forwarded\r\n"
	    "Connection: close X-Forwarded-For\xff\r\n\r\n",
	    GET "Connection: close\r\nConnection: close\r\n" ADDS },
	{ "tokens that are only like them",
	    GET "Connection: XForwarded, X-Forwarded-Fo,close\r\n\r\n",
	    GET "Connection: XForwarded, X-Forwarded-Fo,close\r\n" ADDS },
};

enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct endpoint
client_at(const char *text)
{
	struct endpoint client = { .port = 4711 };

	cr_assert(addr_parse(text, strlen(text), &client.addr), "%s", text);
	return client;
}

/* The rewritten head in a heap copy, owned by the caller. */
static uint8_t *
rewrite(const uint8_t *head, size_t len, const char *client, const char *host,
    size_t *ret_len)
{
	struct endpoint at = client_at(client);
	uint8_t *out = malloc(len + HTTP_FORWARDED_ADDS_MAX);

	cr_assert(out != NULL);
	*ret_len = http_forwarded_rewrite(head, len, &at, host, out);
	cr_assert(*ret_len <= len + HTTP_FORWARDED_ADDS_MAX);
	return out;
}

static void
assert_octets(const char *name, const uint8_t *got, size_t got_len,
    const void *expect, size_t len)
{
	cr_assert(got_len == len && memcmp(got, expect, len) == 0,
	    "%s: got\n%.*s", name, (int)got_len, (const char *)got);
}

/* What holds of every head that peek_http accepts; false if it does not. */
static bool
check_any(const uint8_t *head, size_t len, const char *name)
{
	struct peek_http scan = { 0 }, scan_out = { 0 };
	struct peek peek = peek_http(&scan, head, len, len), peek_out;
	struct http_framing framing, framing_out;
	uint8_t *once, *twice, *other;
	size_t once_len, twice_len, other_len;

	if (peek.verdict != PEEK_NAME && peek.verdict != PEEK_NAMELESS)
		return false;
	len = scan.scanned;
	once = rewrite(head, len, "192.0.2.43", peek.name, &once_len);
	twice = rewrite(once, once_len, "192.0.2.43", peek.name, &twice_len);
	assert_octets(name, twice, twice_len, once, once_len);
	free(twice);
	twice = rewrite(once, once_len, "2001:db8::2", peek.name, &twice_len);
	other = rewrite(head, len, "2001:db8::2", peek.name, &other_len);
	assert_octets(name, twice, twice_len, other, other_len);

	peek_out = peek_http(&scan_out, once, once_len, once_len);
	cr_assert(peek_out.verdict == peek.verdict &&
	    peek_out.reason == peek.reason &&
	    strcmp(peek_out.name, peek.name) == 0 &&
	    scan_out.scanned == once_len, "%s: read differently", name);
	framing = http_framing_read(head, len);
	framing_out = http_framing_read(once, once_len);
	cr_assert(framing.bad == framing_out.bad &&
	    framing.chunked == framing_out.chunked &&
	    framing.upgrade == framing_out.upgrade &&
	    framing.length == framing_out.length, "%s: framing", name);
	free(other);
	free(twice);
	free(once);
	return true;
}

Test(http_forwarded, replaces_forged_fields_and_keeps_the_rest)
{
	const struct head_case *c;
	struct peek_http scan;
	struct peek peek;
	uint8_t *out;
	size_t len, out_len;

	for (c = cases; c < cases + N_CASES; c++) {
		scan = (struct peek_http) { 0 };
		len = strlen(c->head);
		peek = peek_http(&scan, (const uint8_t *)c->head, len, len);
		cr_assert(scan.scanned == len, "%s: not good", c->name);
		out = rewrite((const uint8_t *)c->head, len, "192.0.2.43",
		    peek.name, &out_len);
		assert_octets(c->name, out, out_len, c->expect,
		    strlen(c->expect));
		free(out);
	}
}

Test(http_forwarded, writes_each_kind_of_client)
{
	static const struct {
		const char	*client;
		const char	*node;	/* RFC 7239 6 */
	} clients[] = {
		{ "192.0.2.43", "192.0.2.43" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:db8::1", "\"[2001:db8::1]\"" },
		{ "::", "\"[::]\"" },
		{ "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
		    "\"[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]\"" },
	};
	static const char head[] = "GET / HTTP/1.0\r\n\r\n";
	char expect[512];
	uint8_t *out;
	size_t i, len;
	int n;

	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		n = snprintf(expect, sizeof(expect), "GET / HTTP/1.0\r\n"
		    "X-Forwarded-For: %s\r\nX-Forwarded-Proto: http\r\n"
		    "X-Forwarded-Host: a_b.example\r\n"
		    "Forwarded: for=%s;host=a_b.example;proto=http\r\n\r\n",
		    clients[i].client, clients[i].node);
		out = rewrite((const uint8_t *)head, sizeof(head) - 1,
		    clients[i].client, "a_b.example", &len);
		assert_octets(clients[i].client, out, len, expect, (size_t)n);
		free(out);
	}
}

/* The room is exact on the heap: a sanitizer sees one octet more. */
Test(http_forwarded, stays_within_its_room)
{
	static const char begin[] = "GET / HTTP/1.0\r\nConnection:forwarded";
	char host[HOSTNAME_MAX + 1];
	uint8_t head[4096];
	size_t len = sizeof(begin) - 1, out_len;
	uint8_t *out;

	memset(host, 'a', HOSTNAME_MAX);
	host[HOSTNAME_MAX] = host[63] = host[127] = host[191] = '\0';
	host[63] = host[127] = host[191] = '.';
	memcpy(head, begin, len);
	while (len < sizeof(head) - 6) {	/* many short tokens */
		head[len++] = ',';
		head[len++] = 'x';
	}
	memcpy(head + len, "\r\n\r\n", 4);
	len += 4;
	out = rewrite(head, len, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
	    host, &out_len);
	cr_assert(out_len > len && memcmp(out, "GET / HTTP/1.0\r\n"
	    "Connection: x,x,x,", 34) == 0);
	free(out);
	cr_assert(check_any(head, len, "many tokens"));
}

static void
check_hostile(const uint8_t *bytes, size_t len, void *arg)
{
	const struct head_case *c = arg;

	check_any(bytes, len, c->name);
}

Test(http_forwarded, is_idempotent_and_read_the_same_after_any_bit_flip)
{
	struct head_case c;
	size_t i;

	for (i = 0; i < N_CASES; i++) {
		c = cases[i];
		cr_assert(check_any((const uint8_t *)c.head, strlen(c.head),
		    c.name), "%s", c.name);
		hostile_cuts(c.head, strlen(c.head), check_hostile, &c);
		hostile_bit_flips(c.head, strlen(c.head), check_hostile, &c);
	}
}
