/* SPDX-License-Identifier: ISC */
/*
 * Addresses of clients, see ip.h. Sessions and auth-server; to the latter
 * they come from sessions and are not trusted.
 */
#include "lib/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

void
ip_of(const struct sockaddr_storage *ss, unsigned char ip[IP_SIZE])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memset(ip, 0, IP_SIZE);
	if (ss->ss_family == AF_INET6) {
		memcpy(&in6, ss, sizeof(in6));
		memcpy(ip, &in6.sin6_addr, IP_SIZE);
	} else if (ss->ss_family == AF_INET) {
		memcpy(&in, ss, sizeof(in));
		memcpy(ip, mapped, sizeof(mapped));
		memcpy(ip + sizeof(mapped), &in.sin_addr, 4);
	}
}

bool
ip_is_v4(const unsigned char ip[IP_SIZE])
{
	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

char *
ip_text(const unsigned char ip[IP_SIZE], char dst[IP_TEXT])
{
	dst[0] = '\0';
	if (ip_is_v4(ip))
		inet_ntop(AF_INET, ip + sizeof(mapped), dst, IP_TEXT);
	else
		inet_ntop(AF_INET6, ip, dst, IP_TEXT);
	return dst;
}

size_t
ip_prefix(const unsigned char ip[IP_SIZE])
{
	return ip_is_v4(ip) ? IP_SIZE : 8;
}

bool
ip_same_prefix(const unsigned char a[IP_SIZE], const unsigned char b[IP_SIZE])
{
	size_t n = ip_prefix(a);

	return n == ip_prefix(b) && memcmp(a, b, n) == 0;
}
