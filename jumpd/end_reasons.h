/* SPDX-License-Identifier: ISC */
/*
 * end_reasons.h - why a channel or a session ended: one list makes the enum,
 * the counter's label and the text.
 *
 * END_REASON(id, label, text): the label is for logs and metrics and never
 * changes its meaning; the text completes "ended: ...".
 */
#ifndef JUMPD_END_REASONS_H
#define JUMPD_END_REASONS_H

#define END_REASONS \
	END_REASON(NONE, "none", "it has not ended") \
	/* channels */ \
	END_REASON(DONE, "done", "both sides finished") \
	END_REASON(CLIENT_CLOSED, "client_closed", \
	    "the client closed the channel") \
	END_REASON(TARGET_RESET, "target_reset", "the target reset it") \
	END_REASON(CHANNEL_IDLE, "channel_idle", \
	    "no bytes in the channel for too long") \
	END_REASON(WINDOW_IGNORED, "window_ignored", \
	    "the client sent more than its window") \
	END_REASON(SESSION_ENDED, "session_ended", "its session ended") \
	/* sessions: the client's doing */ \
	END_REASON(DISCONNECTED, "disconnected", "the client disconnected") \
	END_REASON(CLIENT_RESET, "client_reset", \
	    "the client's connection was reset") \
	END_REASON(CLIENT_LEFT, "client_left", \
	    "the client left without logging in") \
	END_REASON(CLIENT_GONE, "client_gone", \
	    "the client answered no keepalives") \
	END_REASON(BANNER, "banner", "the client is not an SSH 2.0 client") \
	END_REASON(KEY_EXCHANGE, "key_exchange", "the key exchange failed") \
	END_REASON(PROTOCOL, "protocol", "an SSH protocol error") \
	END_REASON(SHELL, "shell", \
	    "the client wanted a shell and was told why not") \
	END_REASON(REFUSED, "refused", \
	    "its only channel was refused and it was told why") \
	/* sessions: limits */ \
	END_REASON(LOGIN_GRACE, "login_grace", \
	    "the client did not log in in time") \
	END_REASON(ATTEMPTS, "attempts", "too many attempts to log in") \
	END_REASON(SESSION_IDLE, "session_idle", \
	    "no bytes and no channel for too long") \
	END_REASON(SESSION_TIME, "session_time", \
	    "the session lasted timeouts.session") \
	END_REASON(SHED, "shed", \
	    "it had not logged in when others needed its place") \
	END_REASON(SPINNING, "spinning", \
	    "its process used the CPU and did nothing") \
	END_REASON(MEMORY, "memory", "it used too much memory") \
	END_REASON(CRASHED, "crashed", "its process was killed") \
	/* ours */ \
	END_REASON(RELOAD_DENIED, "reload_denied", \
	    "a reload denies what it did") \
	END_REASON(SHUTDOWN, "shutdown", "jumpd is stopping") \
	END_REASON(BROKER_GONE, "broker_gone", "the broker process ended") \
	END_REASON(FAULT, "fault", "a system call failed unexpectedly")

enum end_reason {
#define END_REASON(id, label, text) END_##id,
	END_REASONS
#undef END_REASON
	N_END_REASONS
};

const char *end_reason_label(enum end_reason);
const char *end_reason_text(enum end_reason);

#endif
