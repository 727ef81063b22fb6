/* SPDX-License-Identifier: ISC */
/*
 * Addresses of clients: 16 octets, IPv4 as ::ffff:a.b.c.d. Pure.
 */
#ifndef POSTERN_IP_H
#define POSTERN_IP_H

#include <stdbool.h>
#include <stddef.h>

#define IP_SIZE		16
#define IP_TEXT		48	/* octets of an address as text, with NUL */

struct sockaddr_storage;

/* The address in ss; zeros where it is of neither family. */
void	 ip_of(const struct sockaddr_storage *ss, unsigned char ip[IP_SIZE]);
bool	 ip_is_v4(const unsigned char ip[IP_SIZE]);
/* "192.0.2.1", "2001:db8::1". Returns dst. */
char	*ip_text(const unsigned char ip[IP_SIZE], char dst[IP_TEXT]);
/*
 * The first octets by which limits count an address: all of IPv4, a /64 of
 * IPv6, which is what a home or a host has.
 */
size_t	 ip_prefix(const unsigned char ip[IP_SIZE]);
/* Do two addresses count as one? */
bool	 ip_same_prefix(const unsigned char a[IP_SIZE],
	    const unsigned char b[IP_SIZE]);

#endif
