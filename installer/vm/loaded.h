/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that a command names, and its claim.
 */
#pragma once

#include "claimed.h"
#include "command.h"
#include "vm.h"

/*
 * Loads the machine of the one argument and finds every function of its claim. False: it
 * has answered, with the exit status in `ret`. On success the caller calls vm_finish().
 */
bool loaded(struct context *context, struct vm *vm, struct claimed *claimed, int *ret)
	__attribute__((nonnull, warn_unused_result));

/* The machine alone. */
bool loaded_machine(struct context *context, struct vm *vm, int *ret)
	__attribute__((nonnull, warn_unused_result));
