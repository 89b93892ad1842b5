/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moddep_find(): up to the first zero byte the input is a name, the rest an index. */
#include <errno.h>

#include "fuzz.h"
#include "moddep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size ? memchr(data, '\0', size) : NULL;
	const size_t name_len = zero ? (size_t)(zero - data) : 0;
	const size_t len = zero ? size - name_len - 1 : 0;
	char *index = malloc(len ? len : 1), *name = fuzz_text(data, name_len);
	const char *line = NULL;
	int r;

	CHECK(index && name);
	if (len)
		memcpy(index, data + name_len + 1, len);
	r = moddep_find(index, len, name, &line);
	CHECK(r == 0 || r == -ENOENT || r == -EPROTO);
	CHECK((r == 0) == (line != NULL));
	if (line) {
		CHECK(line >= index && line < index + len);
		CHECK(memchr(line, '\0', (size_t)(index + len - line)));
	}
	free(index);
	free(name);
	return 0;
}
