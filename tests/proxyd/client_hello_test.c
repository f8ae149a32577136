/* SPDX-License-Identifier: ISC */
#include "proxyd/client_hello.h"

#include <criterion/criterion.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/hellos.h"
#include "tests/lib/hostile.h"

/* RFC 8446 6 */
enum {
	ILLEGAL_PARAMETER = 47,
	DECODE_ERROR = 50,
	MISSING_EXTENSION = 109,
	UNRECOGNIZED_NAME = 112
};

static uint8_t message[HELLO_OCTETS_MAX];
static uint8_t flight[FLIGHT_OCTETS_MAX];

static void
init(void)
{
	cr_assert(client_hello_init());
	cr_assert(client_hello_init(), "a second time");
}

TestSuite(client_hello, .init = init);

/* Read a hand-made hello in records of up to `most` octets. */
static struct peek
read_parts(const struct hello_parts *parts, size_t most)
{
	size_t len = hello_make(parts, message);

	len = hello_split(message, len, 1, most, 0, flight);
	return client_hello_read(flight, len);
}

static void
expect(const char *what, const struct peek *got, enum peek_verdict verdict,
    enum close_reason reason, uint8_t alert, const char *name)
{
	cr_expect_eq(got->verdict, verdict, "%s: verdict %d, not %d", what,
	    got->verdict, verdict);
	cr_expect_eq(got->reason, reason, "%s: reason %s, not %s", what,
	    close_reason_label(got->reason), close_reason_label(reason));
	cr_expect_eq(got->alert, alert, "%s: alert %u, not %u", what,
	    got->alert, alert);
	cr_expect_str_eq(got->name, name, "%s: name %s", what, got->name);
	cr_expect_eq(got->name_len, strlen(name), "%s: name_len %zu", what,
	    got->name_len);
	cr_expect_eq(ERR_peek_error(), 0, "%s: leaves an error queued", what);
}

Test(client_hello, names_the_host_of_every_recorded_client)
{
	struct hello hellos[HELLOS_MAX];
	size_t i, n = hellos_load(hellos);
	struct peek got;

	for (i = 0; i < n; i++) {
		got = client_hello_read(hellos[i].bytes, hellos[i].len);
		expect(hellos[i].name, &got, PEEK_NAME, CLOSE_NONE, 0,
		    "www.example.com");
	}
	hellos_free(hellos, n);
}

#define NAME(s) (const uint8_t *)(s), sizeof(s) - 1

