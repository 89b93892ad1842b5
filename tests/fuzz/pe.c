/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unified kernel image: what is read is a part of the file, and no more than a section
 * may be.
 */
#include "pe.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("image", MFD_CLOEXEC);
	char *text = NULL;
	int r;

	CHECK(fd >= 0 && (!size || write(fd, data, size) == (ssize_t)size));
	r = pe_section(fd, ".cmdline", &text);
	CHECK(r <= 0 && (r < 0) == !text);
	if (text) {
		CHECK(strlen(text) <= PE_MAX_SECTION);
		CHECK(!*text || memmem(data, size, text, strlen(text)));
	}
	free(text);
	close(fd);
	return 0;
}
