/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds functions: a list that is made by host_users.h or users.h, in words and for
 * scripts. It is flat, and can live in shared memory.
 */
#pragma once

#include "open_files.h"

struct json_object;

#define HOLDERS_MAX 32
#define HOLDERS_NOTES 16

struct holder {
	char pid[12]; /* "": no process, but the kernel */
	char command[48];
	char guest[48]; /* the virtual machine that it runs; "": none is known */
	char holds[96]; /* "/dev/dri/card1"; of the kernel what holds it, in words */
};

struct holders {
	struct holder list[HOLDERS_MAX];
	unsigned n;
	unsigned more; /* for which there was no room */
	unsigned unseen; /* processes that could not be looked at */
	char notes[HOLDERS_NOTES][128]; /* what does not stand in the way */
	unsigned n_notes;
};

/* A process with a node of the functions open; the same twice counts once. */
void holders_add(struct holders *h, struct fs *root, const struct open_file *file)
	__attribute__((nonnull));
/* What the kernel itself does with them, in words. */
void holders_add_kernel(struct holders *h, const char *holds) __attribute__((nonnull));
void holders_note(struct holders *h, const char *note) __attribute__((nonnull));

/* "Xorg (pid 812, desktop) has /dev/dri/card1 open; ..." */
void holders_say(const struct holders *h, struct str *s) __attribute__((nonnull));
/* How to end them. */
void holders_advise(const struct holders *h, struct str *s) __attribute__((nonnull));

/* An object with "holders", "more_holders", "unseen" and "notes", for the caller. */
struct json_object *holders_json(const struct holders *h)
	__attribute__((nonnull, warn_unused_result));
