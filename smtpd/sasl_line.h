/* SPDX-License-Identifier: ISC */
/*
 * BASE64 as the lines of AUTH need it (RFC 4648 section 4): strict, no line
 * breaks, padding required, the bits that pad must be 0. Part of the engine.
 */
#ifndef POSTERN_SMTPD_SASL_LINE_H
#define POSTERN_SMTPD_SASL_LINE_H

#include <stddef.h>

struct buf;

/* Append the decoded octets to out. 0, or -1 and errno: EINVAL when the len
 * octets at s are no BASE64, else as buf_add(). */
int	 sasl_line_decode(const char *s, size_t len, struct buf *out);
/* Append the BASE64 of len octets. 0, or -1 and errno as buf_add(). */
int	 sasl_line_encode(const void *data, size_t len, struct buf *out);

#endif
