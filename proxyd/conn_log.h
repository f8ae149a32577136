/* SPDX-License-Identifier: ISC */
/*
 * conn_log.h - the one line about a finished connection.
 */
#ifndef PROXYD_CONN_LOG_H
#define PROXYD_CONN_LOG_H

#include "proxyd/conn.h"

void conn_log(const struct conn *, uint64_t now_ms);

#endif
