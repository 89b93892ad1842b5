/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The <devices> of a domain.
 */
#pragma once

#include "claimed.h"
#include "vm.h"
#include "writer.h"

#define XML_GPU_ALIAS "ua-gpu" /* libvirt wants "ua-" before a name of the user's */
#define XML_SHARED_MEMORY \
	"looking-glass" /* its client looks for /dev/shm/looking-glass */

void xml_write_devices(struct writer *w, const struct vm *vm,
		       const struct claimed *claimed) __attribute__((nonnull));
