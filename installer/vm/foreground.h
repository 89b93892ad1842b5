/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU in the foreground, on this terminal.
 */
#pragma once

#include "vm.h"

/*
 * Runs it to its end; its threads are pinned as vm->pins says. Returns its exit status,
 * 128 plus the number of the signal that killed it, or a negative errno if it cannot be
 * started.
 */
int foreground_run(char *const *argv, const struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