/* RFC 6066 3; the data of the extension. */
static const struct {
	const char	*what;
	const uint8_t	*sni;
	size_t		 len;
	enum peek_verdict verdict;
	enum close_reason reason;
	uint8_t		 alert;
	const char	*name;
} server_names[] = {
	{ "a name", NAME("\0\6\0\0\3a.b"), PEEK_NAME, 0, 0, "a.b" },
	{ "upper case", NAME("\0\6\0\0\3A.B"), PEEK_NAME, 0, 0, "a.b" },
	{ "one label", NAME("\0\4\0\0\1a"), PEEK_NAME, 0, 0, "a" },
	{ "an A-label", NAME("\0\xd\0\0\xaxn--p1ai.x"), PEEK_NAME, 0, 0,
	    "xn--p1ai.x" },
	{ "an underscore", NAME("\0\6\0\0\3_.b"), PEEK_NAME, 0, 0, "_.b" },
	/* RFC 6066 has no trailing dot; Chromium, Firefox, OpenSSL, Python
	 * and Node.js send the URL's all the same. */
	{ "a trailing dot", NAME("\0\7\0\0\4a.b."), PEEK_NAME, 0, 0, "a.b" },

	{ "no list", NAME(""), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    DECODE_ERROR, "" },
	{ "half a list length", NAME("\0"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    DECODE_ERROR, "" },
	{ "an empty list", NAME("\0\0"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    DECODE_ERROR, "" },
	{ "an empty name", NAME("\0\3\0\0\0"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, DECODE_ERROR, "" },
	{ "a type alone", NAME("\0\1\0"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    DECODE_ERROR, "" },
	{ "half a name length", NAME("\0\2\0\0"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, DECODE_ERROR, "" },
	{ "a name longer than its list", NAME("\0\6\0\0\4a.bc"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, DECODE_ERROR, "" },
	{ "a list longer than the extension", NAME("\0\7\0\0\3a.b"),
	    PEEK_REFUSE, CLOSE_TLS_BAD_SNI, DECODE_ERROR, "" },
	{ "octets after the list", NAME("\0\6\0\0\3a.b\0"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, DECODE_ERROR, "" },
	{ "octets after the name", NAME("\0\7\0\0\3a.b\0"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "two names", NAME("\0\xc\0\0\3a.b\0\0\3c.d"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "the same name twice", NAME("\0\xc\0\0\3a.b\0\0\3a.b"),
	    PEEK_REFUSE, CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "another type", NAME("\0\6\1\0\3a.b"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "another type after a name", NAME("\0\xc\0\0\3a.b\7\0\3c.d"),
	    PEEK_REFUSE, CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },

	{ "a NUL", NAME("\0\6\0\0\3a\0b"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    ILLEGAL_PARAMETER, "" },
	{ "a final NUL", NAME("\0\4\0\0\1\0"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "a space", NAME("\0\6\0\0\3a b"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    ILLEGAL_PARAMETER, "" },
	{ "a slash", NAME("\0\6\0\0\3a/b"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    ILLEGAL_PARAMETER, "" },
	{ "a port", NAME("\0\7\0\0\4a:80"), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    ILLEGAL_PARAMETER, "" },
	{ "a wildcard", NAME("\0\6\0\0\3*.b"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "a U-label", NAME("\0\5\0\0\2\xc3\xa9"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "a dot", NAME("\0\4\0\0\1."), PEEK_REFUSE, CLOSE_TLS_BAD_SNI,
	    ILLEGAL_PARAMETER, "" },
	{ "an empty label", NAME("\0\7\0\0\4a..b"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "two trailing dots", NAME("\0\7\0\0\4ab.."), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },
	{ "a hyphen first", NAME("\0\6\0\0\3-.b"), PEEK_REFUSE,
	    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "" },

	{ "an IPv4 address", NAME("\0\xc\0\0\x09" "192.0.2.1"),
	    PEEK_NAMELESS, CLOSE_TLS_SNI_ADDRESS, UNRECOGNIZED_NAME, "" },
	{ "an IPv6 address", NAME("\0\x0e\0\0\x0b" "2001:db8::1"),
	    PEEK_NAMELESS, CLOSE_TLS_SNI_ADDRESS, UNRECOGNIZED_NAME, "" },
	{ "a bracketed address", NAME("\0\x8\0\0\x5[::1]"), PEEK_NAMELESS,
	    CLOSE_TLS_SNI_ADDRESS, UNRECOGNIZED_NAME, "" }
};

Test(client_hello, takes_exactly_one_host_name)
{
	struct hello_parts parts = { .extensions = true };
	struct peek got;
	size_t i;

	for (i = 0; i < sizeof(server_names) / sizeof(server_names[0]); i++) {
		parts.sni = server_names[i].sni;
		parts.sni_len = server_names[i].len;
		got = read_parts(&parts, 1 << 14);
		expect(server_names[i].what, &got, server_names[i].verdict,
		    server_names[i].reason, server_names[i].alert,
		    server_names[i].name);
	}
}

Test(client_hello, bounds_the_length_of_a_name)
{
	struct hello_parts parts = { .extensions = true };
	char name[301];
	struct peek got;
	size_t i, len;

	for (i = 0; i < sizeof(name); i++)
		name[i] = i % 4 == 3 ? '.' : 'n';
	for (len = 250; len < 260; len++) {
		if (name[len - 1] == '.')
			continue;
		parts.server_name = strndup(name, len);
		got = read_parts(&parts, 1 << 14);
		if (len <= HOSTNAME_MAX)
			expect("a long name", &got, PEEK_NAME, CLOSE_NONE, 0,
			    parts.server_name);
		else
			expect("too long a name", &got, PEEK_REFUSE,
			    CLOSE_TLS_BAD_SNI, ILLEGAL_PARAMETER, "");
		free((char *)(uintptr_t)parts.server_name);
	}
}

static const struct {
	const char	*what;
	struct hello_parts parts;
	enum peek_verdict verdict;
	enum close_reason reason;
	uint8_t		 alert;
} hellos_made[] = {
	{ "SSL 3.0", { .version = 0x0300, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "TLS 1.0", { .version = 0x0301, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "TLS 1.1", { .version = 0x0302, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "version 3.4", { .version = 0x0304, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "version 3.255", { .version = 0x03ff, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "a session id", { .session_id = 32, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "X25519MLKEM768", { .key_share = 1216, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "GREASE ECH", { .ech = 208, .key_share = 1216, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "12 kB", { .padding = 12000, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "more than a record", { .padding = 20000, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },
	{ "the longest extensions", { .padding = 65500, .extensions = true,
	    .server_name = "a.b" }, PEEK_NAME, 0, 0 },

	{ "no extensions", { .version = 0x0301 }, PEEK_NAMELESS,
	    CLOSE_TLS_NO_SNI, MISSING_EXTENSION },
	{ "no server_name", { .extensions = true, .key_share = 32 },
	    PEEK_NAMELESS, CLOSE_TLS_NO_SNI, MISSING_EXTENSION },
	{ "ECH without an outer name", { .extensions = true, .ech = 208 },
	    PEEK_NAMELESS, CLOSE_TLS_NO_SNI, MISSING_EXTENSION },

	{ "server_name twice", { .extensions = true, .sni_twice = true,
	    .server_name = "a.b" }, PEEK_REFUSE, CLOSE_TLS_BAD_HELLO,
	    ILLEGAL_PARAMETER },
	{ "a session id of 33 octets", { .session_id = 33,
	    .extensions = true, .server_name = "a.b" }, PEEK_REFUSE,
	    CLOSE_TLS_BAD_HELLO, DECODE_ERROR },
	{ "octets after the extensions", { .rubbish = 1, .extensions = true,
	    .server_name = "a.b" }, PEEK_REFUSE, CLOSE_TLS_BAD_HELLO,
	    DECODE_ERROR },
	{ "an octet instead of extensions", { .rubbish = 1 }, PEEK_REFUSE,
	    CLOSE_TLS_BAD_HELLO, DECODE_ERROR }
};

Test(client_hello, reads_any_well_formed_hello)
{
	static const size_t sizes[] = { 1 << 14, 1000, 1 };
	struct peek got;
	size_t i, k;

	for (i = 0; i < sizeof(hellos_made) / sizeof(hellos_made[0]); i++)
		for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			got = read_parts(&hellos_made[i].parts, sizes[k]);
			expect(hellos_made[i].what, &got,
			    hellos_made[i].verdict, hellos_made[i].reason,
			    hellos_made[i].alert,
			    got.verdict == PEEK_NAME ? "a.b" : "");
		}
}

static void
expect_refusal(const uint8_t *bytes, size_t len, void *whole)
{
	struct peek got = client_hello_read(bytes, len);

	if (len < *(size_t *)whole)
		expect("cut", &got, PEEK_REFUSE, CLOSE_TLS_BAD_HELLO,
		    DECODE_ERROR, "");
	else
		cr_expect_eq(got.verdict, PEEK_NAME);
}

/* The same name, or another that is one, or a refusal; never MORE. */
static void
expect_verdict(const uint8_t *bytes, size_t len, void *what)
{
	struct peek got = client_hello_read(bytes, len);
	char again[HOSTNAME_MAX + 1];
	size_t again_len;

	cr_expect_neq(got.verdict, PEEK_MORE, "%s", (const char *)what);
	if (got.verdict != PEEK_NAME) {
		cr_expect_neq(got.reason, CLOSE_NONE, "%s",
		    (const char *)what);
		cr_expect_neq(got.reason, CLOSE_NO_MEMORY, "%s",
		    (const char *)what);
		return;
	}
	cr_expect_eq(hostname_normalise((const uint8_t *)got.name,
	    got.name_len, again, &again_len), HOSTNAME_OK);
	cr_expect_str_eq(again, got.name);
	cr_expect_eq(got.alert, 0);
}

Test(client_hello, refuses_every_cut_and_survives_every_bit_flip)
{
	struct hello hellos[HELLOS_MAX];
	size_t i, n = hellos_load(hellos);

	for (i = 0; i < n; i++) {
		hostile_cuts(hellos[i].bytes, hellos[i].len, expect_refusal,
		    &hellos[i].len);
		hostile_bit_flips(hellos[i].bytes, hellos[i].len,
		    expect_verdict, hellos[i].name);
	}
	hellos_free(hellos, n);
}

/* From here on opening a file or a socket ends the process. */
static bool
forbid_opening(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 3, 0),
#ifdef SYS_open
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 2, 0),
#else
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 2, 0),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
	};
	struct sock_fprog program = {
		sizeof(code) / sizeof(code[0]), code
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Without the suite's init, so that the child's is the process's first: not
 * even the host's openssl.cnf is opened. */
Test(client_hello_first, opens_nothing)
{
	struct hello_parts good = { .version = 0x0301, .extensions = true,
	    .server_name = "a.b" };
	struct hello_parts bad = { .rubbish = 1 };
	pid_t child = fork();
	int status;

	cr_assert_geq(child, 0);
	if (child == 0) {
		if (!forbid_opening())
			_exit(3);
		if (!client_hello_init())
			_exit(2);
		if (read_parts(&good, 1000).verdict != PEEK_NAME ||
		    read_parts(&bad, 1000).alert != DECODE_ERROR)
			_exit(1);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0, "it ended with status 0x%x", status);
}
