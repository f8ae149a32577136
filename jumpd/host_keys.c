/* SPDX-License-Identifier: ISC */
#include "jumpd/host_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What is offered, in our order.  libssh leaves out what it does not know:
 * the post-quantum exchanges come with 0.12.  Finite fields and SHA-1 are
 * not offered: the former cost an attacker less than us.
 */
#define KEY_EXCHANGES \
	"mlkem768x25519-sha256," \
	"sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com," \
	"curve25519-sha256,curve25519-sha256@libssh.org," \
	"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521"
#define CIPHERS \
	"chacha20-poly1305@openssh.com,aes256-gcm@openssh.com," \
	"aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define MACS \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com," \
	"hmac-sha2-256,hmac-sha2-512"
/* Signatures that users may log in with; also sent as server-sig-algs. */
#define USER_SIGNATURES \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com," \
	"sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"
#define HOST_SIGNATURES \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"

enum { RSA_BITS_MIN = 2048, WARM_TURNS_MAX = 1000 };

struct host_keys {
	ssh_bind	bind;		/* owned; has the private keys */
	ssh_key		public[N_HOST_KEY_TYPES];	/* owned; or NULL */
};

const char *
host_key_type_name(enum host_key_type type)
{
	static const char *const names[N_HOST_KEY_TYPES] = { "ed25519",
		"ecdsa", "rsa" };

	return names[type];
}

static bool
is_of_type(ssh_key key, enum host_key_type type)
{
	switch ((int)ssh_key_type(key)) {
	case SSH_KEYTYPE_ED25519:
		return type == HOST_KEY_ED25519;
	case SSH_KEYTYPE_ECDSA_P256:
	case SSH_KEYTYPE_ECDSA_P384:
	case SSH_KEYTYPE_ECDSA_P521:
		return type == HOST_KEY_ECDSA;
	case SSH_KEYTYPE_RSA:
		return type == HOST_KEY_RSA;
	default:
		return false;
	}
}

/* What is wrong with the file, or NULL. */
static const char *
file_problem(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_mode & 077)
		return "others may read it: chmod 600";
	if (access(path, R_OK) != 0)
		return strerror(errno);
	return NULL;
}

static const char *
load_one(struct host_keys *keys, const char *path, enum host_key_type type)
{
	const char *problem = file_problem(path);
	ssh_key key = NULL;

	if (problem != NULL)
		return problem;
	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) !=
	    SSH_OK)
		return "not a private key without a passphrase";
	if (!is_of_type(key, type)) {
		ssh_key_free(key);
		return "a key of another type";
	}
	/* The key is libssh's from here on, if all goes well. */
	if (ssh_pki_export_privkey_to_pubkey(key, &keys->public[type]) !=
	    SSH_OK || ssh_bind_options_set(keys->bind,
	    SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK) {
		ssh_key_free(key);
		return "libssh does not take it";
	}
	return NULL;
}

static bool
set_options(ssh_bind bind)
{
	static const struct {
		enum ssh_bind_options_e option;
		const char *value;
	} options[] = {
		{ SSH_BIND_OPTIONS_KEY_EXCHANGE, KEY_EXCHANGES },
		{ SSH_BIND_OPTIONS_CIPHERS_C_S, CIPHERS },
		{ SSH_BIND_OPTIONS_CIPHERS_S_C, CIPHERS },
		{ SSH_BIND_OPTIONS_HMAC_C_S, MACS },
		{ SSH_BIND_OPTIONS_HMAC_S_C, MACS },
		{ SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES,
		    USER_SIGNATURES },
		{ SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, HOST_SIGNATURES },
	};
	bool no = false;
	int bits = RSA_BITS_MIN;
	size_t i;

	/* Else it reads the system's configuration at the first session. */
	if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG,
	    &no) != SSH_OK || ssh_bind_options_set(bind,
	    SSH_BIND_OPTIONS_RSA_MIN_SIZE, &bits) != SSH_OK)
		return false;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ssh_bind_options_set(bind, options[i].option,
		    options[i].value) != SSH_OK)
			return false;
	return true;
}

struct host_keys *
host_keys_load(const char *const path[N_HOST_KEY_TYPES], char *problem,
    size_t room, enum host_key_type *ret_type)
{
	struct host_keys *keys = calloc(1, sizeof(*keys));
	const char *why = NULL;
	enum host_key_type type;

	ssh_init();
	if (keys != NULL)
		keys->bind = ssh_bind_new();
	if (keys == NULL || keys->bind == NULL || !set_options(keys->bind)) {
		snprintf(problem, room, "libssh cannot be set up");
		*ret_type = HOST_KEY_ED25519;
		host_keys_free(keys);
		return NULL;
	}
	for (type = 0; type < N_HOST_KEY_TYPES && why == NULL; type++) {
		if (path[type][0] == '\0')
			continue;
		why = load_one(keys, path[type], type);
		if (why == NULL)
			continue;
		snprintf(problem, room, "%s: %s", path[type], why);
		*ret_type = type;
	}
	if (why == NULL)
		return keys;
	host_keys_free(keys);
	return NULL;
}

