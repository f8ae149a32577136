/* SPDX-License-Identifier: ISC */
#include "proxyd/http_octet.h"

/* Bit c % 32 of word c / 32: c is a tchar. */
static const uint32_t tchars[8] = {
	0, 0x03ff6cfa,		/* digits ! # $ % & ' * + - . */
	0xc7fffffe, 0x57ffffff	/* letters ^ _ ` | ~ */
};

bool
http_octet_is_tchar(uint8_t c)
{
	return (tchars[c / 32] >> c % 32 & 1) != 0;
}

bool
http_octet_is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool
http_octet_is_control(uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}
