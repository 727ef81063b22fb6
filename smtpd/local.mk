# SPDX-License-Identifier: ISC
include smtpd/store.mk
