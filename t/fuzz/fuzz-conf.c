/* SPDX-License-Identifier: ISC */
/*
 * The conf file: what is read is printed so that it is read the same. The
 * administrator wrote it, yet masters run as root.
 */
#include "lib/conf.h"
#include "t/fuzz/fuzz.h"

static void
on_fault(void *arg, const char *file, int line, const char *text)
{
	(void)file;
	CHECK(line >= 0 && text[0] != '\0');
	*(int *)arg += 1;
}

static struct conf *
read_conf(char *text, size_t len, int *faults)
{
	FILE		*fp = fmemopen(text, len, "r");
	struct conf	*c = NULL;

	CHECK(fp != NULL);
	*faults = 0;
	c = conf_read(fp, "conf", on_fault, faults);
	CHECK((c == NULL) == (*faults > 0));
	fclose(fp);
	return c;
}

static char *
print_conf(const struct conf *c, size_t *len)
{
	char	*text = NULL;
	FILE	*fp = open_memstream(&text, len);

	CHECK(fp != NULL);
	conf_print(c, fp);
	fclose(fp);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		*text, *first, *second;
	size_t		 n, m;
	struct conf	*c;
	int		 faults;

	fuzz_quiet();
	/* The lexer of libconfuse reads other files, and the environment. */
	text = fuzz_string(data, size);
	if (size == 0 || strstr(text, "include") != NULL) {
		free(text);
		return 0;
	}
	c = read_conf(text, size, &faults);
	free(text);
	if (c == NULL)
		return 0;
	first = print_conf(c, &n);
	conf_free(&c);
	c = read_conf(first, n, &faults);
	CHECK(c != NULL);
	second = print_conf(c, &m);
	CHECK(n == m && memcmp(first, second, n) == 0);
	conf_free(&c);
	free(first);
	free(second);
	return 0;
}
