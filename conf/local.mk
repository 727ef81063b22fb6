# SPDX-License-Identifier: ISC
# The sample is documentation: an installation does not overwrite a conf.

dist_doc_DATA += conf/aliases conf/postern.conf
