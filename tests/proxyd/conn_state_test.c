/* SPDX-License-Identifier: ISC */
#include "proxyd/conn_state.h"

#include <criterion/criterion.h>

/* The drawing above the table, as a list; everything else is illegal. */
static const struct {
	enum conn_state from;
	enum conn_event event;
	enum conn_state to;
} arrows[] = {
	{ CONN_PEEK, SAW_NAMED, CONN_DIAL },
	{ CONN_PEEK, SAW_TURNED_AWAY, CONN_REFUSE },
	{ CONN_PEEK, SAW_FINISHED, CONN_CLOSED },
	{ CONN_PEEK, SAW_ABORTED, CONN_CLOSED },
	{ CONN_DIAL, SAW_RETRY, CONN_DIAL },
	{ CONN_DIAL, SAW_CONNECTED, CONN_RELAY },
	{ CONN_DIAL, SAW_TURNED_AWAY, CONN_REFUSE },
	{ CONN_DIAL, SAW_FINISHED, CONN_CLOSED },
	{ CONN_DIAL, SAW_ABORTED, CONN_CLOSED },
	{ CONN_RELAY, SAW_HALF_CLOSED, CONN_DRAIN },
	{ CONN_RELAY, SAW_TURNED_AWAY, CONN_REFUSE },
	{ CONN_RELAY, SAW_FINISHED, CONN_CLOSED },
	{ CONN_RELAY, SAW_ABORTED, CONN_CLOSED },
	{ CONN_DRAIN, SAW_TURNED_AWAY, CONN_REFUSE },
	{ CONN_DRAIN, SAW_FINISHED, CONN_CLOSED },
	{ CONN_DRAIN, SAW_ABORTED, CONN_CLOSED },
	{ CONN_REFUSE, SAW_FINISHED, CONN_CLOSED },
	{ CONN_REFUSE, SAW_ABORTED, CONN_CLOSED },
};

Test(conn_state, every_pair_is_an_arrow_of_the_drawing_or_illegal)
{
	unsigned state, event, i, legal = 0;

	for (state = 0; state < N_CONN_STATES; state++) {
		for (event = 0; event < N_CONN_EVENTS; event++) {
			if (!conn_event_legal(state, event))
				continue;
			legal++;
			for (i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++)
				if (arrows[i].from == state &&
				    arrows[i].event == event)
					break;
			cr_assert_lt(i, sizeof(arrows) / sizeof(arrows[0]),
			    "state %u, event %u", state, event);
			cr_assert_eq(conn_next(state, event), arrows[i].to,
			    "state %u, event %u", state, event);
		}
	}
	cr_assert_eq(legal, sizeof(arrows) / sizeof(arrows[0]));
}

Test(conn_state, every_living_state_can_be_aborted)
{
	unsigned state;

	for (state = 0; state < CONN_CLOSED; state++)
		cr_assert_eq(conn_next(state, SAW_ABORTED), CONN_CLOSED,
		    "state %u", state);
}

Test(conn_state, nothing_follows_closed)
{
	unsigned event;

	for (event = 0; event < N_CONN_EVENTS; event++)
		cr_assert_not(conn_event_legal(CONN_CLOSED, event),
		    "event %u", event);
}
