/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools.h"

#include <stddef.h>

const char *const tools_qemu[] = { "usr/bin/qemu-system-x86_64", "usr/libexec/qemu-kvm",
				   "usr/local/bin/qemu-system-x86_64", NULL };

const char *const tools_libvirt[] = { "usr/sbin/virtqemud", "usr/bin/virtqemud",
				      "usr/sbin/libvirtd", "usr/bin/libvirtd", NULL };
