/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c: main() of a fuzzer that is built without libFuzzer: feeds every
 * file of its corpus (tests/fuzz/corpus/NAME, NAME = program name without
 * "fuzz_"; or the files and folders of the command line) to the fuzzer, and
 * every truncation of each file. Fails when there is no corpus.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	/* an exact-size copy lets ASan see one byte too many */
	copy = malloc(size > 0 ? size : 1);
	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static int
replay_file(const char *path)
{
	static uint8_t buf[1 << 16];
	FILE *f;
	size_t n, cut;

	f = fopen(path, "rb");
	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	for (cut = 0; cut <= n && cut <= 4096; cut++)
		feed(buf, cut);
	feed(buf, n);
	return 0;
}

static int
replay(const char *path)
{
	char name[4096];
	struct dirent *e;
	DIR *d;
	int rc = 0;

	d = opendir(path);
	if (d == NULL)
		return replay_file(path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		rc |= replay_file(name);
	}
	closedir(d);
	return rc;
}

int
main(int argc, char **argv)
{
	const char *src = getenv("ADIT_SRCDIR"), *name;
	char path[4096];
	int i, rc = 0;

	if (argc > 1) {
		for (i = 1; i < argc; i++)
			rc |= replay(argv[i]);
	} else {
		name = strstr(argv[0], "fuzz_");
		while (name != NULL && strstr(name + 1, "fuzz_") != NULL)
			name = strstr(name + 1, "fuzz_");
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
		    src != NULL ? src : ".", name != NULL ? name + 5 : "");
		rc = replay(path);
	}
	if (inputs == 0) {
		fprintf(stderr, "no corpus: nothing was replayed\n");
		return 1;
	}
	return rc != 0;
}
