/* SPDX-License-Identifier: ISC */
/*
 * broker_login.c - LOGIN: who is it?
 *
 * The child says that libssh has verified a signature of this key's; all else
 * is decided here, and a session gets one principal, once.  A user that is
 * not configured is judged as one that is (auth_policy.h), and refused in the
 * end.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jumpd/broker_state.h"

static int64_t
utc_of_local(int64_t civil_s)
{
	time_t t = (time_t)civil_s, utc;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return INT64_MIN;
	tm.tm_isdst = -1;
	utc = mktime(&tm);
	/* -1 is a moment, too, but one long ago. */
	return utc == (time_t)-1 ? INT64_MIN : (int64_t)utc;
}

static struct login_request
request_of(const struct auth_policy *policy, uint32_t user,
    const struct broker_session *s, const uint8_t *blob, size_t len)
{
	const struct login_request r = { .user = &policy->user[user],
		.user_bit = UINT64_C(1) << user,
		.blob = blob,
		.len = len,
		.client = s->client.addr,
		.now_s = (int64_t)time(NULL),
		.utc_of_local = utc_of_local };

	return r;
}

static void
probe_fini(struct broker_probe *probe)
{
	if (probe->good)
		principal_fini(&probe->principal);
	probe->good = false;
}

void
broker_login_fini(struct broker_session *s)
{
	if (s->login.command != NULL)
		broker_command_cancel(s->login.command);
	s->login.command = NULL;
	s->login.pending = false;
	free(s->login.blob);
	s->login.blob = NULL;
	probe_fini(&s->probe);
}

static void
answer(struct broker_session *s, bool accepted, bool last)
{
	struct broker_msg m = { .type = BROKER_LOGIN_ANSWER };

	m.u.login_answer.request = s->login.request;
	m.u.login_answer.accepted = accepted;
	m.u.login_answer.last = last;
	broker_send(s, &m, -1);
}

static enum auth_event
event_of(enum broker_login how)
{
	switch (how) {
	case BROKER_LOGIN_NONE:
		return AUTH_SAW_NONE;
	case BROKER_LOGIN_PROBE:
		return AUTH_SAW_PROBE;
	case BROKER_LOGIN_SIGNED:
	case BROKER_LOGIN_FAILED:
		break;
	}
	return AUTH_SAW_FAILURE;
}

static void
refuse(struct broker_session *s, enum deny_reason reason)
{
	struct broker *b = s->broker;
	enum auth_event event = event_of(s->login.how);
	bool last, free_of_charge;

	free_of_charge = event == AUTH_SAW_NONE && !s->attempts.none_tried;
	last = auth_attempts_count(&s->attempts, &b->settings->auth, event);
	if (!free_of_charge) {
		counter_add(&b->stats->denied[reason], 1);
		broker_log_login(s, reason);
	}
	/* Keys that would not do are how clients find the one that does; but
	 * not a whole session of them. */
	if (event == AUTH_SAW_FAILURE || last)
		broker_report(s, BROKER_REFUSED_LOGIN);
	answer(s, false, last);
}

/* Bind the principal, whose parts are taken over. */
static void
accept_login(struct broker_session *s, struct principal *p)
{
	s->principal = *p;
	s->logged_in = true;
	s->user = s->login.choice.user;
	s->blob = s->login.blob;
	s->blob_len = s->login.len;
	s->login.blob = NULL;
	counter_add(&s->broker->stats->value[JUMPD_STAT_LOGINS], 1);
	broker_report(s, BROKER_LOGGED_IN);
	broker_log_login(s, DENY_NONE);
	answer(s, true, false);
}

/* A key that would do. */
static void
keep_probe(struct broker_session *s, struct principal *p, bool by_command)
{
	probe_fini(&s->probe);
	s->probe.good = true;
	s->probe.generation = s->broker->generation->number;
	s->probe.user = s->login.choice.user;
	s->probe.blob = key_digest_of(s->login.blob, s->login.len);
	s->probe.by_command = by_command;
	s->probe.principal = *p;
	answer(s, true, false);
}

/* The judgement is there; `p` is taken over if it is DENY_NONE. */
static void
decide(struct broker_session *s, enum deny_reason reason, struct principal *p,
    bool by_command)
{
	if (s->login.choice.shadow) {
		if (reason == DENY_NONE)
			principal_fini(p);
		reason = DENY_USER_UNKNOWN;
	}
	if (reason != DENY_NONE)
		refuse(s, reason);
	else if (s->login.how == BROKER_LOGIN_PROBE)
		keep_probe(s, p, by_command);
	else {
		s->by_command = by_command;
		accept_login(s, p);
	}
	free(s->login.blob);
	s->login.blob = NULL;
}

static bool
probed_before(const struct broker_session *s)
{
	struct key_digest digest;

	if (!s->probe.good || s->login.how != BROKER_LOGIN_SIGNED ||
	    s->probe.generation != s->broker->generation->number ||
	    s->probe.user != s->login.choice.user || s->login.choice.shadow)
		return false;
	digest = key_digest_of(s->login.blob, s->login.len);
	return key_digest_equal(&digest, &s->probe.blob);
}

static void
decide_by_probe(struct broker_session *s)
{
	struct principal p = s->probe.principal;
	enum deny_reason reason = DENY_NONE;

	s->probe.good = false;
	if ((int64_t)time(NULL) >= p.expires_s) {
		principal_fini(&p);
		reason = DENY_KEY_EXPIRED;
	}
	decide(s, reason, &p, s->probe.by_command);
}

