/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of vfio-claim vm: one file each.
 */
#pragma once

#include "command.h"

extern const struct command vm_create, vm_show, vm_run, vm_remove, vm_attach, vm_detach,
	vm_check;
