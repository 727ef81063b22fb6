/* SPDX-License-Identifier: ISC */
/*
 * Address lists for showing, run by retrieve-session on hostile text.
 */
#include <string.h>

#include "mail/mailbox.h"
#include "retrieve/addrlist.h"
#include "retrieve/visible.h"
#include "retrieve/words.h"

struct reading {
	addrlist_fn	*fn;
	void		*arg;
	int		 result;
	size_t		 entries;
};

/* A display name as text: quotes and their backslashes taken off. */
static void
read_name(char *dst, size_t size, const char *s, size_t len)
{
	char	plain[1024];
	size_t	i, n = 0;
	int	quoted = 0;

	for (i = 0; i < len && n < sizeof(plain); i++) {
		if (s[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && s[i] == '\\' && i + 1 < len)
			i++;
		plain[n++] = s[i];
	}
	words_decode(dst, size, plain, n);
}

static int
on_mailbox(void *arg, const struct mailbox *m)
{
	struct reading		*r = arg;
	struct addrlist_entry	 e;
	char			 address[2 * ADDR_MAX];

	memset(&e, 0, sizeof(e));
	if (m->name != NULL)
		read_name(e.name, sizeof(e.name), m->name, m->name_len);
	addr_format(&m->addr, address, sizeof(address));
	visible_copy(e.address, sizeof(e.address), address, strlen(address));
	r->entries++;
	r->result = r->fn(r->arg, &e);
	return r->result;
}

/* No address list, but most often still of the form: name <address>. */
static void
guess(const char *value, struct addrlist_entry *e)
{
	const char	*lt = strrchr(value, '<'), *gt = strrchr(value, '>');
	size_t		 n = strlen(value);

	memset(e, 0, sizeof(*e));
	if (lt != NULL && gt != NULL && gt > lt + 1 && lt > value &&
	    gt[1 + strspn(gt + 1, " ")] == '\0') {
		visible_copy(e->address, sizeof(e->address), lt + 1,
		    (size_t)(gt - lt - 1));
		n = (size_t)(lt - value);
		while (n > 0 && value[n - 1] == ' ')
			n--;
	}
	words_decode(e->name, sizeof(e->name), value, n);
}

int
addrlist_read(const char *value, addrlist_fn *fn, void *arg)
{
	struct reading		r = { fn, arg, 0, 0 };
	struct addrlist_entry	e;

	if (mailbox_list_parse(value, strlen(value), on_mailbox, &r) != -1 ||
	    r.entries > 0)
		return r.result;
	guess(value, &e);
	return e.name[0] == '\0' ? 0 : fn(arg, &e);
}
