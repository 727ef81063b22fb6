/* SPDX-License-Identifier: ISC */
/*
 * Runs a harness over files, without a fuzzer: those named as arguments, or
 * the corpus of the harness, which is found by the program's name. A TAP
 * line a file; what is wrong ends the program before its line.
 */
#include <dirent.h>

#include "t/fuzz/fuzz.h"

#define INPUT_MAX	(1u << 20)

static int
is_input(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void
run(int n, const char *path, const char *name)
{
	uint8_t	*data = malloc(INPUT_MAX), *copy;
	FILE	*fp = fopen(path, "r");
	size_t	 len;

	CHECK(data != NULL && fp != NULL);
	len = fread(data, 1, INPUT_MAX, fp);
	fclose(fp);
	copy = malloc(len > 0 ? len : 1);
	CHECK(copy != NULL);
	memcpy(copy, data, len);
	free(data);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	printf("ok %d - %s\n", n, name);
}

/* "t/fuzz/fuzz-data", also when libtool put "lt-" before it: "data". */
static const char *
harness_name(const char *program)
{
	const char	*at = strrchr(program, '/');

	at = strstr(at != NULL ? at : program, "fuzz-");
	CHECK(at != NULL);
	return at + 5;
}

int
main(int argc, char **argv)
{
	const char	*root = getenv("SRCDIR");
	struct dirent	**e;
	char		 folder[2048], path[4096];
	int		 i, n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		printf("1..%d\n", argc - 1);
		for (i = 1; i < argc; i++)
			run(i, argv[i], argv[i]);
		return 0;
	}
	snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%s",
	    root != NULL ? root : ".", harness_name(argv[0]));
	n = scandir(folder, &e, is_input, alphasort);
	CHECK(n > 0);
	printf("1..%d\n", n);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, e[i]->d_name);
		run(i + 1, path, e[i]->d_name);
		free(e[i]);
	}
	free(e);
	return 0;
}
