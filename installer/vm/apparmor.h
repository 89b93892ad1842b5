/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether AppArmor lets a guest of libvirt read a file that its profile does not name by
 * itself.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether a rule of a profile's text lets `path` be read: "  /srv/card.rom r,".
 * Rules with variables, and for owners, count as none.
 */
bool apparmor_allows(const char *text, const char *path) __attribute__((nonnull));
