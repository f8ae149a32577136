/* SPDX-License-Identifier: ISC */
/*
 * scratch_folder.h - a folder of a test's own, which it runs in:
 * TestSuite(name, .init = scratch_enter, .fini = scratch_leave).
 */
#ifndef TESTS_LIB_SCRATCH_FOLDER_H
#define TESTS_LIB_SCRATCH_FOLDER_H

/* Its absolute path, from scratch_enter on. */
extern char scratch_folder[];

/* Make it and go there. */
void scratch_enter(void);

/* Remove it, whatever is in it. */
void scratch_leave(void);

#endif
