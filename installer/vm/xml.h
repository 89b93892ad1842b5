/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as libvirt's domain XML.
 */
#pragma once

#include "claimed.h"
#include "vm.h"

/* On the heap; NULL: no memory. */
char *xml_make(const struct vm *vm, const struct claimed *claimed)
	__attribute__((nonnull, warn_unused_result));
