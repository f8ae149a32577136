/* SPDX-License-Identifier: ISC */
/*
 * key_command.h - the process that runs authorized_keys_command, as its own
 * user, without a shell.
 *
 * Forked by the parent while that still may change users, it keeps
 * CAP_SETUID, CAP_SETGID and CAP_KILL and parses nothing that peers send: a
 * request is fixed fields, checked here again, and becomes arguments of a
 * program that the configuration alone names.  For each run the broker gets
 * the reading end of the program's output, and in the end its status.
 *
 * When `requests` ends, or by SIGTERM, so does it, and what it runs is killed.
 * Its configuration is that of its start: the parent replaces it on reload.
 */
#ifndef JUMPD_KEY_COMMAND_H
#define JUMPD_KEY_COMMAND_H

#include "common/sandbox.h"
#include "jumpd/auth_policy.h"
#include "jumpd/key_blob.h"

enum {
	KEY_COMMAND_ARGS_MAX = 32,
	KEY_COMMAND_TEXT_MAX = 2048,	/* octets of path and arguments */
	KEY_COMMAND_RUNS_MAX = 64,
	KEY_COMMAND_OUTPUT_MAX = 256 * 1024	/* octets the broker reads */
};

/*
 * argv[0], the absolute path, and arguments, NUL after NUL.  Tokens, as
 * sshd's: %u the user name, %t the key's type, %k its base64, %f its
 * fingerprint (SHA256:...), %% a percent sign.
 */
struct key_command_config {
	uint32_t	n_args;		/* 1-KEY_COMMAND_ARGS_MAX */
	uint32_t	text_len;
	char		text[KEY_COMMAND_TEXT_MAX];
	uint32_t	timeout_ms;	/* killed after it */
	uint32_t	runs_max;	/* 1-KEY_COMMAND_RUNS_MAX */
	struct sandbox_ids ids;		/* authorized_keys_command_user */
};

/* What the broker asks; the user's name and the blob follow, as they are. */
struct key_command_request {
	uint32_t	id;
	uint32_t	user_len;	/* 1-AUTH_USER_NAME_MAX */
	uint32_t	blob_len;	/* 1-KEY_CERT_MAX */
};

enum {
	KEY_COMMAND_REQUEST_MAX = sizeof(struct key_command_request) +
	    AUTH_USER_NAME_MAX + KEY_CERT_MAX
};

enum key_command_kind {
	KEY_COMMAND_STARTED = 1,	/* with the reading end of its output */
	KEY_COMMAND_ENDED,
	KEY_COMMAND_REFUSED		/* it could not be started */
};

/* What the broker is told: STARTED and then ENDED, or REFUSED. */
struct key_command_answer {
	uint32_t	id;
	uint32_t	kind;		/* enum key_command_kind */
	uint32_t	succeeded;	/* ENDED: 1 if it exited with 0 */
};

/*
 * For the configuration: check the program and its arguments.  The path must
 * be absolute, and it and every folder above it owned by root and writable by
 * nobody else, as sshd demands.  ret->timeout_ms and ret->runs_max stay as
 * they are.  Returns false with what is wrong in problem[room].
 */
bool key_command_config_make(const char *const *args, uint32_t n,
    const struct sandbox_ids *, struct key_command_config *ret,
    char *problem, size_t room);

/* Be that process.  `requests` is one end of a SOCK_SEQPACKET pair of which
 * the parent keeps both, as of broker.h's `sessions`.  Never returns. */
void key_command_run(const struct key_command_config *, int requests,
    int log_fd) __attribute__((noreturn));

#endif
