/* SPDX-License-Identifier: ISC */
#include "jumpd/principal.h"

#include <string.h>

void
principal_fini(struct principal *principal)
{
	permit_free(principal->permit);
	memset(principal, 0, sizeof(*principal));
}