/* A key or certificate: by the files, then by the command. */
static void
judge(struct broker_session *s)
{
	struct broker *b = s->broker;
	const struct auth_policy *policy = &b->settings->auth;
	struct login_request r = request_of(policy, s->login.choice.user, s,
	    s->login.blob, s->login.len);
	struct principal p;
	enum deny_reason reason, asked;

	if (probed_before(s)) {
		decide_by_probe(s);
		return;
	}
	reason = login_judge(b->generation->keys, &r, &p);
	if ((reason == DENY_KEY_UNKNOWN || reason == DENY_CERT_CA_UNKNOWN) &&
	    b->settings->command && r.user->command) {
		s->login.pending = true;
		asked = broker_command_ask(s, r.user, s->login.blob,
		    s->login.len);
		if (asked == DENY_NONE) {
			if (s->fd >= 0 && s->login.pending)
				loop_remove(&b->loop, &s->watch);
			return;
		}
		s->login.pending = false;
		reason = asked;
	}
	decide(s, reason, &p, false);
}

void
broker_login_command_done(struct broker_session *s, enum deny_reason reason,
    const char *text, size_t len)
{
	struct broker *b = s->broker;
	const struct auth_policy *policy = &b->settings->auth;
	struct login_request r;
	struct principal p;

	s->login.pending = false;
	s->login.command = NULL;
	/* A reload since then may have other users. */
	s->login.choice = auth_choose(policy, s->login.user,
	    s->login.user_len);
	r = request_of(policy, s->login.choice.user, s, s->login.blob,
	    s->login.len);
	broker_session_listen(s);
	if (s->fd < 0)
		return;
	if (reason == DENY_NONE)
		reason = login_judge_lines(b->generation->keys, &r, text, len,
		    &p);
	decide(s, reason, &p, true);
}

static void
judge_none(struct broker_session *s)
{
	const struct auth_user *user =
	    &s->broker->settings->auth.user[s->login.choice.user];
	struct principal p = login_anyone(user);

	decide(s, (user->methods & AUTH_NONE) != 0 ? DENY_NONE : DENY_METHOD,
	    &p, false);
}

/* Keep what the message said.  Returns false without memory. */
static bool
remember(struct broker_session *s, const struct broker_msg *m)
{
	struct broker_login_state *l = &s->login;

	l->request = m->u.login.request;
	l->how = m->u.login.how;
	l->user_len = (uint8_t)m->u.login.user.len;
	if (l->user_len > 0)
		memcpy(l->user, m->u.login.user.at, l->user_len);
	l->choice = auth_choose(&s->broker->settings->auth, l->user,
	    l->user_len);
	l->len = m->u.login.blob.len;
	if (l->len == 0)
		return true;
	l->blob = malloc(l->len);
	if (l->blob != NULL)
		memcpy(l->blob, m->u.login.blob.at, l->len);
	return l->blob != NULL;
}

void
broker_login(struct broker_session *s, const struct broker_msg *m)
{
	/* Who has logged in, or has no attempts left, asks no more. */
	if (s->logged_in ||
	    s->attempts.failed >= s->broker->settings->auth.attempts_max) {
		broker_session_end(s,
		    s->logged_in ? END_PROTOCOL : END_ATTEMPTS);
		broker_session_gone(s);
		return;
	}
	if (!remember(s, m)) {
		refuse(s, DENY_NO_MEMORY);
		return;
	}
	switch (s->login.how) {
	case BROKER_LOGIN_NONE:
		judge_none(s);
		break;
	case BROKER_LOGIN_PROBE:
	case BROKER_LOGIN_SIGNED:
		judge(s);
		break;
	case BROKER_LOGIN_FAILED:
		decide(s, DENY_BAD_SIGNATURE, NULL, false);
		break;
	}
}

/* ------------------------------------------------------ after a reload */

/* The principal as it is now; its parts are the caller's. */
static enum deny_reason
judge_again(struct broker_session *s, struct principal *ret)
{
	struct broker *b = s->broker;
	const struct auth_policy *policy = &b->settings->auth;
	struct auth_choice choice = auth_choose(policy, s->principal.user,
	    s->principal.user_len);
	struct login_request r = request_of(policy, choice.user, s, s->blob,
	    s->blob_len);

	if (choice.shadow)
		return DENY_USER_UNKNOWN;
	if (s->principal.kind == PRINCIPAL_ANYONE) {
		*ret = login_anyone(r.user);
		return (r.user->methods & AUTH_NONE) != 0 ? DENY_NONE :
							    DENY_METHOD;
	}
	return login_judge(b->generation->keys, &r, ret);
}

enum deny_reason
broker_login_again(struct broker_session *s)
{
	struct broker *b = s->broker;
	struct principal now;
	enum deny_reason reason = judge_again(s, &now);

	if (reason == DENY_NONE) {
		principal_fini(&s->principal);
		s->principal = now;
		return reason;
	}
	/* A key that only the command knows is not asked for again; that it
	 * was revoked, or its user is gone, counts. */
	if (s->by_command &&
	    (reason == DENY_KEY_UNKNOWN || reason == DENY_CERT_CA_UNKNOWN))
		return login_revoked(b->generation->keys, s->blob,
			   s->blob_len) ?
		    DENY_KEY_REVOKED :
		    DENY_NONE;
	return reason;
}
