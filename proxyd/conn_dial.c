/* SPDX-License-Identifier: ISC */
/*
 * conn_dial.c - DIAL: from the plan of targets to a socket, and what the VM is
 * told about the client before the relay begins.
 */
#include "proxyd/conn_phases.h"

#include <errno.h>
#include <string.h>

#include "common/dial.h"
#include "proxyd/http_forwarded.h"
#include "proxyd/http_watch.h"

void
conn_dial_failed(struct conn *c, enum close_reason reason)
{
	struct worker *w = c->worker;
	struct dial_plan *plan = &c->opening->plan;
	/* Running out of something here is not the target's fault. */
	bool theirs = reason == CLOSE_DIAL_REFUSED ||
	    reason == CLOSE_DIAL_TIMEOUT || reason == CLOSE_DIAL_UNREACHABLE;

	side_close(&c->vm, &w->loop, false);
	counter_add(&w->stats->value[STAT_DIAL_FAILURES], 1);
	if (plan->track && theirs)
		target_health_failed(&w->shared->health, &c->target,
		    w->now_ms);
	if (++plan->next < plan->n) {
		conn_step(c, SAW_RETRY);
		return;
	}
	conn_finish(c, SAW_TURNED_AWAY, reason);
}

enum close_reason
conn_dial_reason(int err)
{
	switch (-err) {
	case 0:
		return CLOSE_NONE;
	case ECONNREFUSED:
	case ECONNRESET:
		return CLOSE_DIAL_REFUSED;
	case ETIMEDOUT:
		return CLOSE_DIAL_TIMEOUT;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return CLOSE_DIAL_NO_PORT;
	case EMFILE:
	case ENFILE:
		return CLOSE_NO_DESCRIPTORS;
	case ENOMEM:
	case ENOBUFS:
		return CLOSE_NO_MEMORY;
	default:	/* no route, a firewall, a router's word */
		return CLOSE_DIAL_UNREACHABLE;
	}
}

/* The client's IPv4 address in the low 32 bits of embed_prefix. */
static bool
embedded_source(const struct conn *c, struct addr *ret)
{
	const struct proxyd_settings *s = &c->worker->settings;

	return (c->flags & MAPPING_SOURCE_EMBED) != 0 &&
	    s->has_embed_prefix &&
	    dial_embed(&s->embed_prefix, &c->peer.addr, ret);
}

void
conn_enter_dial(struct conn *c)
{
	struct worker *w = c->worker;
	const struct proxyd_settings *s = &w->settings;
	const struct dial_sources sources = { s->source, s->n_sources };
	struct addr source;
	bool embed = embedded_source(c, &source);
	int fd, err;

	c->target = c->opening->plan.target[c->opening->plan.next];
	err = dial_begin(&c->target, NULL, &sources, embed ? &source : NULL,
	    w->source_rotation++, &fd);
	if (err != 0)
		conn_dial_failed(c, conn_dial_reason(err));
	else if (!side_open(&c->vm, &w->loop, fd, true, conn_on_vm_event))
		conn_dial_failed(c, CLOSE_NO_MEMORY);
	else
		conn_set_deadline(c, DEADLINE_CONNECT, s->connect_ms);
}

/* forwarded=yes: the first head says who the client is.  False if there is
 * no memory. */
static bool
rewrite_head(struct conn *c)
{
	struct opening *o = c->opening;
	uint8_t *out = c->worker->rewritten;
	size_t len;

	if (c->http == NULL || (c->flags & MAPPING_FORWARDED) == 0)
		return true;
	len = http_forwarded_rewrite(o->bytes, o->scan.http.scanned, &c->peer,
	    c->name != NULL ? c->name : "", out);
	if (!opening_replace(o, o->scan.http.scanned, out, len))
		return false;
	o->scan.http.scanned = (uint32_t)len;
	return true;
}

/* Put the PROXY header in front of the client's bytes, so that one write
 * sends both.  Returns its length; -1 if there is no memory. */
static int
prepend_proxy(struct conn *c)
{
	struct opening *o = c->opening;
	const struct endpoint *to = o->relayed ? &o->destination : &c->local;
	char id[CONN_ID_OCTETS + 1];
	const struct proxy_tlvs tlvs = { .alpn = o->alpn,
		.alpn_len = o->alpn_len,
		.authority = c->name,
		.authority_len = c->name != NULL ? strlen(c->name) : 0,
		.unique_id = (const uint8_t *)conn_id(c, id),
		.unique_id_len = CONN_ID_OCTETS };
	uint8_t header[PROXY_HEADER_MAX];
	size_t len = 0;

	if (c->flags & MAPPING_PROXY_V1)
		len = proxy_header_write_v1(&c->peer, to, header);
	else if (c->flags & MAPPING_PROXY_V2)
		len = proxy_header_write_v2(&c->peer, to, &tlvs, header);
	if (len > 0 && !opening_replace(o, 0, header, len))
		return -1;
	return (int)len;
}

uint32_t
conn_address_opening(struct conn *c)
{
	const struct opening *o = c->opening;
	int header = rewrite_head(c) ? prepend_proxy(c) : -1;

	if (header < 0)
		return 0;
	/* What follows an HTTP head is still to be judged. */
	return c->http != NULL ? (uint32_t)header + o->scan.http.scanned :
				 o->len;
}
