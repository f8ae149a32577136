/* SPDX-License-Identifier: ISC */
/*
 * parent.h - the process that listens, and that all others come from.
 *
 * It accepts connections, counts them by source before anything is spent on
 * them (source_table.h), and forks a process for each (worker.h), with the
 * host keys loaded and libcrypto warm.  It ends processes that did not log in
 * in time, that had to make room for others, or that spin; it starts the
 * broker and the process for authorized_keys_command, and others in their
 * place; it reads all files at a reload.  It parses nothing that peers send.
 */
#ifndef JUMPD_PARENT_H
#define JUMPD_PARENT_H

#include "jumpd/jumpd_config.h"

/* Run until SIGTERM or SIGINT.  Takes the configuration over; returns the
 * exit status. */
int parent_run(struct jumpd_config *);

#endif
