/* SPDX-License-Identifier: ISC */
/*
 * deny_reasons.h - why something was refused: one list makes the enum, the
 * counter's label and the text.
 *
 * DENY_REASON(id, label, text): the label is for logs and metrics and never
 * changes its meaning.  The text is a sentence fragment that a user may see:
 * "refused: " comes before it.  It tells no secrets: which keys and users there
 * are is in no text of the logins.
 */
#ifndef JUMPD_DENY_REASONS_H
#define JUMPD_DENY_REASONS_H

#include <stdint.h>

/* Connections, before anything is spent on them (source_table.h). */
#define DENY_REASONS_CONNECTION \
	DENY_REASON(TOTAL, "limit_total", \
	    "limits.connections is reached") \
	DENY_REASON(HALF_OPEN, "limit_half_open", \
	    "too many connections have not logged in yet") \
	DENY_REASON(SOURCE_HALF_OPEN, "limit_source_half_open", \
	    "too many connections of the client have not logged in yet") \
	DENY_REASON(SOURCE_CONNECTIONS, "limit_source", \
	    "the client has limits.per_source connections") \
	DENY_REASON(SOURCE_RATE, "limit_source_rate", \
	    "the client comes more often than limits.rate_per_source") \
	DENY_REASON(PENALTY, "penalty", \
	    "the client failed too often and has to wait") \
	DENY_REASON(SHED, "shed", \
	    "it had not logged in when others needed its place") \
	DENY_REASON(TABLE_FULL, "table_full", \
	    "no room to remember another client")

/* Logins: told to the log, never to the user. */
#define DENY_REASONS_LOGIN \
	DENY_REASON(USER_UNKNOWN, "user_unknown", "no such user") \
	DENY_REASON(METHOD, "method", \
	    "the user may not log in by this method") \
	DENY_REASON(KEY_MALFORMED, "key_malformed", "malformed public key") \
	DENY_REASON(KEY_TYPE, "key_type", "a key type that is not accepted") \
	DENY_REASON(KEY_WEAK, "key_weak", "an RSA key that is too short") \
	DENY_REASON(KEY_UNKNOWN, "key_unknown", "no such key") \
	DENY_REASON(KEY_REVOKED, "key_revoked", "the key is revoked") \
	DENY_REASON(KEY_EXPIRED, "key_expired", "the key has expired") \
	DENY_REASON(KEY_FROM, "key_from", \
	    "the key does not hold for this client address") \
	DENY_REASON(KEY_OPTION, "key_option", \
	    "the key has an option that cannot be honoured") \
	DENY_REASON(KEY_NO_FORWARDING, "key_no_forwarding", \
	    "the key does not permit port forwarding") \
	DENY_REASON(KEY_COMMAND, "key_command", \
	    "authorized_keys_command failed") \
	DENY_REASON(KEY_BUSY, "key_busy", \
	    "too many runs of authorized_keys_command") \
	DENY_REASON(CERT_MALFORMED, "cert_malformed", \
	    "malformed certificate") \
	DENY_REASON(CERT_NOT_USER, "cert_not_user", \
	    "not a user certificate") \
	DENY_REASON(CERT_CA_UNKNOWN, "cert_ca_unknown", \
	    "no trusted CA signed the certificate") \
	DENY_REASON(CERT_CA_TYPE, "cert_ca_type", \
	    "a CA key or signature type that is not accepted") \
	DENY_REASON(CERT_SIGNATURE, "cert_signature", \
	    "the certificate's signature is wrong") \
	DENY_REASON(CERT_NOT_YET, "cert_not_yet", \
	    "the certificate is not valid yet") \
	DENY_REASON(CERT_EXPIRED, "cert_expired", \
	    "the certificate has expired") \
	DENY_REASON(CERT_NO_PRINCIPALS, "cert_no_principals", \
	    "the certificate names no principals") \
	DENY_REASON(CERT_PRINCIPAL, "cert_principal", \
	    "the certificate is for other principals") \
	DENY_REASON(CERT_CRITICAL, "cert_critical", \
	    "the certificate has a critical option that cannot be honoured") \
	DENY_REASON(CERT_SOURCE, "cert_source", \
	    "the certificate does not hold for this client address") \
	DENY_REASON(CERT_REVOKED, "cert_revoked", \
	    "the certificate or its CA is revoked") \
	DENY_REASON(CERT_NO_FORWARDING, "cert_no_forwarding", \
	    "the certificate does not permit port forwarding") \
	DENY_REASON(TOUCH, "touch", \
	    "a security key whose touch cannot be verified") \
	DENY_REASON(BAD_SIGNATURE, "bad_signature", \
	    "the client's signature is wrong") \
	DENY_REASON(ATTEMPTS, "attempts", "too many attempts to log in") \
	DENY_REASON(NOT_LOGGED_IN, "not_logged_in", "not logged in") \
	DENY_REASON(ALREADY_LOGGED_IN, "already_logged_in", \
	    "logged in already")

