/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines to which something comes late, as start leaves them. */
#pragma once

#include "scene.h"

/* For started(): the card's audio is hidden; none of the card is there. */
void audio_is_late(struct scene *s);
void a_box(struct scene *s);

/* After start, its lines of the log forgotten. */
struct scene *started(void (*how)(struct scene *));

void assert_warning(const struct scene *s, const char *code, const char *part);
void assert_no_warning(const struct scene *s, const char *code);
