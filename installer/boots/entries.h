/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of the boot menu that claim what every other boot leaves to the host: a claim
 * with boot = named has one.
 */
#pragma once

#include "conf.h"
#include "kargs.h"

/* In parentheses behind the system's name; the claim's name follows. */
#define ENTRIES_TITLE "GPU goes to the guest: "
/* Of the entry in GRUB's menu; the claim's name follows. */
#define ENTRIES_ID "vfio-claim-"

/* What its entry tells the kernel: this claim, and those that every boot makes. */
void entries_choose(const struct conf *conf, const struct conf_claim *claim,
		    struct kargs_choice *ret) __attribute__((nonnull));
