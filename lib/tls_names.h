/* SPDX-License-Identifier: ISC */
/*
 * The mail addresses in a certificate. Pure, given a certificate that was
 * parsed; what stands in it is as much to be trusted as who signed it.
 */
#ifndef POSTERN_TLS_NAMES_H
#define POSTERN_TLS_NAMES_H

#include <stddef.h>

#define TLS_NAME_MAX	320	/* octets: local part 64, @, domain 255 */

struct x509_st;

/*
 * Write the rfc822Names (RFC 5280, section 4.2.1.6) and SmtpUTF8Mailboxes
 * (RFC 9598) of the subject's alternative names to names, each ended by LF,
 * the whole by NUL. Left out is what has not the form local@domain, with one
 * "@", printable and without blanks, at most TLS_NAME_MAX octets; the subject
 * itself never counts. How many; 0 and "" when there are none or when they
 * do not fit in size octets, so that who sees some sees all.
 */
size_t	 tls_names_of(struct x509_st *, char *names, size_t size);

#endif
