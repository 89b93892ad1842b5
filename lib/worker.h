/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running something that may never come back.
 */
#pragma once

enum worker_end {
	WORKER_DONE,
	WORKER_DIED, /* by a signal, or could not be started */
	WORKER_LATE, /* killed; it may hang in the kernel for ever */
};

/*
 * Runs fn(arg) in a child and waits for at most `deadline_ms`. What the child leaves in
 * shared memory is complete when this returns, unless a process of it sits inside a
 * system call.
 */
enum worker_end worker_run(void (*fn)(void *arg), void *arg, int deadline_ms)
	__attribute__((nonnull(1), warn_unused_result));
