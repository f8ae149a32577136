/* SPDX-License-Identifier: ISC */
#include "proxyd/lookup.h"

#include <string.h>

struct lookup
lookup_targets(const struct conn *c, const struct peek *p)
{
	const struct worker *w = c->worker;
	const struct mapping_entry *e = NULL;
	struct lookup found = { .port = c->local.port };

	if (p->verdict == PEEK_NAME)
		e = mapping_find(&w->mapping, c->service, p->name,
		    p->name_len);
	if (e != NULL) {
		found.target = e->target;
		found.n = e->n_targets;
		found.flags = e->flags;
		found.counted_as = mapping_entry_name(e);
		found.counted_len = e->name_len;
		if (e->port[c->service] != 0)
			found.port = e->port[c->service];
	} else if (w->settings.has_default_target) {
		found.target = &w->settings.default_target;
		found.n = 1;
		found.counted_as = "*";
		found.counted_len = 1;
	}
	return found;
}

static bool
leads_to(const struct lookup *l, const struct endpoint *target)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (addr_equal(&l->target[i], &target->addr))
			return l->port == target->port;
	return false;
}

enum close_reason
lookup_again(const struct conn *c, const struct peek *p)
{
	struct lookup l = lookup_targets(c, p);
	bool same_name = p->verdict == PEEK_NAME && c->name != NULL &&
	    strcmp(p->name, c->name) == 0;

	/* A mapping that tells the VM more about its clients, or less, wants
	 * a connection of its own. */
	if (leads_to(&l, &c->target) && l.flags == c->flags)
		return CLOSE_NONE;
	if (same_name)
		return CLOSE_MAPPING_CHANGED;
	if (l.n > 0)
		return CLOSE_HTTP_MISDIRECTED;
	return p->verdict == PEEK_NAME ? CLOSE_NOT_MAPPED : p->reason;
}
