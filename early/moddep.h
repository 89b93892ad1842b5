/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * depmod's index of modules and what they depend on, modules.dep.bin, as modprobe reads
 * it: a trie over the names, with _ for -. All numbers have their high byte first.
 */
#pragma once

#include <stddef.h>

/*
 * The line of a module, in `data`: "FILE: DEPENDENCY DEPENDENCY", files below the folder
 * of the index or absolute; what comes last is loaded first. Returns 0, -ENOENT, or
 * -EPROTO for what is no such index, or one of another version.
 */
int moddep_find(const void *data, size_t len, const char *name, const char **ret_line)
	__attribute__((nonnull, warn_unused_result));
