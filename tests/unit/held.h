/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that settle begins with: what start left, on a disk with two partitions.
 */
#pragma once

#include "scene.h"

#define FIRST "1234abcd-01"
#define SECOND "1234abcd-02"

struct fake_volume *boot_of(struct scene *s);

/*
 * For held(): a claim beside another display; without another; with EFI variables; two
 * claims, of which only the first takes a display, which is the host's only one.
 */
void make(struct scene *s);
void make_dark(struct scene *s);
void make_efi(struct scene *s);
void make_two(struct scene *s);

/* After start, with everything held; `before` is the machine before it. */
struct scene *held(void (*how)(struct scene *), struct scene **ret_before);

void finish(struct scene *s, struct scene *before);
