# SPDX-License-Identifier: ISC
# Pages of programs are named in the local.mk of the program's folder.

dist_man_MANS += man/postern-aliases.5 man/postern.conf.5
