# SPDX-License-Identifier: ISC
# The sample is documentation: an installation does not overwrite a conf.

dist_doc_DATA += conf/aliases conf/postern.conf

# Examples, for /etc/fail2ban.
fail2banfilterdir = $(pkgdatadir)/fail2ban/filter.d
dist_fail2banfilter_DATA = conf/fail2ban/filter.d/postern.conf
fail2banjaildir = $(pkgdatadir)/fail2ban/jail.d
dist_fail2banjail_DATA = conf/fail2ban/jail.d/postern.conf
