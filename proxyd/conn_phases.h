/* SPDX-License-Identifier: ISC */
/*
 * conn_phases.h - what conn.c and conn_{peek,dial,relay,end}.c have of each
 * other; nobody else includes it.
 *
 * Each of these may free the connection: nothing follows a call but a return.
 */
#ifndef PROXYD_CONN_PHASES_H
#define PROXYD_CONN_PHASES_H

#include "proxyd/conn.h"

/* The only writer of conn->state. */
void conn_step(struct conn *, enum conn_event);

/* The same, and this is why. */
void conn_finish(struct conn *, enum conn_event, enum close_reason);

/* Read the client's first bytes; steps when they say enough. */
void conn_read_opening(struct conn *);

/* Connect to the plan's next target. */
void conn_enter_dial(struct conn *);

/* The target being tried failed: the next one, or a refusal. */
void conn_dial_failed(struct conn *, enum close_reason);

/* Why a dial failed, from -errno; CLOSE_NONE for 0. */
enum close_reason conn_dial_reason(int err);

/* Something happened at the VM's socket. */
void conn_on_vm_event(struct loop_watch *, uint32_t events);

/* The VM is connected: say what the client said first, and relay. */
void conn_enter_relay(struct conn *);

/* One way has ended. */
void conn_enter_drain(struct conn *);

/* Move what can be moved, both ways. */
void conn_relay(struct conn *);

/* Something happened at one of the sockets of a relay. */
void conn_relay_saw_client(struct conn *, uint32_t events);
void conn_relay_saw_vm(struct conn *, uint32_t events);

/* Turn the client away: say why, and wait for it to have read that. */
void conn_enter_refuse(struct conn *);

/* Read on, and drop it, until the client has closed too. */
void conn_linger(struct conn *);

/* Log and count it, close, give all back; this does free it. */
void conn_enter_closed(struct conn *);

/* --- these free nothing --------------------------------------------------  */

/* The connection's one deadline, in place of the one before. */
void conn_set_deadline(struct conn *, enum deadline_kind, uint32_t in_ms);

/* Whether the connection is to have another turn before events are waited
 * for. */
void conn_set_again(struct conn *, bool);

/* The relay has lasted: see conn_settle(). */
void conn_relay_lasts(struct conn *);

/*
 * Put what the VM is to be told about the client (a PROXY header, forwarded
 * fields) into the opening.  Returns how many octets may be sent at once; 0
 * if there is no memory.
 */
uint32_t conn_address_opening(struct conn *);

#endif
