/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/vfio-claim.conf as text: claims are taken out, the rest stays as it was written.
 */
#pragma once

#include "args.h"

/*
 * Without the sections [claim NAME] of these names; NULL if memory is short. Comments
 * after a section's last line belong to what follows. *ret_left is true if another claim
 * is still there.
 */
char *claims_remove(const char *text, const struct args *names, bool *ret_left)
	__attribute__((nonnull, warn_unused_result));

/* With boot = named in the section of this claim, or without `boot`; NULL as above. */
char *claims_set_named(const char *text, const char *name, bool named)
	__attribute__((nonnull, warn_unused_result));
