/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt, with its refusals in words that say what to do.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

#include "str.h"

/*
 * The system's QEMU driver; $LIBVIRT_DEFAULT_URI chooses another one, as for virsh. NULL
 * with `why`: what is not installed, not running or not allowed, and the mend. The caller
 * calls virConnectClose().
 */
virConnectPtr libvirt_open(bool read_only, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Appends what libvirt last said. */
void libvirt_error(struct str *why) __attribute__((nonnull));

/*
 * A domain by name or UUID. NULL with `why`; `ret_missing`, if not NULL, tells that there
 * is none. The caller calls virDomainFree().
 */
virDomainPtr libvirt_find(virConnectPtr connection, const char *name, bool *ret_missing,
			  struct str *why)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Its permanent definition, with what only its owner may see. free(); NULL with `why`. */
char *libvirt_xml(virDomainPtr domain, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Defines it once libvirt's own schema has accepted it. False with `why`. */
bool libvirt_define(virConnectPtr connection, const char *xml, struct str *why)
	__attribute__((nonnull, warn_unused_result));
