/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a domain for passthrough: one table of checks over its XML and the
 * machine's files. Looks only, but for the tree of the domain when it shall mend.
 */
#pragma once

#include <stdio.h>
#include <sys/stat.h>

#include "attached.h"
#include "card.h"
#include "host.h"

#define CHECK_FILE_MAX (256 * 1024)
#define CHECK_PATH_MAX 1024

enum check_severity {
	CHECK_NOTE,
	CHECK_WARNING,
	CHECK_PROBLEM, /* it does not start, or the guest has no card */
	CHECK_SEVERITIES,
};

struct check;

struct check_row {
	const char *code; /* stable, for scripts */
	const char *title;
	void (*run)(struct check *c); /* adds findings, or none */
};

struct check_finding {
	const struct check_row *row;
	enum check_severity severity;
	char *detail; /* what was found, where */
	char *mend; /* NULL: nothing */
	bool fixable;
	bool fixed; /* in the tree */
};

/* What the machine is and what the domain wants, read once. */
struct check {
	struct fs *root;
	const char *name;
	xmlNode *domain;
	bool running, session; /* see struct domain */
	bool fix;

	const struct check_row *row; /* the one that runs */
	struct check_finding *findings;
	size_t n, room;
	int error; /* -ENOMEM: something was not said, or not fixed */

	struct attached *attached; /* of the tree as it is now */
	struct cards cards;
	struct host host;
	bool kvm; /* type='kvm' */
	bool windows;
	uint64_t memory; /* KiB; 0: not known */
	char text[CHECK_FILE_MAX]; /* the last that check_read() was asked for */
};

/*
 * Too large for a stack: a static one, or of the heap. Returns 0 or a negative errno; on
 * success the caller calls check_finish().
 */
int check_begin(struct check *c, struct fs *root, const char *name, xmlNode *domain)
	__attribute__((nonnull, warn_unused_result));
void check_run(struct check *c) __attribute__((nonnull));
void check_finish(struct check *c) __attribute__((nonnull));

/* How many of a severity are left, fixed ones not counted. */
size_t check_count(const struct check *c, enum check_severity severity)
	__attribute__((nonnull));
size_t check_count_fixed(const struct check *c) __attribute__((nonnull));
/* The tree was not saved. */
void check_forget_fixes(struct check *c) __attribute__((nonnull));
void check_print(const struct check *c, FILE *out, bool colour) __attribute__((nonnull));
/* 0 or -ENOMEM. */
int check_print_json(const struct check *c, FILE *out)
	__attribute__((nonnull, warn_unused_result));

/*
 * Prints what is in the way of a definition that libvirt is to get, or has just got, with
 * what to do about it: problems and warnings, or nothing at all.
 */
void check_definition(struct fs *root, const char *name, const char *xml, FILE *out,
		      bool colour) __attribute__((nonnull));

/* ---- for the checks */

/* A finding of the check that runs. Control characters become '?'. */
void check_say(struct check *c, enum check_severity severity, const char *detail, ...)
	__attribute__((nonnull, format(printf, 3, 4)));
/* What to do about the last finding. */
void check_mend(struct check *c, const char *mend, ...)
	__attribute__((nonnull, format(printf, 2, 3)));
/* The last finding is one that --fix mends; true if the tree shall be changed now. */
bool check_shall_fix(struct check *c) __attribute__((nonnull));
/* So it was, if `done`; else there was no memory. What is attached is read again. */
void check_fixed(struct check *c, bool done) __attribute__((nonnull));

/* A whole file into c->text. 0 or a negative errno. Paths may begin with a '/'. */
int check_read(struct check *c, const char *path)
	__attribute__((nonnull, warn_unused_result));
/* Only what is surely not there is missing. */
bool check_missing(const struct check *c, const char *path) __attribute__((nonnull));
/* Without opening it. */
int check_stat(const struct check *c, const char *path, struct stat *ret)
	__attribute__((nonnull, warn_unused_result));

/* "0000:01:00.0" */
struct check_address {
	char text[PCI_ADDRESS_LEN];
};
struct check_address check_address(struct pci_address address);
/* The function that a hostdev gives to the guest, as it is now; NULL: there is none. */
const struct pci_function *check_function(const struct check *c, size_t hostdev)
	__attribute__((nonnull));
/* The claim whose optional function a hostdev was, before that went; or ATTACHED_NONE. */
int check_awaited(const struct check *c, size_t hostdev) __attribute__((nonnull));
/* Where that is in a card, or NULL. */
const struct card_function *check_card_function(const struct check *c,
						struct pci_address address,
						const struct card **ret_card)
	__attribute__((nonnull(1)));
/* Whether the guest gets this function of the machine. */
bool check_attached(const struct check *c, struct pci_address address)
	__attribute__((nonnull));
/* Whether the guest gets a display. */
bool check_has_display(const struct check *c) __attribute__((nonnull));
/* An amount with a unit, as of <memory>, in KiB; 0 if it is none. */
uint64_t check_amount(const xmlNode *node);

/* ---- the checks */

void check_no_hostdev(struct check *c), check_claim_unknown(struct check *c),
	check_moved(struct check *c), check_doubtful(struct check *c),
	check_absent(struct check *c), check_changed(struct check *c),
	check_ambiguous(struct check *c), check_companions(struct check *c);
void check_not_claimed(struct check *c), check_device_missing(struct check *c),
	check_host_driver(struct check *c), check_group(struct check *c),
	check_managed(struct check *c), check_slots(struct check *c),
	check_guest_function(struct check *c);
void check_machine(struct check *c), check_no_ovmf(struct check *c),
	check_ovmf_files(struct check *c), check_display(struct check *c),
	check_tpms(struct check *c), check_swtpm(struct check *c);
void check_rom_missing(struct check *c), check_rom_invalid(struct check *c),
	check_rom_unreadable(struct check *c), check_rom_apparmor(struct check *c);
void check_vfio_devices(struct check *c), check_device_acl(struct check *c),
	check_qemu_user(struct check *c);
void check_memory_limit(struct check *c), check_memlock(struct check *c),
	check_memory_size(struct check *c), check_hugepages(struct check *c);
void check_cpu_mode(struct check *c), check_address_width(struct check *c),
	check_topology(struct check *c), check_code43(struct check *c),
	check_kvm_hidden(struct check *c), check_ignore_msrs(struct check *c);
