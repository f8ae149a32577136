/* SPDX-License-Identifier: ISC */
/*
 * jump_client.c - logins at a jump host that cost the client little.
 *
 * usage: jump_client AT-ONCE TOTAL TARGETS ADDRESS PORT USER KEY KNOWN-HOSTS
 *
 * AT-ONCE processes log in over and over, TOTAL times together: each time
 * the host's key is verified, and a connection opened to port 7000 of the next
 * of TARGETS, which must say who it is and send back octets that are other
 * ones each time, as jump_load.c has it.  What ssh(1) needs to start is more
 * than all of that; here the jump host is what there is to measure.
 *
 * Prints what jump_load prints.
 */
#include <libssh/libssh.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 16, NONCE = 32, PLAIN_PORT = 7000, SECONDS = 30 };

struct client {
	unsigned	number, at_once, total, n_targets;
	unsigned	port;
	const char	*address, *user, *known_hosts;
	ssh_key		key;		/* owned */
	double		*took_ms;	/* shared; below 0: failed */
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool
set_options(const struct client *c, ssh_session ssh)
{
	long seconds = SECONDS;
	int on = 1, off = 0;

	return ssh_options_set(ssh, SSH_OPTIONS_PROCESS_CONFIG, &off) == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_HOST, c->address) == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_PORT, &c->port) == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_USER, c->user) == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_KNOWNHOSTS, c->known_hosts) ==
	    0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_GLOBAL_KNOWNHOSTS,
		"/dev/null") == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_KEY_EXCHANGE,
		"curve25519-sha256") == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_HOSTKEYS, "ssh-ed25519") == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_CIPHERS_C_S,
		"chacha20-poly1305@openssh.com") == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_CIPHERS_S_C,
		"chacha20-poly1305@openssh.com") == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_TIMEOUT, &seconds) == 0 &&
	    ssh_options_set(ssh, SSH_OPTIONS_NODELAY, &on) == 0;
}

static bool
check_target(ssh_channel channel, const char *address)
{
	unsigned char random[NONCE / 2];
	char sent[LINE + NONCE + 1] = "e 0000000000000\n";
	char expected[128], got[128];
	size_t len, at = 0;
	int i, n;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	for (i = 0; i < NONCE / 2; i++)
		snprintf(sent + LINE + 2 * i, 3, "%02x", random[i]);
	len = (size_t)snprintf(expected, sizeof(expected), "%s\n%s", address,
	    sent + LINE);
	if (ssh_channel_write(channel, sent, LINE + NONCE) != LINE + NONCE)
		return false;
	for (; at < len; at += (size_t)n) {
		n = ssh_channel_read_timeout(channel, got + at,
		    (uint32_t)(len - at), 0, SECONDS * 1000);
		if (n <= 0)
			return false;
	}
	return memcmp(got, expected, len) == 0;
}

static bool
jump(const struct client *c, ssh_session ssh, unsigned target)
{
	char address[64];
	ssh_channel channel;
	bool good;

	if (!set_options(c, ssh) || ssh_connect(ssh) != SSH_OK ||
	    ssh_session_is_known_server(ssh) != SSH_KNOWN_HOSTS_OK ||
	    ssh_userauth_publickey(ssh, NULL, c->key) != SSH_AUTH_SUCCESS)
		return false;
	channel = ssh_channel_new(ssh);
	snprintf(address, sizeof(address), "2001:db8:b::%x", target);
	good = channel != NULL &&
	    ssh_channel_open_forward(channel, address, PLAIN_PORT,
		"127.0.0.1", 1) == SSH_OK &&
	    check_target(channel, address);
	if (!good)
		fprintf(stderr, "%s: %s\n", address, ssh_get_error(ssh));
	ssh_channel_free(channel);
	return good;
}

static void
work(const struct client *c)
{
	unsigned i;

	for (i = c->number; i < c->total; i += c->at_once) {
		ssh_session ssh = ssh_new();
		uint64_t began = now_ns();

		if (ssh != NULL && jump(c, ssh, i % c->n_targets + 1))
			c->took_ms[i] = (double)(now_ns() - began) / 1e6;
		else
			fprintf(stderr, "%s\n", ssh_get_error(ssh));
		ssh_disconnect(ssh);
		ssh_free(ssh);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(const struct client *c, double seconds)
{
	unsigned failed = 0, good;

	qsort(c->took_ms, c->total, sizeof(*c->took_ms), compare);
	while (failed < c->total && c->took_ms[failed] < 0)
		failed++;
	good = c->total - failed;
	printf("good=%u failed=%u per_s=%.3f p50_ms=%.3f p99_ms=%.3f\n",
	    good, failed, good / seconds,
	    good == 0 ? 0 : c->took_ms[failed + (good - 1) / 2],
	    good == 0 ? 0 : c->took_ms[failed + (good - 1) * 99 / 100]);
}

static unsigned
number(const char *text)
{
	unsigned n = (unsigned)strtoul(text, NULL, 10);

	if (n == 0) {
		fprintf(stderr, "%s: not a number\n", text);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct client c;
	uint64_t began;
	unsigned i;

	if (argc != 9) {
		fprintf(stderr, "usage: jump_client AT-ONCE TOTAL TARGETS "
		    "ADDRESS PORT USER KEY KNOWN-HOSTS\n");
		return 2;
	}
	c = (struct client) { .at_once = number(argv[1]),
		.total = number(argv[2]), .n_targets = number(argv[3]),
		.address = argv[4], .port = number(argv[5]),
		.user = argv[6], .known_hosts = argv[8] };
	c.took_ms = mmap(NULL, c.total * sizeof(*c.took_ms),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c.took_ms == MAP_FAILED || ssh_pki_import_privkey_file(argv[7],
	    NULL, NULL, NULL, &c.key) != SSH_OK) {
		fprintf(stderr, "%s: no key\n", argv[7]);
		return 1;
	}
	for (i = 0; i < c.total; i++)
		c.took_ms[i] = -1;
	began = now_ns();
	for (i = 0; i < c.at_once; i++)
		if (fork() == 0) {
			c.number = i;
			work(&c);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	report(&c, (double)(now_ns() - began) / 1e9);
	ssh_key_free(c.key);
	return 0;
}