/* Channels: what was asked for. */
#define DENY_REASONS_TARGET \
	DENY_REASON(TARGET_SYNTAX, "target_syntax", \
	    "the target is neither an IPv6 address nor a host name") \
	DENY_REASON(TARGET_IPV4, "target_ipv4", \
	    "the target is an IPv4 address; only IPv6 can be reached") \
	DENY_REASON(TARGET_ZONE, "target_zone", \
	    "an address with a zone means nothing here") \
	DENY_REASON(TARGET_PORT, "target_port", \
	    "the port is not in 1-65535") \
	DENY_REASON(POLICY, "policy", \
	    "this address and port are not allowed here") \
	DENY_REASON(POLICY_DENIED, "policy_denied", \
	    "this address and port are denied here") \
	DENY_REASON(SPECIAL, "special", \
	    "the address is in a special-purpose range") \
	DENY_REASON(NAT64, "nat64", \
	    "the address is in a NAT64 prefix: it stands for IPv4") \
	DENY_REASON(EMBED, "embed", \
	    "the address stands for an IPv4 client") \
	DENY_REASON(OWN_LISTENER, "own_listener", \
	    "the target is this jump host itself") \
	DENY_REASON(OWN_ADDRESS, "own_address", \
	    "the address is one of this jump host") \
	DENY_REASON(PERMITOPEN, "permitopen", \
	    "your key does not permit this target") \
	DENY_REASON(EXPIRED, "expired", \
	    "your key or certificate has expired meanwhile")

/* Channels: names. */
#define DENY_REASONS_NAME \
	DENY_REASON(NAME_UNKNOWN, "name_unknown", "no such name") \
	DENY_REASON(NAME_NO_IPV6, "name_no_ipv6", \
	    "the name has no IPv6 address") \
	DENY_REASON(DNS_FAILED, "dns_failed", "the name servers failed") \
	DENY_REASON(DNS_TIMEOUT, "dns_timeout", \
	    "the name servers did not answer in time") \
	DENY_REASON(DNS_OFF, "dns_off", \
	    "the name is not in the mapping, and DNS is not used")

/* Channels: connecting. */
#define DENY_REASONS_DIAL \
	DENY_REASON(DIAL_REFUSED, "dial_refused", \
	    "the target refused the connection") \
	DENY_REASON(DIAL_UNREACHABLE, "dial_unreachable", \
	    "the target cannot be reached") \
	DENY_REASON(DIAL_TIMEOUT, "dial_timeout", \
	    "the target did not answer in time") \
	DENY_REASON(DIAL_NO_PORT, "dial_no_port", \
	    "no source port is left for the target")

/* Channels: limits (scan_guard.h, and what the broker holds at once). */
#define DENY_REASONS_LIMIT \
	DENY_REASON(SESSION_CHANNELS, "limit_session_channels", \
	    "too many channels are open in this session") \
	DENY_REASON(SESSION_OPENS, "limit_session_opens", \
	    "this session has opened too many channels") \
	DENY_REASON(SOURCE_OPENS, "limit_source_opens", \
	    "too many channels were opened from your address") \
	DENY_REASON(SOURCE_TARGETS, "limit_source_targets", \
	    "too many different targets were asked for from your address") \
	DENY_REASON(SOURCE_FAILED_DIALS, "limit_source_failed_dials", \
	    "too many connections from your address failed") \
	DENY_REASON(TARGET_OPENS, "limit_target_opens", \
	    "too many new connections to this target") \
	DENY_REASON(SOURCE_TARGET_OPENS, "limit_source_target_opens", \
	    "too many new connections from your address to this target") \
	DENY_REASON(SESSION_PENDING, "limit_session_pending", \
	    "too many connections of this session are being opened") \
	DENY_REASON(SOURCE_PENDING, "limit_source_pending", \
	    "too many connections from your address are being opened") \
	DENY_REASON(PENDING, "limit_pending", \
	    "too many connections are being opened")

/* Whatever is not direct-tcpip. */
#define DENY_REASONS_REQUEST \
	DENY_REASON(SESSION_REQUEST, "session_request", \
	    "there are no shells and commands here; use ssh -J") \
	DENY_REASON(X11, "x11", "there is no X11 forwarding here") \
	DENY_REASON(AGENT, "agent", "there is no agent forwarding here") \
	DENY_REASON(REMOTE_FORWARD, "remote_forward", \
	    "there is no remote forwarding here") \
	DENY_REASON(STREAMLOCAL, "streamlocal", \
	    "there is no forwarding to UNIX sockets here") \
	DENY_REASON(OTHER_REQUEST, "other_request", \
	    "only direct-tcpip channels are opened here")

/* Ours. */
#define DENY_REASONS_OURS \
	DENY_REASON(DRAINING, "draining", "this jump host is stopping") \
	DENY_REASON(PROTOCOL, "protocol", \
	    "a message between our processes was malformed") \
	DENY_REASON(NO_MEMORY, "no_memory", "out of memory") \
	DENY_REASON(NO_DESCRIPTORS, "no_descriptors", "out of descriptors") \
	DENY_REASON(FAULT, "fault", "a system call failed unexpectedly")

#define DENY_REASONS \
	DENY_REASON(NONE, "none", "it was not refused") \
	DENY_REASONS_CONNECTION \
	DENY_REASONS_LOGIN \
	DENY_REASONS_TARGET \
	DENY_REASONS_NAME \
	DENY_REASONS_DIAL \
	DENY_REASONS_LIMIT \
	DENY_REASONS_REQUEST \
	DENY_REASONS_OURS

enum deny_reason {
#define DENY_REASON(id, label, text) DENY_##id,
	DENY_REASONS
#undef DENY_REASON
	N_DENY_REASONS
};

const char *deny_reason_label(enum deny_reason);
const char *deny_reason_text(enum deny_reason);

#endif
