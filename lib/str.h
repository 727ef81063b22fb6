/* SPDX-License-Identifier: ISC */
/*
 * Small string helpers. Locale is never consulted: ASCII rules only.
 */
#ifndef POSTERN_STR_H
#define POSTERN_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy the C string src into dst of size octets, always NUL-terminated.
 * 0, or -1 with errno ENAMETOOLONG, dst then being the empty string.
 */
int	 str_copy(char *dst, size_t size, const char *src);
/* The same from len octets; a NUL among them is -1 with errno EINVAL. */
int	 str_copyn(char *dst, size_t size, const void *src, size_t len);
/* Is there a NUL within the size octets at s? For structs from IPC. */
bool	 str_ends(const char *s, size_t size);
/* Are the len octets at s all of ASCII? */
bool	 str_is_ascii(const void *s, size_t len);
/* Is it an ASCII letter or digit? Of any int: -1 is neither. */
bool	 str_is_alnum(int c);
/* The value of a hexadecimal digit of either case, or -1. */
int	 str_hex(int c);
/* ASCII case-insensitive comparisons; the n form compares n octets. */
bool	 str_caseeq(const char *a, const char *b);
bool	 str_caseeqn(const void *a, const void *b, size_t n);
/* Is word one of those of list, which single blanks part? Case counts. */
bool	 str_has_word(const char *list, const char *word);
/* ASCII lower case, in place, of a C string. */
void	 str_lower(char *s);
/*
 * Write len octets of a peer's text into dst as printable ASCII: what is
 * not becomes \xHH, as do the quote and the backslash; past size - 4 the
 * text is cut and ends in "...". size is at least 8. Returns dst.
 */
char	*str_quote(char *dst, size_t size, const void *src, size_t len);
/*
 * Strict unsigned decimal of len octets, digits only, no sign, no blank,
 * 1 to 20 digits. 0 and *out, or -1 with errno EINVAL (not a number) or
 * ERANGE (more than max).
 */
int	 str_u64(const void *s, size_t len, uint64_t max, uint64_t *out);
/* Equality in constant time of len octets. */
bool	 str_same_secret(const void *a, const void *b, size_t len);
/* Overwrite len octets in a way the compiler keeps. */
void	 str_wipe(void *p, size_t len);

#endif
