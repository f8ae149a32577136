/* SPDX-License-Identifier: ISC */
/*
 * dns_message.h - the one question we ask name servers (RFC 1035, RFC 3596):
 * which IPv6 addresses has this name?
 *
 * No EDNS: answers that do not fit 512 octets come truncated and are asked for
 * again over TCP.  CNAMEs are followed inside the answer, as resolvers put
 * them there.  Pure.
 */
#ifndef JUMPD_DNS_MESSAGE_H
#define JUMPD_DNS_MESSAGE_H

#include "common/addr.h"

enum {
	DNS_QUERY_MAX = 12 + 255 + 4,	/* octets */
	DNS_ANSWER_MAX = 8192,		/* octets of an answer we read */
	DNS_ADDRESSES_MAX = 16,
	DNS_CHAIN_MAX = 12		/* CNAMEs that are followed */
};

enum dns_answer {
	DNS_ADDRESSES,		/* there are some */
	DNS_NO_NAME,		/* no such name (NXDOMAIN) */
	DNS_NO_ADDRESS,		/* the name has no IPv6 address */
	DNS_TRUNCATED,		/* ask again over TCP */
	DNS_FAILED,		/* the server failed or refuses */
	DNS_NOT_OURS		/* not a well-formed answer to this question:
				 * wait for another */
};

struct dns_addresses {
	unsigned	n;		/* 1-DNS_ADDRESSES_MAX; more are left
					 * out */
	struct addr	addr[DNS_ADDRESSES_MAX];
};

/* Write the question for a normalised name (hostname.h); returns the length,
 * which is never 0. */
size_t dns_query_write(const char *name, size_t len, uint16_t id,
    uint8_t out[DNS_QUERY_MAX]);

/*
 * Read an answer to that question.  *ret is set only on DNS_ADDRESSES.
 */
enum dns_answer dns_answer_read(const void *bytes, size_t len,
    const char *name, size_t name_len, uint16_t id,
    struct dns_addresses *ret);

#endif
