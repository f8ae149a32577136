/* SPDX-License-Identifier: ISC */
/*
 * deadline.h - many deadlines of one kind, in order, without a timer each.
 *
 * A list holds deadlines of one duration, so each new one is the latest and
 * goes to the end: setting, clearing and finding the first are O(1).
 * Pure: the caller says what time it is; nodes live in the caller's objects.
 */
#ifndef COMMON_DEADLINE_H
#define COMMON_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

struct deadline {
	struct deadline	*prev, *next;	/* NULL: not set */
	uint64_t	 at_ms;
};

struct deadline_list {
	struct deadline	 ends;		/* next: earliest, prev: latest */
};

void deadline_list_init(struct deadline_list *);

/*
 * Set `d`, in whichever list it stands now if any, to run out at `at_ms` in
 * this one.  A time before the list's latest is raised to it: order is kept.
 */
void deadline_set(struct deadline_list *, struct deadline *, uint64_t at_ms);

/* Take it out of its list; harmless if it is in none. */
void deadline_clear(struct deadline *);

/* The earliest one that has run out at `now_ms`, or NULL. */
struct deadline *deadline_expired(const struct deadline_list *,
    uint64_t now_ms);

/* No deadline of the list shall be later than `at_ms` (a shorter setting). */
void deadline_list_cap(struct deadline_list *, uint64_t at_ms);

#endif
