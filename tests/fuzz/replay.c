/* SPDX-License-Identifier: ISC */
/*
 * replay.c - main() of a fuzz target that is not fuzzing: give it every file
 * of its corpus once.
 *
 * usage: fuzz_X [file or folder ...]
 * Without arguments: $srcdir/tests/fuzz/corpus/X, which must not be empty.
 */
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char *
path_join(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		err(2, "%s/%s", folder, name);
	return path;
}

/* Exactly the file's octets on the heap, so that ASan sees an over-read. */
static void
replay_file(const char *path, size_t len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(len > 0 ? len : 1);

	if (file == NULL || bytes == NULL)
		err(2, "%s", path);
	if (fread(bytes, 1, len, file) != len)
		errx(2, "%s: cannot be read whole", path);
	fclose(file);
	fprintf(stderr, "%s\n", path);	/* the last one shown crashed */
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
}

/* Returns how many files were replayed. */
static unsigned
replay(const char *path)
{
	struct dirent **entry;
	struct stat st;
	unsigned files = 0;
	char *inside;
	int i, n;

	if (stat(path, &st) != 0)
		err(2, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return 1;
	}
	n = scandir(path, &entry, NULL, alphasort);
	if (n < 0)
		err(2, "%s", path);
	for (i = 0; i < n; i++) {
		inside = path_join(path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			files += replay(inside);
		free(inside);
		free(entry[i]);
	}
	free(entry);
	return files;
}

static unsigned
replay_corpus_of(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strrchr(program, '/');
	char *corpora, *corpus;
	unsigned files;

	name = name != NULL ? name + 1 : program;
	if (strncmp(name, "fuzz_", 5) != 0)
		errx(2, "%s: not named fuzz_X", name);
	corpora = path_join(srcdir != NULL ? srcdir : ".",
	    "tests/fuzz/corpus");
	corpus = path_join(corpora, name + 5);
	files = replay(corpus);
	free(corpus);
	free(corpora);
	return files;
}

int
main(int argc, char **argv)
{
	unsigned files = 0;
	int i;

	for (i = 1; i < argc; i++)
		files += replay(argv[i]);
	if (argc == 1)
		files = replay_corpus_of(argv[0]);
	fprintf(stderr, "%u inputs replayed\n", files);
	return files > 0 ? 0 : 1;
}
