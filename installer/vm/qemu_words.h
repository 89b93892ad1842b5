/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's own words in a domain, for what libvirt has none: <qemu:commandline>.
 */
#pragma once

#include "tree.h"

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

/*
 * -global: the processor's addresses have at most as many bits, if it is a copy of the
 * host's.
 */
#define QEMU_LIMIT "max-x86_64-cpu.host-phys-bits-limit="

/*
 * The word behind `last`, which is NULL at first; NULL: no more. One that does not fit is
 * "".
 */
const xmlNode *qemu_words_next(const xmlNode *domain, const xmlNode *last, char *buf,
			       size_t size) __attribute__((nonnull(1, 3)));

/* Adds an option and its value. False: no memory. */
bool qemu_words_add(xmlNode *domain, const char *option, const char *value)
	__attribute__((nonnull, warn_unused_result));
