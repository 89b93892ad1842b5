/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions show something: connected displays, and the firmware's framebuffer.
 */
#pragma once

#include "pci.h"

struct display_connector {
	struct pci_address address; /* the function it belongs to */
	char name[32]; /* "HDMI-A-1", without control characters */
	bool connected;
};

struct displays {
	struct display_connector *connectors; /* of all cards, sorted by name */
	size_t n, room;
	/* functions whose memory holds a firmware's framebuffer */
	struct pci_address framebuffers[8];
	size_t n_framebuffers;
};

/* What cannot be read shows nothing. 0 or -ENOMEM; the caller calls displays_finish(). */
int displays_scan(struct fs *root, struct displays *ret)
	__attribute__((nonnull, warn_unused_result));
void displays_finish(struct displays *displays) __attribute__((nonnull));

bool displays_framebuffer(const struct displays *displays, struct pci_address address)
	__attribute__((nonnull));

/* The text of /proc/iomem, which is taken apart; for scan and tests. */
void displays_parse_iomem(struct displays *displays, char *iomem)
	__attribute__((nonnull));
