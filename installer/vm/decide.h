/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completes a machine that somebody has asked for: every open choice is made as an expert
 * would on this host, with the reason; what cannot work is refused. Reads, changes
 * nothing.
 */
#pragma once

#include "claimed.h"
#include "host.h"
#include "vm.h"

#define DECIDE_MAX_CHOICES 48
#define DECIDE_MAX_PROBLEMS 16

struct choice {
	const char *what; /* static, for people: "memory" */
	char value[160];
	const char *why; /* static, translated */
};

struct decision {
	struct fs *root;
	const struct host *host;
	const struct claimed *claimed;
	int node; /* NUMA node of the card, -1: none */
	struct choice choices[DECIDE_MAX_CHOICES];
	size_t n_choices;
	char *problems[DECIDE_MAX_PROBLEMS]; /* why not, and what to type */
	size_t n_problems;
	char *notes[DECIDE_MAX_PROBLEMS]; /* what its owner should know */
	size_t n_notes;
};

/* What was asked for that is no field of struct vm yet. */
struct wishes {
	bool disk_given; /* --disk none as well */
	struct vm_list disks; /* "80G", or a path */
	char *virtio_win; /* NULL: look for it */
	bool evdev; /* without a path: look for them */
	unsigned code43; /* a vm_flag; UNSET: as the card needs */
};

void wishes_finish(struct wishes *wishes) __attribute__((nonnull));

/*
 * Returns 0 or -ENOMEM; refused if `ret` has problems. The caller calls
 * decision_finish().
 */
int decide(struct fs *root, const struct host *host, const struct claimed *claimed,
	   const struct wishes *wishes, struct vm *vm, struct decision *ret)
	__attribute__((nonnull, warn_unused_result));
void decision_finish(struct decision *decision) __attribute__((nonnull));

/* "16G", "512M", "4096" (MiB): bytes; false if it is none. */
bool decide_size(const char *text, uint64_t unit, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* For decide_*.c. */
void choose(struct decision *d, const char *what, const char *why, const char *format,
	    ...) __attribute__((nonnull, format(printf, 4, 5)));
void refuse(struct decision *d, const char *format, ...)
	__attribute__((nonnull, format(printf, 2, 3)));
void note(struct decision *d, const char *format, ...)
	__attribute__((nonnull, format(printf, 2, 3)));

/* Whether it is a ROM; otherwise refused. */
bool decide_rom(struct decision *d, const char *path) __attribute__((nonnull));

int decide_processors(struct decision *d, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
int decide_memory(struct decision *d, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
int decide_firmware(struct decision *d, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
int decide_card(struct decision *d, const struct wishes *wishes, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
int decide_disks(struct decision *d, const struct wishes *wishes, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
int decide_devices(struct decision *d, const struct wishes *wishes, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
