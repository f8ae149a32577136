/* SPDX-License-Identifier: ISC */
#include "proxyd/http_octet.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

Test(http_octet, knows_the_tchars_of_rfc_9110_5_6_2)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	unsigned c;

	for (c = 0; c < 256; c++)
		cr_expect_eq(http_octet_is_tchar((uint8_t)c),
		    c < 128 && (isalnum((int)c) || (c != 0 &&
		    strchr(others, (int)c) != NULL)), "octet %u", c);
}

Test(http_octet, knows_white_space_and_controls)
{
	unsigned c;

	for (c = 0; c < 256; c++) {
		cr_expect_eq(http_octet_is_space((uint8_t)c),
		    c == 32 || c == 9, "octet %u", c);
		cr_expect_eq(http_octet_is_control((uint8_t)c),
		    (c < 32 && c != 9) || c == 127, "octet %u", c);
	}
}
