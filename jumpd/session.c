/* SPDX-License-Identifier: ISC */
#include "jumpd/session.h"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REKEY_SECONDS = 3600 };	/* RFC 4253 9 */

/* --- requests ------------------------------------------------------------- */

struct session_request *
session_keep(struct session *s, ssh_message message)
{
	struct session_request *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		session_end(s, END_MEMORY, NULL);
		ssh_message_free(message);
		return NULL;
	}
	r->number = s->next_request++;
	r->message = message;
	r->asked_ms = s->now_ms;
	r->next = s->requests;
	s->requests = r;
	s->n_requests++;
	return r;
}

struct session_request *
session_take(struct session *s, uint32_t number)
{
	struct session_request **at = &s->requests, *r;

	while ((r = *at) != NULL && r->number != number)
		at = &r->next;
	if (r != NULL) {
		*at = r->next;
		s->n_requests--;
	}
	return r;
}

void
session_free_requests(struct session *s)
{
	struct session_request *r;

	while ((r = s->requests) != NULL) {
		s->requests = r->next;
		ssh_message_free(r->message);
		free(r);
	}
	s->n_requests = 0;
	ssh_message_free(s->refusal);
	s->refusal = NULL;
}

/* --- life ----------------------------------------------------------------- */

void
session_phase(struct session *s, enum session_phase phase)
{
	s->phase = phase;
	s->phase_ms = s->now_ms;
}

static bool
set_options(struct session *s)
{
	uint32_t seconds = REKEY_SECONDS;
	uint64_t octets = s->settings->rekey_octets;
	bool no = false;

	return ssh_options_set(s->ssh, SSH_OPTIONS_PROCESS_CONFIG,
	    &no) == SSH_OK &&
	    ssh_options_set(s->ssh, SSH_OPTIONS_COMPRESSION, "none") ==
	    SSH_OK &&
	    ssh_options_set(s->ssh, SSH_OPTIONS_REKEY_TIME, &seconds) ==
	    SSH_OK && (octets == 0 || ssh_options_set(s->ssh,
	    SSH_OPTIONS_REKEY_DATA, &octets) == SSH_OK);
}

bool
session_open(struct session *s, const struct session_start *start)
{
	memset(s, 0, sizeof(*s));
	s->settings = start->settings;
	s->broker = start->broker;
	s->client = start->client;
	s->local = start->local;
	s->next_request = 1;
	s->fd = fcntl(start->fd, F_DUPFD_CLOEXEC, 3);
	s->ssh = ssh_new();
	s->counters = calloc(2, sizeof(*s->counters));
	if (s->fd < 0 || s->ssh == NULL || s->counters == NULL)
		return false;
	ssh_set_blocking(s->ssh, 0);
	ssh_set_counters(s->ssh, &s->counters[SESSION_RAW],
	    &s->counters[SESSION_PACKETS]);
	ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
	return set_options(s) &&
	    host_keys_accept(start->keys, s->ssh, start->fd);
}

void
session_close(struct session *s)
{
	session_free_channels(s);
	session_free_requests(s);
	free(s->channel);
	ssh_free(s->ssh);
	free(s->counters);
	if (s->fd >= 0)
		close(s->fd);
}
