/* SPDX-License-Identifier: ISC */
#include "proxyd/refusal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* RFC 8446 6 and RFC 6066 3. */
enum {
	ALERT_RECORD = 21,
	ALERT_FATAL = 2,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_MISSING_EXTENSION = 109,
	ALERT_UNRECOGNIZED_NAME = 112
};

#define HOW_HTTP_IS_WRITTEN \
	"It is not HTTP/1.1 as RFC 9112 defines it. The program that sent\n" \
	"it, or something between it and here, is at fault.\n"

#define WE_ARE_BUSY \
	"This is a fault of the front door, not of the site. Please try\n" \
	"again in a moment.\n"

/*
 * What is said in HTTP: the status (0: nothing), what happened if the
 * reason's own text is not for visitors, and what to do about it.  "%s"
 * stands for the host's name.
 */
static const struct answer {
	unsigned	 status;
	const char	*happened;
	const char	*advice;
} answers[N_CLOSE_REASONS] = {
	[CLOSE_PEEK_TIMEOUT] = { 408,
	    "The request did not arrive in time.",
	    "Please try again.\n" },

	[CLOSE_HTTP_NOT_HTTP] = { 400, NULL,
	    "Plain HTTP is spoken here. If you meant HTTPS, it is on another\n"
	    "port, usually 443.\n" },
	[CLOSE_HTTP_REQUEST_LINE] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_VERSION] = { 505, NULL,
	    "Please use HTTP/1.1.\n" },
	[CLOSE_HTTP_H2_PREFACE] = { 505, NULL,
	    "Please use HTTP/1.1 here, or HTTP/2 over TLS.\n" },
	[CLOSE_HTTP_CONNECT] = { 400, NULL,
	    "This is not a forward proxy: it only leads to the sites behind\n"
	    "it.\n" },
	[CLOSE_HTTP_TARGET] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_FIELD] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_OBS_FOLD] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_FIELD_SPACE] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_BARE_CR] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_BARE_LF] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_NUL] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_NO_HOST] = { 400, NULL,
	    "Many sites share this address, so a request must name its site\n"
	    "in a Host field.\n" },
	[CLOSE_HTTP_TWO_HOSTS] = { 400, NULL,
	    "Many sites share this address, so a request must name exactly\n"
	    "one.\n" },
	[CLOSE_HTTP_BAD_HOST] = { 400, NULL,
	    "Host must be the name of the site, with or without a port, and\n"
	    "nothing else. Names with other letters than a-z are written in\n"
	    "their xn-- form.\n" },
	[CLOSE_HTTP_HOST_MISMATCH] = { 400, NULL,
	    "Many sites share this address, so a request must name exactly\n"
	    "one.\n" },
	[CLOSE_HTTP_HOST_ADDRESS] = { 404,
	    "An IP address does not say which site you want.",
	    "Many sites share this address. Please ask for the site by its\n"
	    "name.\n" },
	[CLOSE_HTTP_HEAD_TOO_LONG] = { 431, NULL,
	    "If this happens in a browser, deleting the site's cookies often\n"
	    "helps.\n" },

	[CLOSE_HTTP_BODY_FRAMING] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_CHUNK] = { 400, NULL, HOW_HTTP_IS_WRITTEN },
	[CLOSE_HTTP_MISDIRECTED] = { 421,
	    "This connection leads to another site than %s.",
	    "Please ask for it on a connection of its own; browsers do so by\n"
	    "themselves.\n" },

	[CLOSE_NOT_MAPPED] = { 404,
	    "No site is set up here for %s.",
	    "Visitors: please check the spelling of the name.\n"
	    "\n"
	    "Is it your site? This front door leads from IPv4 to virtual\n"
	    "machines (VMs) that have IPv6 only, and it knows no VM for this\n"
	    "name. Add a mapping from the name to your VM's IPv6 address, or\n"
	    "ask your provider to do so. If there is one, check that the\n"
	    "name's CNAME (or A) record points to the front door that has it,\n"
	    "and that the mapping has exactly this name: with and without\n"
	    "\"www.\" are two names.\n" },
	[CLOSE_TARGET_DENIED] = { 502,
	    "The mapping of %s leads where this front door may not go.",
	    "Is it your site? Check the IPv6 address in its mapping, or ask\n"
	    "your provider.\n" },
	[CLOSE_DIAL_REFUSED] = { 502,
	    "The VM of %s refused the connection.",
	    "It can be reached, but it accepts no connections on this port.\n"
	    "\n"
	    "Is it your site? Check that the web server runs, that it listens\n"
	    "on IPv6 and that no firewall rejects this front door.\n" },
	[CLOSE_DIAL_UNREACHABLE] = { 502,
	    "The VM of %s cannot be reached.",
	    "Please try again later.\n"
	    "\n"
	    "Is it your site? Check that the VM is up, and that the IPv6\n"
	    "address in the mapping is still its own.\n" },
	[CLOSE_DIAL_TIMEOUT] = { 504,
	    "The VM of %s did not answer in time.",
	    "Please try again later.\n"
	    "\n"
	    "Is it your site? Check that the VM is up, that the IPv6 address\n"
	    "in the mapping is still its own and that no firewall drops this\n"
	    "front door's connections.\n" },
	[CLOSE_DIAL_NO_PORT] = { 503,
	    "The front door has no port left to connect to the VM of %s.",
	    WE_ARE_BUSY },

	[CLOSE_LIMIT_NAME] = { 503,
	    "%s has as many connections as it may have.",
	    "Please try again in a moment.\n" },
	[CLOSE_NO_MEMORY] = { 503, "The front door is overloaded.",
	    WE_ARE_BUSY },
	[CLOSE_NO_DESCRIPTORS] = { 503, "The front door is overloaded.",
	    WE_ARE_BUSY },
	[CLOSE_FAULT] = { 503, "The front door could not do its part.",
	    WE_ARE_BUSY }
};

