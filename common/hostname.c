/* SPDX-License-Identifier: ISC */
#include "common/hostname.h"

#include <assert.h>
#include <string.h>

#include "common/addr.h"

enum { LABEL_MAX = 63 };	/* RFC 1035 2.3.4 */

/* Octets of a name as they stand in a normalised one; 0: none. */
static const char in_name[256] = {
	['-'] = '-', ['_'] = '_',
	['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l',
	'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l',
	'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z'
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static enum hostname_error
check_label(const char *label, size_t len)
{
	if (len == 0)
		return HOSTNAME_LABEL_EMPTY;
	if (len > LABEL_MAX)
		return HOSTNAME_LABEL_TOO_LONG;
	if (label[0] == '-' || label[len - 1] == '-')
		return HOSTNAME_LABEL_HYPHEN;
	return HOSTNAME_OK;
}

/* A last label of digits, or 0x and hexadecimal digits, makes a number. */
static bool
label_is_number(const char *label, size_t len)
{
	bool hex = len >= 2 && label[0] == '0' && label[1] == 'x';
	size_t i;

	for (i = hex ? 2 : 0; i < len; i++)
		if (hex ? !is_hex(label[i]) : !is_digit(label[i]))
			return false;
	return true;
}

/* Copy `len` octets in lower case and check every label.  An octet that no
 * name has is told before anything else. */
static enum hostname_error
copy_name(const uint8_t *bytes, size_t len, char *out)
{
	enum hostname_error error = HOSTNAME_OK;
	size_t i = 0, label = 0;

	for (;;) {
		while (i < len && (out[i] = in_name[bytes[i]]) != '\0')
			i++;
		if (i < len && bytes[i] != '.')
			return bytes[i] >= 0x80 ? HOSTNAME_NOT_ASCII :
						  HOSTNAME_BAD_CHAR;
		if (error == HOSTNAME_OK)
			error = check_label(out + label, i - label);
		if (i == len)
			break;
		out[i++] = '.';
		label = i;
	}
	if (error == HOSTNAME_OK && label_is_number(out + label, len - label))
		return HOSTNAME_IS_ADDRESS;
	return error;
}

/* An address literal, in brackets or not. */
static bool
is_literal(const uint8_t *bytes, size_t len)
{
	struct addr addr;

	if (len >= 2 && bytes[0] == '[' && bytes[len - 1] == ']') {
		bytes++;
		len -= 2;
	}
	return addr_parse((const char *)bytes, len, &addr);
}

enum hostname_error
hostname_normalise(const uint8_t *bytes, size_t len,
    char out[HOSTNAME_MAX + 1], size_t *ret_len)
{
	char name[HOSTNAME_MAX];
	enum hostname_error error;
	size_t name_len;

	if (len == 0)
		return HOSTNAME_EMPTY;
	name_len = len - (len > 1 && bytes[len - 1] == '.');	/* the root's */
	if (name_len > HOSTNAME_MAX)
		return HOSTNAME_TOO_LONG;
	error = copy_name(bytes, name_len, name);
	if (error != HOSTNAME_OK)
		/* No literal is a name as well. */
		return is_literal(bytes, len) ? HOSTNAME_IS_ADDRESS : error;
	memcpy(out, name, name_len);
	out[name_len] = '\0';
	*ret_len = name_len;
	return HOSTNAME_OK;
}

enum hostname_error
hostname_normalise_pattern(const uint8_t *bytes, size_t len,
    char out[HOSTNAME_MAX + 1], size_t *ret_len)
{
	char name[HOSTNAME_MAX + 1];
	enum hostname_error error;
	size_t name_len;

	if (len < 2 || bytes[0] != '*' || bytes[1] != '.')
		return hostname_normalise(bytes, len, out, ret_len);
	error = hostname_normalise(bytes + 2, len - 2, name, &name_len);
	if (error != HOSTNAME_OK)
		return error == HOSTNAME_EMPTY ? HOSTNAME_LABEL_EMPTY : error;
	if (name_len + 2 > HOSTNAME_MAX)
		return HOSTNAME_TOO_LONG;
	out[0] = '*';
	out[1] = '.';
	memcpy(out + 2, name, name_len + 1);
	*ret_len = name_len + 2;
	return HOSTNAME_OK;
}

const char *
hostname_strerror(enum hostname_error error)
{
	switch (error) {
	case HOSTNAME_OK:
		return "nothing is wrong";
	case HOSTNAME_EMPTY:
		return "is empty";
	case HOSTNAME_TOO_LONG:
		return "is longer than 253 octets";
	case HOSTNAME_LABEL_EMPTY:
		return "has an empty label";
	case HOSTNAME_LABEL_TOO_LONG:
		return "has a label longer than 63 octets";
	case HOSTNAME_LABEL_HYPHEN:
		return "has a label that begins or ends with a hyphen";
	case HOSTNAME_BAD_CHAR:
		return "has a character that no host name has";
	case HOSTNAME_NOT_ASCII:
		return "is not ASCII; write its A-label (xn--...)";
	case HOSTNAME_IS_ADDRESS:
		return "is an IP address, not a name";
	}
	assert(false);
	return NULL;
}
