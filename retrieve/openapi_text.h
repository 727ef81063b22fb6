/* SPDX-License-Identifier: ISC */
/*
 * The text of conf/openapi.yaml, made into a C string by the makefile.
 */
#ifndef POSTERN_OPENAPI_TEXT_H
#define POSTERN_OPENAPI_TEXT_H

extern const char openapi_text[];

#endif