/* RFC 9110 15; 431 is RFC 6585 5. */
static const char *
status_phrase(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 408:
		return "Request Timeout";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	default:
		assert(status == 505);
		return "HTTP Version Not Supported";
	}
}

/* Write `sentence` with the name in place of its "%s", if it has one. */
static size_t
write_sentence(const char *sentence, const char *name, char *out, size_t room)
{
	const char *hole = strstr(sentence, "%s");
	int before = (int)(hole == NULL ? strlen(sentence) :
	    (size_t)(hole - sentence));
	int n = hole == NULL ? snprintf(out, room, "%s", sentence) :
	    snprintf(out, room, "%.*s%s%s", before, sentence,
	    name[0] != '\0' ? name : "this host", hole + 2);

	assert(n > 0 && (size_t)n < room);
	return (size_t)n;
}

/* The body, for people. */
static size_t
write_text(enum close_reason reason, const char *name, char *out, size_t room)
{
	const struct answer *answer = &answers[reason];
	const char *phrase = status_phrase(answer->status);
	size_t len;
	int n;

	n = snprintf(out, room, "%u %s\n\n", answer->status, phrase);
	assert(n > 0 && (size_t)n < room);
	len = (size_t)n;
	if (answer->happened != NULL)
		len += write_sentence(answer->happened, name, out + len,
		    room - len);
	else {
		n = snprintf(out + len, room - len,
		    "This request was not passed on: %s.",
		    close_reason_text(reason));
		assert(n > 0 && (size_t)n < room - len);
		len += (size_t)n;
	}
	n = snprintf(out + len, room - len, "\n\n%s", answer->advice);
	assert(n > 0 && (size_t)n < room - len);
	return len + (size_t)n;
}

size_t
refusal_http(enum close_reason reason, const char *name, bool head_method,
    char out[REFUSAL_MAX])
{
	char text[REFUSAL_MAX];
	size_t text_len;
	unsigned status;
	int n;

	assert(reason < N_CLOSE_REASONS && strlen(name) <= HOSTNAME_MAX);
	status = answers[reason].status;
	if (status == 0)
		return 0;
	text_len = write_text(reason, name, text, sizeof(text));
	n = snprintf(out, REFUSAL_MAX,
	    "HTTP/1.1 %u %s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Cache-Control: no-store\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "%s",
	    status, status_phrase(status), text_len, head_method ? "" : text);
	assert(n > 0 && n < REFUSAL_MAX);
	return (size_t)n;
}

/*
 * What is said in TLS.  The peek's own alert goes first where the hello
 * itself was the trouble.
 */
static const struct alert {
	uint8_t		code;		/* 0: none of our own */
	bool		peek_first;
} alerts[N_CLOSE_REASONS] = {
	[CLOSE_TLS_NOT_TLS] = { 0, true },
	[CLOSE_TLS_BAD_HELLO] = { ALERT_DECODE_ERROR, true },
	[CLOSE_TLS_HELLO_TOO_LONG] = { ALERT_ILLEGAL_PARAMETER, true },
	[CLOSE_TLS_NO_SNI] = { ALERT_MISSING_EXTENSION, true },
	[CLOSE_TLS_BAD_SNI] = { ALERT_ILLEGAL_PARAMETER, true },
	[CLOSE_TLS_SNI_ADDRESS] = { ALERT_ILLEGAL_PARAMETER, true },
	[CLOSE_NOT_MAPPED] = { ALERT_UNRECOGNIZED_NAME, false },
	[CLOSE_TARGET_DENIED] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_DIAL_REFUSED] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_DIAL_UNREACHABLE] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_DIAL_TIMEOUT] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_DIAL_NO_PORT] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_LIMIT_NAME] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_NO_MEMORY] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_NO_DESCRIPTORS] = { ALERT_INTERNAL_ERROR, false },
	[CLOSE_FAULT] = { ALERT_INTERNAL_ERROR, false }
};

size_t
refusal_tls(enum close_reason reason, uint8_t alert, char out[REFUSAL_MAX])
{
	/* TLSPlaintext of an Alert, RFC 8446 5.1 and 6. */
	char record[] = { ALERT_RECORD, 3, 3, 0, 2, ALERT_FATAL, 0 };

	assert(reason < N_CLOSE_REASONS);
	if (!alerts[reason].peek_first || alert == 0)
		alert = alerts[reason].code;
	if (alert == 0)
		return 0;
	record[6] = (char)alert;
	memcpy(out, record, sizeof(record));
	return sizeof(record);
}
