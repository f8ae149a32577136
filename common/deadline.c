/* SPDX-License-Identifier: ISC */
#include "common/deadline.h"

void
deadline_list_init(struct deadline_list *list)
{
	list->ends.prev = list->ends.next = &list->ends;
	list->ends.at_ms = 0;
}

void
deadline_clear(struct deadline *d)
{
	if (d->next == NULL)
		return;
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->prev = d->next = NULL;
}

void
deadline_set(struct deadline_list *list, struct deadline *d, uint64_t at_ms)
{
	struct deadline *last;

	deadline_clear(d);
	last = list->ends.prev;
	d->at_ms = last != &list->ends && last->at_ms > at_ms ? last->at_ms :
								at_ms;
	d->prev = last;
	d->next = &list->ends;
	last->next = d;
	list->ends.prev = d;
}

struct deadline *
deadline_expired(const struct deadline_list *list, uint64_t now_ms)
{
	struct deadline *first = list->ends.next;

	return first != &list->ends && first->at_ms <= now_ms ? first : NULL;
}

void
deadline_list_cap(struct deadline_list *list, uint64_t at_ms)
{
	struct deadline *d;

	for (d = list->ends.prev; d != &list->ends && d->at_ms > at_ms;
	     d = d->prev)
		d->at_ms = at_ms;
}
