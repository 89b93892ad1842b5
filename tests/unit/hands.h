/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that runs, whose claim "gaming" (GPU, audio, USB) changes hands. */
#pragma once

#include "handover.h"
#include "release.h"
#include "scene.h"

/* What the last one said, and who was in the way. */
extern char hands_text[1024];
extern struct holders hands_holders;

/* The host has all of it, and vfio-pci is loaded. */
void hands_make(struct scene *s);

enum handover hands_claim(struct scene *s);
/* By what the boot has reported, where it has. */
enum handover hands_release_by_name(struct scene *s);
/* `known`: early boot has seen what drove it before. */
enum verdict hands_release(struct scene *s, enum release_how how, bool known);

void assert_hands_claimed(struct scene *s);
