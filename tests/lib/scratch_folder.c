/* SPDX-License-Identifier: ISC */
#include "tests/lib/scratch_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char scratch_folder[] = "/tmp/popgate-test-XXXXXX";

void
scratch_enter(void)
{
	cr_assert_not_null(mkdtemp(scratch_folder));
	cr_assert_eq(chdir(scratch_folder), 0);
}

void
scratch_leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", scratch_folder);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
}
