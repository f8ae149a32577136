/* SPDX-License-Identifier: ISC */
/*
 * master.h - the process that opens devices and files, starts workers and
 * answers signals.  It reads no packet.
 */
#ifndef TRANSLATE_MASTER_H
#define TRANSLATE_MASTER_H

#include "common/sandbox.h"
#include "translate/xlatd_config.h"

/*
 * Keep the rights that a running master has, and no others.  Returns 0 or
 * -errno.
 */
int master_give_up_rights(void);

/*
 * Run until a signal says stop; takes the configuration over.  `log_drops`
 * holds whatever the configuration says.  Returns the exit status.
 */
int master_run(struct xlatd_config *, bool log_drops);

#endif
