/* SPDX-License-Identifier: ISC */
/*
 * Text from mail made fit for a terminal or a page: valid UTF-8 in which
 * controls and the characters that turn the direction of writing are
 * written out as <U+202E>. Pure.
 */
#ifndef POSTERN_VISIBLE_H
#define POSTERN_VISIBLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Write what fits of len octets at src as a C string of at most size - 1
 * octets, cut between characters. Octets that are not UTF-8 become U+FFFD,
 * HTAB a space. Idempotent. Its length.
 */
size_t	 visible_copy(char *dst, size_t size, const void *src, size_t len);
/*
 * How many of len octets at s, at most max (4 or more), can be taken without
 * cutting a character in two.
 */
size_t	 visible_piece(const char *s, size_t len, size_t max);
/*
 * Columns a terminal needs for the C string s, and how many octets of it
 * fit into max columns (*fit).
 */
size_t	 visible_columns(const char *s, size_t max, size_t *fit);

#endif
