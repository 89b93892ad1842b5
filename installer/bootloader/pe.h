/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of a PE file, as a unified kernel image is one. The file is not trusted.
 */
#pragma once

#define PE_MAX_SECTION (64 * 1024)

/*
 * The text of a section up to its first NUL; the caller frees it. 0, -ENODATA if there is
 * no such section, -EPROTO if the file is no PE file or a part of it lies outside,
 * -EFBIG, or another negative errno.
 */
int pe_section(int fd, const char *name, char **ret)
	__attribute__((nonnull, warn_unused_result));