void
host_keys_free(struct host_keys *keys)
{
	enum host_key_type type;

	if (keys == NULL)
		return;
	for (type = 0; type < N_HOST_KEY_TYPES; type++)
		ssh_key_free(keys->public[type]);
	ssh_bind_free(keys->bind);
	free(keys);
}

bool
host_keys_accept(struct host_keys *keys, ssh_session session, int fd)
{
	return ssh_bind_accept_fd(keys->bind, session, fd) == SSH_OK;
}

/* --- warming -------------------------------------------------------------- */

static ssh_session
own_client(int fd, const char *host_key, const char *cipher)
{
	ssh_session client = ssh_new();
	bool no = false;

	if (client == NULL)
		return NULL;
	if (ssh_options_set(client, SSH_OPTIONS_PROCESS_CONFIG, &no) ==
	    SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_HOST, "localhost") == SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_USER, "nobody") == SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_FD, &fd) == SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_HOSTKEYS, host_key) ==
	    SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_CIPHERS_C_S, cipher) ==
	    SSH_OK &&
	    ssh_options_set(client, SSH_OPTIONS_CIPHERS_S_C, cipher) ==
	    SSH_OK) {
		ssh_set_blocking(client, 0);
		return client;
	}
	ssh_free(client);
	return NULL;
}

static bool
exchange(struct host_keys *keys, ssh_session server, int pair[2],
    const char *host_key, const char *cipher)
{
	ssh_session client = own_client(pair[1], host_key, cipher);
	int i, here = SSH_AGAIN, there = SSH_AGAIN;

	if (client == NULL)
		return false;
	ssh_set_blocking(server, 0);
	if (!host_keys_accept(keys, server, pair[0])) {
		ssh_free(client);
		return false;
	}
	for (i = 0; i < WARM_TURNS_MAX; i++) {
		if (there == SSH_AGAIN)
			there = ssh_connect(client);
		if (here == SSH_AGAIN)
			here = ssh_handle_key_exchange(server);
		if (here != SSH_AGAIN && there != SSH_AGAIN)
			break;
	}
	ssh_free(client);
	return here == SSH_OK && there == SSH_OK;
}

static bool
warm_one(struct host_keys *keys, const char *host_key, const char *cipher)
{
	ssh_session server = ssh_new();
	int pair[2];
	bool ok;

	if (server == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, pair) != 0) {
		ssh_free(server);
		return false;
	}
	ok = exchange(keys, server, pair, host_key, cipher);
	ssh_free(server);
	/* libssh leaves a client's descriptor to whoever gave it. */
	close(pair[1]);
	return ok;
}

static const char *
signature_of(const struct host_keys *keys, enum host_key_type type)
{
	static const char *const ecdsa[] = { "ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521" };

	switch (type) {
	case HOST_KEY_ED25519:
		return "ssh-ed25519";
	case HOST_KEY_RSA:
		return "rsa-sha2-512";
	case HOST_KEY_ECDSA:
	case N_HOST_KEY_TYPES:
		break;
	}
	return ecdsa[ssh_key_type(keys->public[HOST_KEY_ECDSA]) -
	    SSH_KEYTYPE_ECDSA_P256];
}

bool
host_keys_warm(struct host_keys *keys)
{
	static const char *const ciphers[] = {
		"chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com",
		"aes128-ctr" };
	enum host_key_type type;
	size_t i;

	for (type = 0; type < N_HOST_KEY_TYPES; type++)
		for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
			if (keys->public[type] != NULL && !warm_one(keys,
			    signature_of(keys, type), ciphers[i]))
				return false;
	return true;
}

/* --- for people ----------------------------------------------------------- */

char *
host_keys_fingerprint(const struct host_keys *keys, enum host_key_type type)
{
	unsigned char *hash = NULL;
	char *ours = NULL, *text;
	size_t len;

	if (keys->public[type] == NULL ||
	    ssh_get_publickey_hash(keys->public[type],
	    SSH_PUBLICKEY_HASH_SHA256, &hash, &len) != 0)
		return NULL;
	text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
	if (text != NULL)
		ours = strdup(text);
	ssh_string_free_char(text);
	ssh_clean_pubkey_hash(&hash);
	return ours;
}

const char *
host_keys_library(void)
{
	return ssh_version(0);
}
