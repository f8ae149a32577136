/* SPDX-License-Identifier: ISC */
/*
 * notify.h - tell a service manager how we are (sd_notify(3)'s protocol).
 *
 * One datagram to the socket named by NOTIFY_SOCKET; written here because
 * the protocol is stable and documented, and libsystemd is a lot to link for
 * it.
 */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

/*
 * Send lines such as "READY=1\nSTATUS=...".  Does nothing without
 * NOTIFY_SOCKET; a failure is ignored, for nothing depends on it.
 */
void notify(const char *state);

/* "RELOADING=1" with the time stamp that Type=notify-reload asks for. */
void notify_reloading(void);

#endif
