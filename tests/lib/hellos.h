/* SPDX-License-Identifier: ISC */
/*
 * hellos.h - ClientHellos for tests: recorded from real clients, or made by
 * hand, in records of any size.
 */
#ifndef TESTS_LIB_HELLOS_H
#define TESTS_LIB_HELLOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HELLOS_MAX = 64,		/* recorded ones */
	HELLO_OCTETS_MAX = 128 * 1024,	/* of a handshake message */
	FLIGHT_OCTETS_MAX = 6 * HELLO_OCTETS_MAX	/* in records of 1 */
};

struct hello {
	char	 name[64];	/* of its file, without .hex */
	uint8_t	*bytes;		/* owned; the records */
	size_t	 len;
};

/*
 * Read tests/vectors/hello/ (below $srcdir, if that is set), in order.
 * Returns how many there are; aborts if there is none.
 */
size_t hellos_load(struct hello hellos[HELLOS_MAX]);
void hellos_free(struct hello *hellos, size_t n);

/* What a hand-made hello is made of; all zero is a TLS 1.2 hello without
 * extensions. */
struct hello_parts {
	uint16_t	version;	/* legacy_version; 0: 0x0303 */
	size_t		session_id;	/* octets */
	bool		extensions;	/* there are some, with: */
	const char	*server_name;	/* one host_name, or NULL; or: */
	const uint8_t	*sni;		/* the extension's data, or NULL */
	size_t		sni_len;
	bool		sni_twice;
	size_t		key_share;	/* octets of an X25519MLKEM768 share */
	size_t		ech;		/* octets of a GREASE ECH payload */
	size_t		padding;	/* octets of that extension */
	size_t		rubbish;	/* octets after the last field */
};

/* Write the handshake message, header included; returns its length. */
size_t hello_make(const struct hello_parts *,
    uint8_t out[HELLO_OCTETS_MAX]);

/* Take the handshake message out of its records; returns its length. */
size_t hello_message(const uint8_t *flight, size_t len,
    uint8_t out[HELLO_OCTETS_MAX]);

/*
 * Put a handshake message into records of version 3.`minor` that hold `most`
 * octets each or, if `seed` is not 0, a random number up to `most`.  Returns
 * their length.
 */
size_t hello_split(const uint8_t *message, size_t len, uint8_t minor,
    size_t most, uint32_t seed, uint8_t out[FLIGHT_OCTETS_MAX]);

#endif
