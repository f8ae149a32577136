/* SPDX-License-Identifier: ISC */
/*
 * close_reasons.h - why a connection ended: one list makes the enum, the
 * counter's label and the text.
 *
 * CLOSE_REASON(id, label, text): the label is for logs and metrics and never
 * changes its meaning; the text completes "connection ended: ...".
 */
#ifndef PROXYD_CLOSE_REASONS_H
#define PROXYD_CLOSE_REASONS_H

#define CLOSE_REASONS \
	CLOSE_REASON(NONE, "none", "it has not ended") \
	/* the ordinary ends */ \
	CLOSE_REASON(DONE, "done", "both sides finished") \
	CLOSE_REASON(CLIENT_RESET, "client_reset", "the client reset it") \
	CLOSE_REASON(VM_RESET, "vm_reset", "the VM reset it") \
	CLOSE_REASON(IDLE, "idle", "no bytes for too long") \
	CLOSE_REASON(DRAIN_TIMEOUT, "drain_timeout", \
	    "one side finished and the other did not in time") \
	CLOSE_REASON(MAPPING_CHANGED, "mapping_changed", \
	    "its name leads elsewhere since a reload") \
	CLOSE_REASON(SHUTDOWN, "shutdown", "proxyd is stopping") \
	/* before a name was known */ \
	CLOSE_REASON(CLIENT_SILENT, "client_silent", \
	    "the client sent nothing in time") \
	CLOSE_REASON(CLIENT_LEFT, "client_left", \
	    "the client left before naming a host") \
	CLOSE_REASON(PEEK_TIMEOUT, "peek_timeout", \
	    "the client did not name a host in time") \
	/* HTTP heads that are refused */ \
	CLOSE_REASON(HTTP_NOT_HTTP, "http_not_http", "not an HTTP request") \
	CLOSE_REASON(HTTP_REQUEST_LINE, "http_request_line", \
	    "malformed request line") \
	CLOSE_REASON(HTTP_VERSION, "http_version", \
	    "an HTTP version other than 1.0 and 1.1") \
	CLOSE_REASON(HTTP_H2_PREFACE, "http_h2_preface", \
	    "HTTP/2 without TLS, which names no host up front") \
	CLOSE_REASON(HTTP_CONNECT, "http_connect", "the CONNECT method") \
	CLOSE_REASON(HTTP_TARGET, "http_target", "malformed request target") \
	CLOSE_REASON(HTTP_FIELD, "http_field", "malformed header field") \
	CLOSE_REASON(HTTP_OBS_FOLD, "http_obs_fold", \
	    "a header field folded over lines") \
	CLOSE_REASON(HTTP_FIELD_SPACE, "http_field_space", \
	    "white space before a field name or its colon") \
	CLOSE_REASON(HTTP_BARE_CR, "http_bare_cr", "a CR without LF") \
	CLOSE_REASON(HTTP_BARE_LF, "http_bare_lf", "an LF without CR") \
	CLOSE_REASON(HTTP_NUL, "http_nul", "a NUL or other control octet") \
	CLOSE_REASON(HTTP_NO_HOST, "http_no_host", "no Host field") \
	CLOSE_REASON(HTTP_TWO_HOSTS, "http_two_hosts", \
	    "more than one Host field") \
	CLOSE_REASON(HTTP_BAD_HOST, "http_bad_host", "malformed Host") \
	CLOSE_REASON(HTTP_HOST_MISMATCH, "http_host_mismatch", \
	    "the request target and Host name different hosts") \
	CLOSE_REASON(HTTP_HOST_ADDRESS, "http_host_address", \
	    "Host is an IP address, not a name") \
	CLOSE_REASON(HTTP_HEAD_TOO_LONG, "http_head_too_long", \
	    "the request head is too long") \
	/* HTTP after a good head */ \
	CLOSE_REASON(HTTP_BODY_FRAMING, "http_body_framing", \
	    "a request body whose length is ambiguous") \
	CLOSE_REASON(HTTP_CHUNK, "http_chunk", \
	    "malformed chunked request body") \
	CLOSE_REASON(HTTP_ANSWER, "http_answer", \
	    "the VM's answer has no end that can be known") \
	CLOSE_REASON(HTTP_MISDIRECTED, "http_misdirected", \
	    "a later request named a host of another VM") \
	/* ClientHellos that are refused */ \
	CLOSE_REASON(TLS_NOT_TLS, "tls_not_tls", "not TLS") \
	CLOSE_REASON(TLS_BAD_HELLO, "tls_bad_hello", \
	    "malformed ClientHello") \
	CLOSE_REASON(TLS_HELLO_TOO_LONG, "tls_hello_too_long", \
	    "the ClientHello is too long") \
	CLOSE_REASON(TLS_NO_SNI, "tls_no_sni", "no server name (SNI)") \
	CLOSE_REASON(TLS_BAD_SNI, "tls_bad_sni", "malformed server name (SNI)") \
	CLOSE_REASON(TLS_SNI_ADDRESS, "tls_sni_address", \
	    "the server name (SNI) is an IP address") \
	/* limits, and who may speak for others */ \
	CLOSE_REASON(LIMIT_TOTAL, "limit_total", \
	    "limits.connections is reached") \
	CLOSE_REASON(LIMIT_CLIENT, "limit_client", \
	    "the client has limits.per_client connections") \
	CLOSE_REASON(LIMIT_CLIENT_RATE, "limit_client_rate", \
	    "the client comes more often than limits.rate_per_client") \
	CLOSE_REASON(LIMIT_NAME, "limit_name", \
	    "the name has limits.per_name connections") \
	CLOSE_REASON(PROXY_DENIED, "proxy_denied", \
	    "the peer is not in the listener's accept_proxy") \
	CLOSE_REASON(PROXY_HEADER, "proxy_header", \
	    "the peer sent no good PROXY header") \
	/* between the name and the VM */ \
	CLOSE_REASON(NOT_MAPPED, "not_mapped", "no such name is mapped here") \
	CLOSE_REASON(TARGET_DENIED, "target_denied", \
	    "the target is outside allow_targets") \
	CLOSE_REASON(DIAL_REFUSED, "dial_refused", \
	    "the VM refused the connection") \
	CLOSE_REASON(DIAL_UNREACHABLE, "dial_unreachable", \
	    "the VM cannot be reached") \
	CLOSE_REASON(DIAL_TIMEOUT, "dial_timeout", \
	    "the VM did not answer in time") \
	CLOSE_REASON(DIAL_NO_PORT, "dial_no_port", \
	    "no source port is left for the VM") \
	/* ours */ \
	CLOSE_REASON(NO_MEMORY, "no_memory", "out of memory") \
	CLOSE_REASON(NO_DESCRIPTORS, "no_descriptors", "out of descriptors") \
	CLOSE_REASON(FAULT, "fault", "a system call failed unexpectedly")

enum close_reason {
#define CLOSE_REASON(id, label, text) CLOSE_##id,
	CLOSE_REASONS
#undef CLOSE_REASON
	N_CLOSE_REASONS
};

const char *close_reason_label(enum close_reason);
const char *close_reason_text(enum close_reason);

#endif
