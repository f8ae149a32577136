/* SPDX-License-Identifier: ISC */
/*
 * master.h - the process that listens, supervises and reloads, and parses no
 * byte a peer sends.
 */
#ifndef PROXYD_MASTER_H
#define PROXYD_MASTER_H

#include "proxyd/proxyd_config.h"

/*
 * Run until told to stop.  Takes over the configuration.  Returns the exit
 * status.
 */
int master_run(struct proxyd_config *);

#endif
