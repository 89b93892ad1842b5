/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of a PE file, as a unified kernel image is one. The file is not trusted.
 */
#pragma once

#include <stdint.h>

#define PE_MAX_SECTION (64 * 1024)

struct pe_range {
	uint64_t offset; /* in the file; it may end before */
	uint32_t size; /* bytes */
};

/*
 * Where a section lies. 0, -ENODATA if there is no such section, -EPROTO if the file is
 * no PE file, or another negative errno.
 */
int pe_find(int fd, const char *name, struct pe_range *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * The text of a section up to its first NUL; the caller frees it. As pe_find(); -EPROTO,
 * too, if a part of it lies outside of the file, -EFBIG above PE_MAX_SECTION.
 */
int pe_section(int fd, const char *name, char **ret)
	__attribute__((nonnull, warn_unused_result));
