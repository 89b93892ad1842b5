/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the distributions put what runs guests. Paths without the leading '/', NULL ends
 * each list.
 */
#pragma once

extern const char *const tools_qemu[], *const tools_libvirt[];
