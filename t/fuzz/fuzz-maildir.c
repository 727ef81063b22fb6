/* SPDX-License-Identifier: ISC */
/*
 * Names in a Maildir: those of other programs, and our own, which grow.
 */
#include "mail/maildir.h"
#include "t/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char			*s = fuzz_string(data, size);
	char			 last[MAILDIR_NAME_MAX] = "";
	char			 name[MAILDIR_NAME_MAX];
	struct maildir_maker	 maker;
	struct maildir_name	 n;
	uint64_t		 now = 1763000000000000, size_of;
	size_t			 i;

	if (maildir_name_parse(s, &n)) {
		CHECK(n.id_len > 0 && n.id_len <= strlen(s) && s[0] != '.');
		CHECK(strcspn(s, ",:") == n.id_len && n.flags <= 63);
	}
	maildir_maker_init(&maker, s, size);
	free(s);
	for (i = 0; i + 1 < size && i < 64; i += 2) {
		size_of = (uint64_t)data[i] << (data[i + 1] % 56);
		/* a clock that goes forth and back */
		now += (uint64_t)data[i] * data[i] - 30000;
		maildir_maker_next(&maker, now, size_of, size_of + 3, name);
		CHECK(strcmp(name, last) > 0);
		memcpy(last, name, sizeof(last));
		CHECK(maildir_name_parse(name, &n));
		CHECK(n.has_size && n.size == size_of && n.has_wire &&
		    n.wire == size_of + 3 && n.id_len < MAILDIR_ID_MAX);
		CHECK(strpbrk(name, "/: \n") == NULL);
	}
	return 0;
}
