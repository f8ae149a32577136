/* SPDX-License-Identifier: ISC */
/*
 * session_hello.c - banners and keys, and clients that have no part in either.
 */
#include "jumpd/session.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { KEY_EXCHANGE_FAILED = 3 };	/* RFC 4253 11.1 */

static struct broker_text
cut(const char *text, size_t most)
{
	size_t len = text == NULL ? 0 : strnlen(text, most);

	return (struct broker_text) { (const uint8_t *)text, len };
}

/* The type of the host key that has signed; NULL: there was no exchange. */
static const char *
host_key_of(const struct session *s)
{
	const char *type = NULL;
	ssh_key key = NULL;

	if (ssh_get_server_publickey(s->ssh, &key) == SSH_OK)
		type = ssh_key_type_to_char(ssh_key_type(key));
	ssh_key_free(key);
	return type;
}

static void
tell_facts(struct session *s)
{
	const struct broker_msg msg = { .type = BROKER_FACTS, .u.facts = {
		.software = cut(ssh_get_clientbanner(s->ssh),
		    BROKER_MSG_FACT_MAX),
		.kex = cut(ssh_get_kex_algo(s->ssh), BROKER_MSG_FACT_MAX),
		.cipher = cut(ssh_get_cipher_in(s->ssh),
		    BROKER_MSG_FACT_MAX),
		.host_key = cut(host_key_of(s), BROKER_MSG_FACT_MAX) } };

	broker_link_send(s->broker, &msg);
}

/*
 * What we owe the client now is only an ACK, which our kernel would hold back
 * for 40 ms; and the client's holds its next packet back until it has come
 * (RFC 1122 4.2.3.4).
 */
static void
acknowledge(const struct session *s)
{
	const int on = 1;

	setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void
session_hello_run(struct session *s)
{
	int rc = ssh_handle_key_exchange(s->ssh);

	acknowledge(s);
	if (session_check(s))
		return;
	if (rc == SSH_OK) {
		tell_facts(s);
		session_phase(s, SESSION_LOGIN);
		session_login_begins(s);
	} else if (rc != SSH_AGAIN) {
		session_end(s, END_KEY_EXCHANGE, "");
	}
}

/* Why libssh has given the connection up. */
enum end_reason
session_why_dead(const struct session *s)
{
	const char *error = ssh_get_error(s->ssh);
	const char *banner = ssh_get_clientbanner(s->ssh);
	bool left = strcmp(error, "Socket error: disconnected") == 0 ||
	    strncmp(error, "Received SSH_MSG_DISCONNECT", 27) == 0;
	bool cut = !left && (s->reset ||
	    strncmp(error, "Socket error", 12) == 0);

	if (s->phase == SESSION_HELLO && (banner == NULL ? !left && !cut :
	    strncmp(banner, "SSH-2.0-", 8) != 0))
		return END_BANNER;
	if (s->phase == SESSION_HELLO && !left && !cut)
		return END_KEY_EXCHANGE;
	if (left || cut)
		return s->phase != SESSION_READY ? END_CLIENT_LEFT :
		    s->advised && s->opens == 0 ? END_SHELL :
		    cut ? END_CLIENT_RESET : END_DISCONNECTED;
	return END_PROTOCOL;
}

/* --- farewell in clear text ----------------------------------------------- */

static uint8_t *
put_u32(uint8_t *at, size_t value)
{
	*at++ = (uint8_t)(value >> 24);
	*at++ = (uint8_t)(value >> 16);
	*at++ = (uint8_t)(value >> 8);
	*at++ = (uint8_t)value;
	return at;
}

/* SSH_MSG_DISCONNECT in a packet of its own, RFC 4253 6. */
static void
send_disconnect(const struct session *s, const char *text)
{
	uint8_t packet[4 + 1 + 13 + SESSION_TEXT_MAX + 12] = { 0 };
	size_t len = strnlen(text, SESSION_TEXT_MAX), payload = 13 + len;
	size_t padding = 8 - (4 + 1 + payload) % 8;
	uint8_t *at;

	if (padding < 4)
		padding += 8;
	at = put_u32(packet, 1 + payload + padding);
	*at++ = (uint8_t)padding;
	*at++ = 1;		/* SSH_MSG_DISCONNECT */
	at = put_u32(at, KEY_EXCHANGE_FAILED);
	at = put_u32(at, len);
	memcpy(at, text, len);
	/* Then an empty language tag, and the padding: all zero. */
	send(s->fd, packet, 4 + 1 + payload + padding,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

/*
 * A client without an algorithm in common would only see the end: libssh
 * closes its socket before our list of them has left it.
 */
bool
session_hello_part(struct session *s)
{
	if (ssh_get_clientbanner(s->ssh) == NULL)
		return false;
	tell_facts(s);
	if (s->end != END_KEY_EXCHANGE ||
	    strstr(ssh_get_error(s->ssh), "no match") == NULL)
		return false;
	send_disconnect(s, ssh_get_error(s->ssh));
	shutdown(s->fd, SHUT_WR);
	return true;
}
