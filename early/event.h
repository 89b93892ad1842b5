/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Late arrivals: a PCI function came or went, udev says. What start and settle have
 * decided stands; the new function is judged as they would have judged it.
 */
#pragma once

#include "start.h"

/*
 * Carries on with the state that start left. Where that awaits nothing, or the function
 * is none that is awaited, nothing is touched, and state.nothing_new is set.
 */
void event_run(struct start *start) __attribute__((nonnull));

/*
 * Undoes all that an abandoned event_run() began, and takes no more late arrivals in this
 * boot. What cannot be given back is named in the report's detail.
 */
void event_recover(struct start *start) __attribute__((nonnull));
