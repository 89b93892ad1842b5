/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many processors a guest gets, and which of the host's: whole cores that share a
 * cache, near the card, away from what the host keeps. Pure.
 */
#pragma once

#include "host.h"
#include "vm.h"

/* Threads of a core that a guest would be given, 1 or 2. */
unsigned cpus_threads(const struct host *host) __attribute__((nonnull));

/* How many processors an expert would give here; 0 if the host's are not known. */
unsigned cpus_proposed(const struct host *host, bool pin, int node)
	__attribute__((nonnull));

/*
 * Chooses for vm->cpus in cores of vm->threads: fills pins, other_cpus and nodes. `node`
 * is the card's, -1: none. Returns 0, -ENOSPC if the host has too few beside one core for
 * itself, or -ENOMEM.
 */
int cpus_pin(const struct host *host, int node, struct vm *vm)
	__attribute__((nonnull, warn_unused_result));
