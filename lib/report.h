/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a boot did and why: a flat struct that can live in shared memory, and its JSON.
 */
#pragma once

#include "conf.h"
#include "reason.h"
#include "record.h"

#define REPORT_PATH "run/vfio-claim/report.json"
/* There while late arrivals are awaited; to remove it ends that for this boot. */
#define REPORT_AWAITED_PATH "run/vfio-claim/awaited"
/*
 * One more for each model, VVVV:DDDD behind it in upper case as in the kernel's PCI_ID=
 * (drivers/pci/pci-driver.c, pci_uevent()): udev looks for it and starts nothing for others.
 */
#define REPORT_AWAITED_MODEL REPORT_AWAITED_PATH "."
/* flock(): late arrivals are claimed while it is held, and not while another holds it. */
#define REPORT_LOCK_PATH "run/vfio-claim/state.lock"
#define REPORT_DETAIL_LEN 240
#define REPORT_MAX_DISPLAYS 64
#define REPORT_MAX_WARNINGS 16

struct report_function {
	struct pci_address configured;
	bool optional; /* the claim goes without it while it is not there */
	bool found;
	struct pci_address address; /* if found */
	struct pci_path path; /* of what was found, else the one configured */
	uint16_t vendor, device; /* likewise */
	enum match match;
	int group; /* number of the IOMMU group, -1: none known */
	char previous_driver[PCI_DRIVER_LEN];
	char driver[PCI_DRIVER_LEN]; /* read back; empty: none */
};

struct report_claim {
	char name[CONF_NAME_LEN];
	enum outcome outcome;
	enum reason reason;
	char detail[REPORT_DETAIL_LEN];
	unsigned first, n; /* among the functions; n is 0 where none was looked for */
};

struct report_display {
	struct pci_address address;
	char driver[PCI_DRIVER_LEN];
};

struct report_warning {
	char code[32];
	char detail[REPORT_DETAIL_LEN];
};

struct report {
	const char *stage; /* static */
	enum outcome outcome;
	enum reason reason;
	char detail[REPORT_DETAIL_LEN];
	char kernel[65];
	uint64_t elapsed_us;
	struct record record;
	unsigned n_claims, n_functions, n_displays, n_warnings;
	struct report_claim claims[CONF_MAX_CLAIMS];
	struct report_function functions[CONF_MAX_FUNCTIONS];
	struct report_display displays[REPORT_MAX_DISPLAYS];
	struct report_warning warnings[REPORT_MAX_WARNINGS];
};

/* Sets outcome, reason and detail from the claims, unless a reason stands already. */
void report_summarise(struct report *report) __attribute__((nonnull));

/* Appends a warning; those that do not fit are left out. */
void report_warn(struct report *report, const char *code, const char *detail)
	__attribute__((nonnull));

/* Takes back the warnings of that code about a function. */
void report_unwarn(struct report *report, const char *code, struct pci_address address)
	__attribute__((nonnull));

/* The JSON that vfio-claim-early(8) describes; complete unless the string was cut. */
void report_add_json(struct str *s, const struct report *report) __attribute__((nonnull));

/* A JSON string: quoted, and plain ASCII whatever is in it. */
void report_add_string(struct str *s, const char *text) __attribute__((nonnull));

/* Writes it by rename. Returns 0 or a negative errno. */
int report_write(struct fs *fs, const char *path, const struct report *report)
	__attribute__((nonnull, warn_unused_result));
