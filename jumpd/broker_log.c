/* SPDX-License-Identifier: ISC */
/*
 * broker_log.c - one line for each login, channel and session.
 *
 * Stable key=value fields; whatever a peer chose is quoted.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/quote.h"
#include "jumpd/broker_state.h"
#include "jumpd/ssh_cert.h"

enum {
	NAME_TEXT = 4 * AUTH_USER_NAME_MAX + 8,
	WHO_TEXT = 640,
	ASKED_TEXT = 320
};

const char *
broker_asked(const struct jump_target *asked, char out[HOSTNAME_MAX + 1])
{
	_Static_assert((int)HOSTNAME_MAX + 1 >= (int)ADDR_TEXT_MAX, "room");
	if (asked->kind == JUMP_TARGET_NAME)
		memcpy(out, asked->name, (size_t)asked->name_len + 1);
	else
		addr_format(&asked->addr, out);
	return out;
}

/* "user=... key=...": who has logged in, or the user name last tried. */
static const char *
who(const struct broker_session *s, char out[WHO_TEXT])
{
	const struct principal *p = &s->principal;
	char user[NAME_TEXT], key[KEY_DIGEST_TEXT_MAX] = "-";
	char id[160], ca[KEY_DIGEST_TEXT_MAX];
	int n;

	if (!s->logged_in && s->login.request == 0) {
		snprintf(out, WHO_TEXT, "user=- key=-");
		return out;
	}
	if (!s->logged_in) {
		quote(s->login.user, s->login.user_len, user, sizeof(user));
		snprintf(out, WHO_TEXT, "user=- key=- tried=%s", user);
		return out;
	}
	quote(p->user, p->user_len, user, sizeof(user));
	if (p->kind != PRINCIPAL_ANYONE)
		key_digest_format(&p->key, key);
	n = snprintf(out, WHO_TEXT, "user=%s key=%s", user, key);
	if (p->kind == PRINCIPAL_CERT && n > 0 && n < WHO_TEXT) {
		quote(p->key_id, p->key_id_len, id, sizeof(id));
		snprintf(out + n, (size_t)(WHO_TEXT - n),
		    " cert=%s serial=%llu ca=%s", id,
		    (unsigned long long)p->serial,
		    key_digest_format(&p->ca, ca));
	}
	return out;
}

static const char *
method(enum broker_login how)
{
	switch (how) {
	case BROKER_LOGIN_NONE:
		return "none";
	case BROKER_LOGIN_PROBE:
		return "probe";
	case BROKER_LOGIN_SIGNED:
	case BROKER_LOGIN_FAILED:
		break;
	}
	return "publickey";
}

/* The key of a failed login, as far as it is one. */
static const char *
tried(const struct broker_session *s, char out[KEY_DIGEST_TEXT_MAX])
{
	const struct broker_login_state *l = &s->login;
	struct key_digest digest;
	struct ssh_cert cert;

	if (l->blob == NULL)
		return "-";
	if (ssh_cert_parse(l->blob, l->len, &cert) == DENY_NONE)
		digest = cert.key;
	else
		digest = key_digest_of(l->blob, l->len);
	return key_digest_format(&digest, out);
}

void
broker_log_login(const struct broker_session *s, enum deny_reason reason)
{
	char client[ENDPOINT_TEXT_MAX], user[NAME_TEXT], text[WHO_TEXT];
	char key[KEY_DIGEST_TEXT_MAX];

	if (!s->broker->settings->log_connections && reason == DENY_NONE)
		return;
	endpoint_format(&s->client, client);
	if (reason == DENY_NONE) {
		log_info("login client=%s session=%llu method=%s %s", client,
		    (unsigned long long)s->number, method(s->login.how),
		    who(s, text));
		return;
	}
	quote(s->login.user, s->login.user_len, user, sizeof(user));
	log_info("login_failed client=%s session=%llu method=%s user=%s "
		 "key=%s reason=%s",
	    client, (unsigned long long)s->number, method(s->login.how), user,
	    tried(s, key), deny_reason_label(reason));
}

void
broker_log_channel(const struct broker_session *s,
    const struct broker_channel *c, enum end_reason reason, bool counted,
    uint64_t up_octets, uint64_t down_octets)
{
	char client[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX], text[WHO_TEXT];
	char asked[HOSTNAME_MAX + 1], octets[64] = "up=- down=-";

	if (!s->broker->settings->log_connections)
		return;
	if (counted)
		snprintf(octets, sizeof(octets), "up=%llu down=%llu",
		    (unsigned long long)up_octets,
		    (unsigned long long)down_octets);
	log_info("channel client=%s session=%llu channel=%u %s asked=\"%s\" "
		 "port=%u target=%s reason=%s open_ms=%u ms=%llu %s",
	    endpoint_format(&s->client, client),
	    (unsigned long long)s->number, c->id, who(s, text),
	    broker_asked(&c->asked, asked), c->asked.port,
	    endpoint_format(&c->to, to),
	    end_reason_label(reason), c->open_ms,
	    (unsigned long long)(s->broker->now_ms - c->connected_ms),
	    octets);
}

void
broker_log_refused(struct broker_session *s, const void *host, size_t len,
    uint32_t port, const struct endpoint *to, enum deny_reason reason)
{
	char client[ENDPOINT_TEXT_MAX], target[ENDPOINT_TEXT_MAX] = "-";
	char text[WHO_TEXT], asked[ASKED_TEXT];
	const char *last = "";

	if (s->n_refused + s->turned_away > BROKER_TOLD_MAX)
		return;
	if (s->n_refused + s->turned_away == BROKER_TOLD_MAX)
		last = " more=untold";
	quote(host, len, asked, sizeof(asked));
	if (to != NULL)
		endpoint_format(to, target);
	log_info("channel_refused client=%s session=%llu %s asked=%s "
		 "port=%u target=%s reason=%s%s",
	    endpoint_format(&s->client, client),
	    (unsigned long long)s->number, who(s, text), asked, port, target,
	    deny_reason_label(reason), last);
}

void
broker_log_session(const struct broker_session *s, enum end_reason reason)
{
	char client[ENDPOINT_TEXT_MAX], local[ENDPOINT_TEXT_MAX];
	char text[WHO_TEXT], software[ASKED_TEXT];

	if (!s->broker->settings->log_connections)
		return;
	quote(s->software, s->software_len, software, sizeof(software));
	log_info("session client=%s listener=%s session=%llu %s reason=%s "
		 "ms=%llu channels=%u refused=%u turned_away=%u up=%llu "
		 "down=%llu software=%s kex=%s cipher=%s host_key=%s",
	    endpoint_format(&s->client, client),
	    endpoint_format(&s->local, local), (unsigned long long)s->number,
	    who(s, text), end_reason_label(reason),
	    (unsigned long long)(s->broker->now_ms - s->began_ms),
	    s->n_connected, s->n_refused, s->turned_away,
	    (unsigned long long)s->up_octets,
	    (unsigned long long)s->down_octets, software,
	    s->has_facts ? s->algorithms[0] : "-",
	    s->has_facts ? s->algorithms[1] : "-",
	    s->has_facts ? s->algorithms[2] : "-");
}
