/* SPDX-License-Identifier: ISC */
/*
 * Mail addresses: the paths of RFC 5321 section 4.1.2 with the UTF-8 of RFC
 * 6531 section 3.3, and their form as a path in the file system. Pure; what
 * is not ASCII takes memory for a moment.
 */
#ifndef POSTERN_ADDR_H
#define POSTERN_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#define ADDR_LOCAL_MAX	64	/* octets, RFC 5321 section 4.5.3.1.1 */
#define ADDR_DOMAIN_MAX	255	/* section 4.5.3.1.2 */
#define ADDR_MAX	(ADDR_LOCAL_MAX + 1 + ADDR_DOMAIN_MAX)

/*
 * Of two spellings of one mailbox both become the same here, case apart: the
 * local part is in NFC, the domain in lower case and of A-labels alone. That
 * is so of what was parsed as a path or mailbox, and of logins; what else
 * comes may need addr_canon().
 */
struct addr {
	char	local[ADDR_LOCAL_MAX + 1];	/* quoting undone; "" for <> */
	char	domain[ADDR_DOMAIN_MAX + 1];	/* lower case; "" for <> and
						   <postmaster>; "[...]" */
};

enum addr_use { ADDR_REVERSE, ADDR_FORWARD };

enum addr_result {
	ADDR_OK,
	ADDR_SYNTAX,		/* not a path */
	ADDR_TOO_LONG,		/* a part is over its limit */
	ADDR_NOT_UTF8,		/* 8-bit that is not UTF-8, or a character
				   that may not stand in a name */
	ADDR_BAD_DOMAIN,	/* a U-label that IDNA refuses */
	ADDR_NO_MEMORY
};

/*
 * Parse the path that opens the len octets at s: "<" [source route] mailbox
 * ">", "<>" for ADDR_REVERSE, "<postmaster>" (any case) for ADDR_FORWARD.
 * *used is the length of the path with its brackets. UTF-8 is taken: to
 * refuse it without SMTPUTF8 is up to the caller. Lengths are counted in
 * octets, before and after they are brought into the one form.
 */
enum addr_result addr_parse_path(const char *s, size_t len, enum addr_use,
	    struct addr *out, size_t *used);
/* Parse a bare mailbox, local@domain, taking all len octets. */
enum addr_result addr_parse_mailbox(const char *s, size_t len,
	    struct addr *out);
/*
 * Parse a domain or address literal (HELO and EHLO arguments too), all len
 * octets of it. True when it is one; U-labels are none.
 */
bool	 addr_valid_domain(const char *s, size_t len);
bool	 addr_valid_literal(const char *s, size_t len);
/*
 * Bring an address into the one form. 0, or -1 with errno EINVAL (the local
 * part is not UTF-8 or has a character that may not stand in a name, or IDNA
 * refuses the domain), ENAMETOOLONG or ENOMEM; it is unchanged then.
 */
int	 addr_canon(struct addr *);
/* Has it none but octets of ASCII? */
bool	 addr_is_ascii(const struct addr *);
/*
 * The form used between our own processes, and of logins: local@domain with
 * the local part not quoted, "local" alone without a domain, "" for <>. The
 * domain follows the last '@', a literal the last "@["; the grammar is not
 * checked. addr_split(): 0, or -1 with errno ENAMETOOLONG or EINVAL (nothing
 * behind the '@'). addr_join() needs ADDR_MAX + 1 octets in dst (else it
 * writes ""), and returns dst.
 */
int	 addr_split(const char *s, struct addr *out);
char	*addr_join(const struct addr *, char *dst, size_t size);
/*
 * Write the address as local@domain, the local part quoted where RFC 5321
 * needs it, into dst (at least 2 * ADDR_MAX octets). Returns dst.
 */
char	*addr_format(const struct addr *, char *dst, size_t size);
/*
 * Do two addresses name the same mailbox: domains and local parts without
 * regard to ASCII case, and, with strip_tag, a's local part without what
 * follows its first '+'.
 */
bool	 addr_same(const struct addr *a, const struct addr *b, bool strip_tag);
/* Cut the local part before its first '+' (not when it is the first octet). */
void	 addr_strip_tag(struct addr *);
/*
 * The mailbox's place below the mail root, "domain/local", lower case; octets
 * that are not [A-Za-z0-9_=.-] and a leading dot become %HH in capitals.
 * 0, or -1 with errno ENAMETOOLONG or EINVAL (empty part, literal).
 */
int	 addr_to_path(const struct addr *, char *dst, size_t size);

#endif
