/* SPDX-License-Identifier: ISC */
/*
 * Conversion of the conf's values, see conf_value.h. The text comes from the
 * administrator's file.
 */
#include "lib/conf_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

struct unit {
	const char	*name;
	uint64_t	 factor;
};

static const struct unit size_units[] = {
	{ "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 },
	{ "G", 1024 * 1024 * 1024 }, { NULL, 0 }
};

/* A time without a unit is in seconds, as in Postfix and Dovecot. */
static const struct unit time_units[] = {
	{ "ms", 1 }, { "", 1000 }, { "s", 1000 }, { "min", 60 * 1000 },
	{ "h", 3600 * 1000 }, { "d", 24 * 3600 * 1000 }, { NULL, 0 }
};

static const struct unit number_units[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *
units_of(enum conf_type type)
{
	if (type == CONF_SIZE)
		return size_units;
	return type == CONF_TIME ? time_units : number_units;
}

static void *
field(const struct conf *c, const struct conf_key *key)
{
	const char *p = (const char *)c + key->offset;
	void *f;

	memcpy(&f, &p, sizeof(f));	/* the caller knows if it may write */
	return f;
}

static uint64_t
number_of(const struct conf *c, const struct conf_key *key)
{
	uint64_t v;

	memcpy(&v, field(c, key), sizeof(v));
	return v;
}

static void
print_number(FILE *fp, uint64_t v, const struct unit *units)
{
	const struct unit *best = NULL;

	for (const struct unit *u = units; u->name != NULL; u++)
		if (v % u->factor == 0 &&
		    (best == NULL || (v != 0 && u->factor >= best->factor)))
			best = u;
	if (best == NULL)
		best = units;
	fprintf(fp, "%" PRIu64 "%s", v / best->factor, best->name);
}

static const char *
out_of_range(const struct conf_key *key, char *why, size_t size)
{
	FILE *fp = fmemopen(why, size, "w");

	if (fp == NULL)
		return "out of range";
	fputs("out of range, ", fp);
	print_number(fp, key->min, units_of(key->type));
	fputs(" to ", fp);
	print_number(fp, key->max, units_of(key->type));
	fputc('\0', fp);
	fclose(fp);
	why[size - 1] = '\0';
	return why;
}

static const char *
set_number(struct conf *c, const struct conf_key *key, const char *text,
    char *why, size_t size)
{
	size_t digits = strspn(text, "0123456789");
	const struct unit *u;
	uint64_t v;

	for (u = units_of(key->type); u->name != NULL; u++)
		if (str_caseeq(u->name, text + digits))
			break;
	if (digits == 0 || u->name == NULL)
		return key->type == CONF_TIME ?
		    "not a time (a number with ms, s, min, h or d)" :
		    key->type == CONF_SIZE ?
		    "not a size (a number, with K, M or G)" : "not a number";
	if (str_u64(text, digits, UINT64_MAX / u->factor, &v) == -1 ||
	    v * u->factor < key->min || v * u->factor > key->max)
		return out_of_range(key, why, size);
	v *= u->factor;
	memcpy(field(c, key), &v, sizeof(v));
	return NULL;
}

static const char *
set_enum(struct conf *c, const struct conf_key *key, const char *text,
    char *why, size_t size)
{
	size_t n = 0;

	for (uint64_t i = 0; key->names[i] != NULL; i++)
		if (strcmp(key->names[i], text) == 0) {
			memcpy(field(c, key), &i, sizeof(i));
			return NULL;
		}
	n = (size_t)snprintf(why, size, "not one of");
	for (size_t i = 0; key->names[i] != NULL && n < size; i++)
		n += (size_t)snprintf(why + n, size - n, " %s", key->names[i]);
	return why;
}

static const char *
set_bool(struct conf *c, const struct conf_key *key, const char *text)
{
	static const char *const words[] =
	    { "no", "yes", "false", "true", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], text) == 0) {
			bool v = i % 2 == 1;

			memcpy(field(c, key), &v, sizeof(v));
			return NULL;
		}
	return "not yes or no";
}

static const char *
set_string(struct conf *c, const struct conf_key *key, const char *text)
{
	char **f = field(c, key);
	const char *why;
	char *copy;

	if (key->type == CONF_PATH && text[0] != '/')
		return "not an absolute path";
	if (key->check != NULL && (why = key->check(text)) != NULL)
		return why;
	if ((copy = strdup(text)) == NULL)
		return "out of memory";
	free(*f);
	*f = copy;
	return NULL;
}

const char *
conf_value_set(struct conf *c, const struct conf_key *key, const char *text,
    char *why, size_t size)
{
	switch (key->type) {
	case CONF_STRING:
	case CONF_PATH:
		return set_string(c, key, text);
	case CONF_BOOL:
		return set_bool(c, key, text);
	case CONF_ENUM:
		return set_enum(c, key, text, why, size);
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_TIME:
		return set_number(c, key, text, why, size);
	case CONF_LIST:
		break;
	}
	return conf_value_add(c, key, text);
}

const char *
conf_value_add(struct conf *c, const struct conf_key *key, const char *text)
{
	struct conf_list *list = field(c, key);
	const char *why;
	char **more;

	if (key->check != NULL && (why = key->check(text)) != NULL)
		return why;
	if (list->n == CONF_LIST_MAX)
		return "too many items";
	more = realloc(list->item, (list->n + 1) * sizeof(*more));
	if (more == NULL)
		return "out of memory";
	list->item = more;
	if ((more[list->n] = strdup(text)) == NULL)
		return "out of memory";
	list->n++;
	return NULL;
}

void
conf_value_free(struct conf *c, const struct conf_key *key)
{
	if (key->type == CONF_STRING || key->type == CONF_PATH) {
		char **f = field(c, key);

		free(*f);
		*f = NULL;
	} else if (key->type == CONF_LIST) {
		struct conf_list *list = field(c, key);

		for (size_t i = 0; i < list->n; i++)
			free(list->item[i]);
		free(list->item);
		list->item = NULL;
		list->n = 0;
	}
}

static void
print_quoted(FILE *fp, const char *s)
{
	fputc('"', fp);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', fp);
		fputc(*s, fp);
	}
	fputc('"', fp);
}

void
conf_value_print(const struct conf *c, const struct conf_key *key, FILE *fp)
{
	const struct conf_list *list;
	bool on;

	switch (key->type) {
	case CONF_STRING:
	case CONF_PATH:
		print_quoted(fp, *(char **)field(c, key));
		return;
	case CONF_BOOL:
		memcpy(&on, field(c, key), sizeof(on));
		fputs(on ? "yes" : "no", fp);
		return;
	case CONF_ENUM:
		fputs(key->names[number_of(c, key)], fp);
		return;
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_TIME:
		print_number(fp, number_of(c, key), units_of(key->type));
		return;
	case CONF_LIST:
		break;
	}
	list = field(c, key);
	fputc('{', fp);
	for (size_t i = 0; i < list->n; i++) {
		fputs(i > 0 ? ", " : "", fp);
		print_quoted(fp, list->item[i]);
	}
	fputc('}', fp);
}
