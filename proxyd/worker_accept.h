/* SPDX-License-Identifier: ISC */
/*
 * worker_accept.h - which connections a worker takes.
 *
 * The listening sockets are shared by all workers.  A worker that is full,
 * out of resources or well above the others leaves them alone for a tick;
 * clients over a limit are turned away before anything is spent on them.
 */
#ifndef PROXYD_WORKER_ACCEPT_H
#define PROXYD_WORKER_ACCEPT_H

#include "proxyd/worker.h"

/* Watch the worker's listeners.  Returns 0 or -errno. */
int accept_open(struct worker *);

/* Stop watching and close them. */
void accept_close(struct worker *);

/* Every TICK_MS: go on or pause, tell who was turned away. */
void accept_tick(struct worker *);

/* Count a client in: CLOSE_NONE and its ticket, or which limit it met. */
enum close_reason accept_admit(struct worker *, const struct endpoint *peer,
    struct admission_ticket *);

#endif
