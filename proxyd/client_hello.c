/* SPDX-License-Identifier: ISC */
#include "proxyd/client_hello.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/tls1.h>

#include "common/bytes.h"

/* Made by client_hello_init, kept until the process ends. */
static SSL_CTX *parser;		/* owned; NULL before */
static BIO *nowhere;		/* owned; where OpenSSL writes its alerts */

static struct peek
verdict(enum peek_verdict what, enum close_reason reason, uint8_t alert)
{
	return (struct peek){
		.verdict = what, .reason = reason, .alert = alert
	};
}

static struct peek
refuse_name(uint8_t alert)
{
	return verdict(PEEK_REFUSE, CLOSE_TLS_BAD_SNI, alert);
}

static struct peek
peek_name(const uint8_t *name, size_t len)
{
	struct peek peek = { .verdict = PEEK_NAME };

	switch (hostname_normalise(name, len, peek.name, &peek.name_len)) {
	case HOSTNAME_OK:
		return peek;
	case HOSTNAME_IS_ADDRESS:
		return verdict(PEEK_NAMELESS, CLOSE_TLS_SNI_ADDRESS,
		    SSL_AD_UNRECOGNIZED_NAME);
	case HOSTNAME_EMPTY:
		return refuse_name(SSL_AD_DECODE_ERROR);
	case HOSTNAME_TOO_LONG:
	case HOSTNAME_LABEL_EMPTY:
	case HOSTNAME_LABEL_TOO_LONG:
	case HOSTNAME_LABEL_HYPHEN:
	case HOSTNAME_BAD_CHAR:
	case HOSTNAME_NOT_ASCII:
		break;
	}
	return refuse_name(SSL_AD_ILLEGAL_PARAMETER);
}

/*
 * Read the server_name extension (RFC 6066 3).  Lengths that do not add up
 * are a decode_error; a list other than one host_name is an
 * illegal_parameter: no other type was ever defined, and the VM might see
 * another name than the one we route by.
 */
static struct peek
read_server_name(const uint8_t *data, size_t len)
{
	struct bytes extension = bytes_of(data, len);
	struct bytes list, name;
	uint8_t type;

	list = bytes_take(&extension, bytes_u16(&extension));
	type = bytes_u8(&list);
	if (type != TLSEXT_NAMETYPE_host_name && !list.failed)
		return refuse_name(SSL_AD_ILLEGAL_PARAMETER);
	name = bytes_take(&list, bytes_u16(&list));
	if (name.failed || extension.left > 0)
		return refuse_name(SSL_AD_DECODE_ERROR);
	if (list.left > 0)
		return refuse_name(SSL_AD_ILLEGAL_PARAMETER);
	return peek_name(name.at, name.left);
}

/* RFC 7301 3.1: a list of protocol ids.  Malformed, it is the VM's matter. */
static void
read_alpn(const uint8_t *data, size_t len, struct peek *peek)
{
	struct bytes extension = bytes_of(data, len);
	struct bytes list, id;

	list = bytes_take(&extension, bytes_u16(&extension));
	id = bytes_take(&list, bytes_u8(&list));
	if (id.failed || id.left > sizeof(peek->alpn))
		return;
	memcpy(peek->alpn, id.at, id.left);
	peek->alpn_len = (uint8_t)id.left;
}

/* The hello was parsed: take what is wanted and stop the handshake. */
static int
on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct peek *peek = SSL_get_app_data(ssl);
	const unsigned char *data;
	size_t len;

	(void)alert, (void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data,
	    &len))
		*peek = read_server_name(data, len);
	else
		*peek = verdict(PEEK_NAMELESS, CLOSE_TLS_NO_SNI,
		    SSL_AD_MISSING_EXTENSION);
	if (peek->verdict != PEEK_REFUSE &&
	    SSL_client_hello_get0_ext(ssl,
		TLSEXT_TYPE_application_layer_protocol_negotiation, &data,
		&len))
		read_alpn(data, len, peek);
	return SSL_CLIENT_HELLO_RETRY;
}

/* OpenSSL did not like the hello and says so to the client. */
static void
on_info(const SSL *ssl, int where, int value)
{
	struct peek *peek = SSL_get_app_data(ssl);

	if (where == SSL_CB_WRITE_ALERT)
		peek->alert = (uint8_t)(value & 0xff);
}

bool
client_hello_init(void)
{
	if (parser != NULL)
		return true;
	/* The host's openssl.cnf is for programs that make handshakes. */
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return false;
	nowhere = BIO_new(BIO_s_null());
	parser = SSL_CTX_new(TLS_server_method());
	if (nowhere == NULL || parser == NULL) {
		BIO_free(nowhere);
		SSL_CTX_free(parser);
		parser = NULL;
		return false;
	}
	SSL_CTX_set_client_hello_cb(parser, on_client_hello, NULL);
	SSL_CTX_set_info_callback(parser, on_info);
	return true;
}

struct peek
client_hello_read(const uint8_t *bytes, size_t len)
{
	struct peek peek;
	BIO *hello;
	SSL *ssl;

	assert(parser != NULL && len <= INT_MAX);
	ERR_clear_error();
	peek = verdict(PEEK_REFUSE, CLOSE_NO_MEMORY, SSL_AD_INTERNAL_ERROR);
	hello = BIO_new_mem_buf(bytes, (int)len);
	ssl = SSL_new(parser);
	if (hello == NULL || ssl == NULL || !SSL_set_app_data(ssl, &peek)) {
		BIO_free(hello);
		goto out;
	}
	SSL_set0_rbio(ssl, hello);
	BIO_up_ref(nowhere);
	SSL_set0_wbio(ssl, nowhere);
	peek = verdict(PEEK_REFUSE, CLOSE_TLS_BAD_HELLO, SSL_AD_DECODE_ERROR);
	SSL_accept(ssl);	/* the callbacks write to `peek` */
	if (peek.alert == SSL_AD_INTERNAL_ERROR)
		peek.reason = CLOSE_NO_MEMORY;
out:
	SSL_free(ssl);
	ERR_clear_error();
	return peek;
}

const char *
client_hello_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
