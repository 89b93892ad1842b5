/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ready machines, configurations for them, and what became of them. */
#pragma once

#include "early.h"
#include "fake.h"
#include "start.h"

#define HOST_BRIDGE "0000:00:00.0"
#define ROOT_PORT "0000:00:01.0"
#define HOST_GPU "0000:00:02.0"
#define GPU "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define USB "0000:01:00.2"
#define TWIN_PORT "0000:00:03.0"
#define TWIN "0000:02:00.0"
#define TWIN_AUDIO "0000:02:00.1"

struct scene {
	struct fake fake;
	struct start_state state;
	struct start_work work;
	char conf[CONF_MAX_SIZE];
	bool wait; /* settle --wait */
};

/*
 * A desktop in early boot: an integrated GPU without a driver, and a card with a GPU, its
 * audio and, bound to the built-in xhci_hcd, its USB-C controller, in one group with the
 * port above.
 */
void scene_desktop(struct scene *s);
/* A second card of the same model, in a slot and a group of its own. */
void scene_add_twin(struct scene *s);

/* Adds to the configuration "[claim NAME]" and a line for each address up to a NULL. */
void scene_claim(struct scene *s, const char *name, ...) __attribute__((sentinel));
/* The same, with `words` behind each line. */
void scene_claim_with(struct scene *s, const char *words, const char *name, ...)
	__attribute__((sentinel));
/* Adds plain text. */
void scene_conf(struct scene *s, const char *text);
/* One function line as set-up would write it. */
void scene_add_line(struct scene *s, const struct fake_function *fn, const char *words);

/* start_run(), in this process. */
void scene_run(struct scene *s);
/* The same through early/main.c: a worker, a deadline, the report. */
void scene_run_whole(struct scene *s);

/*
 * settle_run() on what start left below /run, likewise. Returns 0, or what state_take()
 * says if there is nothing to settle.
 */
int scene_settle(struct scene *s);
int scene_settle_whole(struct scene *s);

/*
 * event_run() of a function that came or went, on what start and settle left, likewise.
 * Returns 0, or what state_load() says if there is nothing.
 */
int scene_event(struct scene *s, const char *action, const char *address);
int scene_event_whole(struct scene *s, const char *action, const char *address);

/* The one claim's reason, or that of a claim by name. */
enum reason scene_reason(const struct scene *s, const char *name);

/* A scene and its copy, made together; freed by scene_free(). */
struct scene *scene_new(void (*make)(struct scene *));
void scene_free(struct scene *s);
/* *s as `from` was, without a report. */
void scene_copy(struct scene *s, const struct scene *from);

/*
 * NULL if every function that the configuration names is on vfio-pci, and everything else
 * as in `before`; otherwise what is not.
 */
const char *scene_not_claimed(const struct scene *s, const struct scene *before);
/*
 * NULL if drivers, overrides and the framebuffer are as in `before`; otherwise what is
 * not.
 */
const char *scene_not_as_found(const struct scene *s, const struct scene *before);

void assert_driver(struct scene *s, const char *address, const char *driver);
void assert_reason(const struct scene *s, const char *name, enum reason reason);
