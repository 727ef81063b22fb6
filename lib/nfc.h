/* SPDX-License-Identifier: ISC */
/*
 * The form in which names with letters beyond ASCII are compared: Unicode's
 * Normalization Form C. Pure; takes memory for a moment where a name is not
 * ASCII.
 */
#ifndef POSTERN_NFC_H
#define POSTERN_NFC_H

#include <stddef.h>

/*
 * Write the len octets at src, UTF-8 without NUL, to dst of size octets in
 * NFC, NUL-terminated. Its case stays, so that letters of ASCII can be
 * compared without regard to it; where lower case would have another NFC
 * (U+01F0 has no capital) the letters of ASCII are lowered. src and dst may
 * be the same. 0, or -1 with errno EINVAL (not UTF-8), ENAMETOOLONG or
 * ENOMEM, dst unchanged.
 */
int	 nfc_copy(char *dst, size_t size, const char *src, size_t len);

#endif
