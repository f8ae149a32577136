/* SPDX-License-Identifier: ISC */
/*
 * broker_world.h - a broker in a network of its own, and everything around
 * it: the parent, session processes and a VM, played by the test.
 *
 * The network is a namespace with 2001:db8::1 to ::9 on its loopback
 * interface; it vanishes with the test.  What goes wrong here aborts.
 */
#ifndef TESTS_LIB_BROKER_WORLD_H
#define TESTS_LIB_BROKER_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "jumpd/broker.h"
#include "jumpd/broker_msg.h"
#include "jumpd/key_command.h"

enum { WORLD_VMS = 9 };

struct broker_world {
	struct jumpd_settings settings;	/* for the next orders */
	const char	*mapping;	/* text of a mapping file; NULL: none */
	size_t		 bundle_len;
	uint8_t		 bundle[64 * 1024];	/* key files */
	struct key_command_config command;	/* n_args 0: none */

	pid_t		 pid, command_pid;
	uint32_t	 generation;
	int		 channel, sessions, log;	/* our ends; `log` reads */
	struct jumpd_stats *stats;
	uint64_t	 last_session;
};

/* A session's process, as the test plays it. */
struct broker_child {
	uint64_t	number;
	int		fd;
};

/* False if namespaces cannot be made here: the test has to be skipped. */
bool world_init(struct broker_world *);

/* Sane settings: one user "jump", by none; world_allow_vms for port 22. */
void world_add_user(struct broker_world *, const char *name, uint8_t methods,
    bool command);
void world_allow(struct broker_world *, const char *prefix, uint16_t first,
    uint16_t last);

/* 2001:db8::/32 and, as they are addresses of the broker's own host, each of
 * 2001:db8::1 to ::9 (WORLD_VMS). */
void world_allow_vms(struct broker_world *, uint16_t first, uint16_t last);

/* A key file whose text names vectors as "$name". */
void world_add_keys(struct broker_world *, int kind, uint64_t users,
    const char *text);

void world_start(struct broker_world *);

/* Give the settings as they are now to the running broker, and wait until
 * they are adopted. */
void world_reload(struct broker_world *);

/* The same without waiting. */
void world_order(struct broker_world *);

/* Ask it to drain; true if it ended by itself, with status 0. */
bool world_stop(struct broker_world *);

/* A session of this client. */
struct broker_child world_session(struct broker_world *, const char *client);

/* The parent's word that the session's process is reaped; closes its end. */
void world_ended(struct broker_world *, struct broker_child *,
    enum end_reason);

/* The next news of the broker, within two seconds; 0: none. */
uint32_t world_news(struct broker_world *, uint64_t *ret_session);

/* A line of the log that has this text, within 20 seconds. */
bool world_logs(struct broker_world *, const char *text);

/* How often `text` stands in the log up to `end`, as world_logs finds it. */
unsigned world_counts(struct broker_world *, const char *text,
    const char *end);

void child_send(const struct broker_child *, const struct broker_msg *);

/* The next message, within 20 seconds; false: the end.  *ret_fd is -1 if
 * there was none with it; texts are good until the next call. */
bool child_receive(const struct broker_child *, struct broker_msg *ret,
    int *ret_fd);

/* LOGIN and its answer. */
struct broker_msg child_login(const struct broker_child *,
    enum broker_login how, const char *user, const char *vector);

/* OPEN; the reason of the answer, and the descriptor. */
void child_ask(const struct broker_child *, uint32_t request,
    const char *host, uint32_t port);
enum deny_reason child_open(const struct broker_child *, const char *host,
    uint32_t port, uint32_t *ret_channel, int *ret_fd);

/* A listening socket; its accept queue takes connections by itself. */
int vm_listen(const char *address, uint16_t port);

#endif
