/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading kernel modules with the libkmod that is linked in.
 */
#pragma once

#include "loader.h"

/*
 * By depmod's index and libkmod, then by one run of modprobe. Never for a captured machine:
 * -EPERM.
 */
struct module_loader module_loader_kmod(struct fs *fs, const char *release)
	__attribute__((nonnull));
