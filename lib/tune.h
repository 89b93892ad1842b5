/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device offers of the settings (setting.h), and setting them. Nothing here
 * refuses a claim: what is refused stays as it was, and is noted.
 *
 * Kernel facts (Documentation/ABI/testing/sysfs-bus-pci, drivers/pci/pci-sysfs.c):
 * resourceN_resize (since 6.1) reads as a bitmap of the sizes, bit n for 2^n MiB, takes
 * n, says -EBUSY while a driver is bound and -ENOSPC where the bridge's window has no
 * room. reset_method (since 5.15) lists the methods that are in use, in order, and takes
 * only those that the device has; "default" for all of them. vfio-pci lets a function
 * sleep as soon as it has it (power/control is auto, since 5.19), and takes its
 * parameters when it is loaded.
 */
#pragma once

#include "loader.h"
#include "pci.h"
#include "setting.h"

#define TUNE_MAX_NOTES 16
#define TUNE_SIZES 44 /* of a BAR, PCIe 6.0, 7.8.6: 1 MiB to 8 EiB */

/* What was refused. Flat, as the log that it is part of. */
struct tune_notes {
	unsigned n;
	struct tune_note {
		uint8_t key; /* enum setting_key */
		char text[208];
	} notes[TUNE_MAX_NOTES];
};

/* How it was found, of what was begun to be changed. */
struct tune_undo {
	uint8_t begun; /* a bit for each key */
	uint8_t bar;
	char rebar[4], idle[4]; /* the size as the kernel takes it; d3cold_allowed */
	char reset[SETTING_RESET_LEN];
};

enum tune {
	TUNE_OFFERED,
	TUNE_E_REFUSED,
	TUNE_E_UNREADABLE, /* not known: it cannot be read */
};

/*
 * Whether the device can have what is said for a key: the judgement of set-up, doctor and
 * boot. If not, `why` says what it offers.
 */
enum tune tune_check(struct fs *fs, struct pci_address address,
		     const struct setting *want, enum setting_key key, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* "0000:01:00.0: reset = flr,bus: ", which every text about a setting begins with. */
void tune_add_name(struct str *s, struct pci_address address, const struct setting *want,
		   enum setting_key key) __attribute__((nonnull));

/* With no driver bound. `undo` is filled before anything is changed. */
void tune_before(struct fs *fs, struct pci_address address, const struct setting *want,
		 struct tune_undo *undo, struct tune_notes *notes)
	__attribute__((nonnull));

/* With vfio-pci bound. */
void tune_after(struct fs *fs, struct pci_address address, const struct setting *want,
		struct tune_notes *notes) __attribute__((nonnull));

/* With no driver bound. False, with the key in `lost`, if something is not as it was. */
bool tune_restore(struct fs *fs, struct pci_address address, struct tune_undo *undo,
		  struct str *lost) __attribute__((nonnull, warn_unused_result));

/*
 * What is wanted of reset and idle goes back to what the kernel begins with; whatever
 * drives the function. A BAR stays as it is: nobody knows any more what the firmware
 * chose. What is refused is appended to `lost`.
 */
void tune_default(struct fs *fs, struct pci_address address, const struct setting *want,
		  struct str *lost) __attribute__((nonnull));

/* Of vga. */
#define TUNE_DISAGREE "vga = yes and no: vfio-pci has one value for all"

/* What all functions that are to be claimed say of what vfio-pci has one value for. */
struct tune_votes {
	bool on, asleep, unsaid; /* idle */
	bool vga, no_vga;
};

void tune_vote(struct tune_votes *votes, const struct setting *want)
	__attribute__((nonnull));

/* The parameters that vfio-pci is to be loaded with. */
void tune_parameters(const struct tune_votes *votes, struct module_loader *loader)
	__attribute__((nonnull));

/* Notes what vfio-pci has otherwise, now that it is there. */
void tune_check_parameters(struct fs *fs, const struct tune_votes *votes,
			   struct tune_notes *notes) __attribute__((nonnull));

/*
 * The sizes that a BAR can have, bit n for 2^n MiB. 0, -ENOENT if it cannot be resized,
 * or another negative errno.
 */
int tune_sizes(struct fs *fs, struct pci_address address, unsigned bar, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * The reset methods in use, with blanks between. 0; -ENOENT if it cannot be reset; or
 * another negative errno.
 */
int tune_resets(struct fs *fs, struct pci_address address, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));
