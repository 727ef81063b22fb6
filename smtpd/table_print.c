/* SPDX-License-Identifier: ISC */
/*
 * Prints the state table and the replies of the SMTP server, as text for
 * t/golden/smtp-table.txt or, with the argument "mdoc", for the marked part
 * of man/postern-smtp.7. A tool of the build; not installed.
 */
#include <stdio.h>
#include <string.h>

#include "smtpd/table.h"

static void
cell_text(enum state s, enum verb v, char *out, size_t size)
{
	const struct cell *c = table_cell(s, v);
	const struct reply_row *r = reply_row(c->refuse);

	if (c->refuse != REPLY_NONE)
		snprintf(out, size, "%d %s", r->code, r->enhanced);
	else if (c->next == s)
		snprintf(out, size, "stay");
	else
		snprintf(out, size, "%s", table_state_name(c->next));
}

static void
print_text(void)
{
	char cell[32];
	int s, v;

	for (s = STATE_START; s < STATE_COMMANDS; s++)
		for (v = VERB_EHLO; v < VERB_COUNT; v++) {
			const struct cell *c = table_cell((enum state)s,
			    (enum verb)v);

			cell_text((enum state)s, (enum verb)v, cell,
			    sizeof(cell));
			printf("%s\t%s\t%s\t%s\n",
			    table_state_name((enum state)s),
			    table_verb_name((enum verb)v), cell,
			    reply_row(c->refuse)->text == NULL ? "" :
			    reply_row(c->refuse)->text);
		}
}

/* Half of the verbs: a table of all would be too wide for a terminal. */
static void
print_mdoc_half(int from, int to)
{
	char cell[32];
	int s, v;

	printf(".Bl -column");
	for (v = from - 1; v < to; v++)
		printf(" \"STARTTLS\"");
	printf("\n.It Em state");
	for (v = from; v < to; v++)
		printf(" Ta Em %s", table_verb_name((enum verb)v));
	printf("\n");
	for (s = STATE_START; s < STATE_COMMANDS; s++) {
		printf(".It %s", table_state_name((enum state)s));
		for (v = from; v < to; v++) {
			cell_text((enum state)s, (enum verb)v, cell,
			    sizeof(cell));
			cell[strcspn(cell, " ")] = '\0';
			printf(" Ta %s", cell);
		}
		printf("\n");
	}
	printf(".El\n");
}

static void
print_replies(void)
{
	int i;

	printf(".Bl -tag -width \"421 4.3.2\" -compact\n");
	for (i = REPLY_NONE + 1; i < REPLY_COUNT; i++) {
		const struct reply_row *r = reply_row((enum reply)i);
		const char *arg = strstr(r->text, "%s");

		printf(".It %d%s%s\n", r->code,
		    r->enhanced[0] != '\0' ? " " : "", r->enhanced);
		if (arg == NULL)
			printf("%s\n", r->text);
		else
			printf("\\&%.*s...%s\n", (int)(arg - r->text), r->text,
			    arg + 2);
	}
	printf(".El\n");
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "mdoc") == 0) {
		print_mdoc_half(VERB_EHLO, VERB_DATA);
		print_mdoc_half(VERB_DATA, VERB_LATER);
	} else if (argc > 1 && strcmp(argv[1], "replies") == 0)
		print_replies();
	else
		print_text();
	return 0;
}
