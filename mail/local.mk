# SPDX-License-Identifier: ISC
# libmail.a: addresses, headers, Maildir names. No sockets, no globals.
