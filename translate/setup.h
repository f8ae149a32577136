/* SPDX-License-Identifier: ISC */
/*
 * setup.h - what `setup = true` does to a device: MTU, up, addresses, routes.
 *
 * Routed to it are `routes`, the instance's own two addresses, the dynamic
 * pool and the addresses that stand for routers (RFC 6791), which nobody else
 * can have.
 */
#ifndef TRANSLATE_SETUP_H
#define TRANSLATE_SETUP_H

#include "translate/tun.h"
#include "translate/xlatd_config.h"

/*
 * Give the device what `next` asks for.  What `now` (NULL: nothing) asks for
 * was given before, and is again if it was lost: a device that goes down for
 * a moment loses its routes.  Returns false with what is wrong in
 * problem[room]; then the device is as it was, but up.
 */
bool setup_apply(struct tun *, const struct xlatd_instance *now,
    const struct xlatd_instance *next, char *problem, size_t room);

/*
 * Take back what `before` asked for and `now` (NULL: nothing) does not; the
 * MTU becomes the one that was found.
 */
void setup_withdraw(const struct tun *, const struct xlatd_instance *before,
    const struct xlatd_instance *now);

/* Undo the last setup_apply(), which had the same arguments. */
void setup_undo(const struct tun *, const struct xlatd_instance *now,
    const struct xlatd_instance *next);

/* Warn if this host does not forward packets between its devices. */
void setup_check_forwarding(cfgfile_report_fn *warn, void *arg);

#endif
