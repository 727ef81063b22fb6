/* SPDX-License-Identifier: ISC */
/*
 * Conversion of the conf's values: text to struct conf and back. Used by
 * conf.c, and by posternctl for values given to it; any process.
 */
#ifndef POSTERN_CONF_VALUE_H
#define POSTERN_CONF_VALUE_H

#include <stddef.h>
#include <stdio.h>

#include "lib/conf.h"

/*
 * Convert one value of key (not a list) into *c. NULL, or the reason why it
 * is not one, written to why (size octets) where it needs numbers.
 */
const char *conf_value_set(struct conf *c, const struct conf_key *key,
	    const char *text, char *why, size_t size);
/* Append one item to the list of key. As conf_value_set(). */
const char *conf_value_add(struct conf *c, const struct conf_key *key,
	    const char *text);
/* Release what the value of key holds. */
void	 conf_value_free(struct conf *c, const struct conf_key *key);
/* Print the value as one would write it in the file. */
void	 conf_value_print(const struct conf *c, const struct conf_key *key,
	    FILE *fp);

#endif
