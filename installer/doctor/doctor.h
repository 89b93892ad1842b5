/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine needs for its cards to be claimed and used: one table of checks, each of
 * which says what it found, where, and what to do. Looks only.
 */
#pragma once

#include <sys/stat.h>

#include "initramfs.h"
#include "next.h"
#include "text.h"

#define DOCTOR_FILE_MAX (1024 * 1024) /* a kernel's configuration has 300 KiB */
#define DOCTOR_NAMES_MAX 1024 /* files of one folder that are looked at */

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING,
	DOCTOR_PROBLEM,
	DOCTOR_UNKNOWN, /* it could not be read */
	DOCTOR_STATES,
};

struct doctor;

struct doctor_check {
	const char *id; /* stable, for scripts */
	const char *title;
	void (*run)(struct doctor *d); /* adds one finding, or more */
};

struct doctor_finding {
	const struct doctor_check *check;
	enum doctor_state state;
	char *evidence; /* what was read, where */
	char *mend; /* what to type or to change; NULL: nothing */
};

/* Whose packages: which command installs one. */
enum doctor_family {
	DOCTOR_OTHER,
	DOCTOR_DEBIAN,
	DOCTOR_FEDORA,
	DOCTOR_ARCH,
};

/* Facts that several checks need, read once. */
struct doctor {
	struct fs *root;
	const struct doctor_check *check; /* the one that runs */
	struct doctor_finding *findings;
	size_t n, room;
	int error; /* -ENOMEM: something was not said */
	bool denied; /* something could be read by root only */

	enum doctor_family family;
	char release[MACHINE_RELEASE_LEN]; /* of the kernel that runs */
	struct initramfs_kernels kernels;
	int kernels_error;
	char cmdline[8192];
	int cmdline_error;
	struct report boot;
	struct next next;
	struct machine machine; /* list; functions if next.configured */
	int machine_error;
	/* what setup is about to claim, besides; borrowed */
	const struct pci_address *chosen;
	size_t n_chosen;
	char text[DOCTOR_FILE_MAX]; /* the last that doctor_read() was asked for */
};

/* Sorted. */
struct doctor_names {
	char **names;
	size_t n, room;
};

/* Too large for a stack. On success the caller calls doctor_finish(). */
int doctor_begin(struct doctor *d, struct fs *root)
	__attribute__((nonnull, warn_unused_result));
void doctor_run(struct doctor *d, const struct doctor_check *checks, size_t n)
	__attribute__((nonnull));
void doctor_finish(struct doctor *d) __attribute__((nonnull));

void doctor_print(const struct doctor *d, FILE *out, bool colour)
	__attribute__((nonnull));
/* 0 or -ENOMEM. */
int doctor_print_json(const struct doctor *d, FILE *out)
	__attribute__((nonnull, warn_unused_result));
/* How many findings there are of a state. */
size_t doctor_count(const struct doctor *d, enum doctor_state state)
	__attribute__((nonnull));

/* A finding of the check that runs. Control characters become '?'. */
void doctor_say(struct doctor *d, enum doctor_state state, const char *evidence, ...)
	__attribute__((nonnull, format(printf, 3, 4)));
/* What to do about the last finding. */
void doctor_mend(struct doctor *d, const char *mend, ...)
	__attribute__((nonnull, format(printf, 2, 3)));
/* The mend is to install a package; NULL: not known for those. */
void doctor_mend_install(struct doctor *d, const char *debian, const char *fedora,
			 const char *arch) __attribute__((nonnull(1)));
/* Says that a path could not be read, and why; -ENOENT included. */
void doctor_say_unreadable(struct doctor *d, const char *path, int error)
	__attribute__((nonnull));

/* A whole text file, into d->text; a folder is -EISDIR. 0 or a negative errno. */
int doctor_read(struct doctor *d, const char *path)
	__attribute__((nonnull, warn_unused_result));
bool doctor_exists(const struct doctor *d, const char *path) __attribute__((nonnull));
/* The first of a NULL terminated list that exists, or NULL. */
const char *doctor_first(const struct doctor *d, const char *const *paths)
	__attribute__((nonnull));
/* Without opening it: that a device file is opened can do something. */
int doctor_stat(const struct doctor *d, const char *path, struct stat *ret)
	__attribute__((nonnull, warn_unused_result));
/*
 * Names of a folder that end in `suffix`; an empty list if there is none. 0 or a negative
 * errno; on success the caller calls doctor_names_finish().
 */
int doctor_list(const struct doctor *d, const char *folder, const char *suffix,
		struct doctor_names *ret) __attribute__((nonnull, warn_unused_result));
void doctor_names_finish(struct doctor_names *names) __attribute__((nonnull));

/* The last value of a word KEY=VALUE of the running kernel's command line, or false. */
bool doctor_argument(const struct doctor *d, const char *key, char *value, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* True if a claim names it, or it is chosen. */
bool doctor_claimed(const struct doctor *d, struct pci_address address)
	__attribute__((nonnull));

enum doctor_module {
	DOCTOR_MODULE_ABSENT,
	DOCTOR_MODULE_FILE,
	DOCTOR_MODULE_BUILTIN,
	DOCTOR_MODULE_LOST, /* it is in the index, its file is gone */
	DOCTOR_MODULE_UNKNOWN, /* the indexes, or libkmod, cannot be used */
};

/* Whether there is a libkmod to ask: 0, or -ELIBACC with `why`. */
int doctor_modules_ready(struct str *why) __attribute__((nonnull, warn_unused_result));

/*
 * Asks libkmod about up to 8 modules of an installed kernel. In a process of its own: it
 * ends the one in which it meets a damaged index.
 */
void doctor_modules(const struct doctor *d, const char *release, const char *const *names,
		    size_t n, enum doctor_module *ret) __attribute__((nonnull));

/* ---- leftovers: a line of somebody's file */

struct doctor_line {
	const char *path;
	unsigned line;
	char *text; /* without comment and blanks around it; may be changed */
};

typedef void doctor_line_fn(struct doctor *d, void *arg, const struct doctor_line *line);

/*
 * Calls `fn` for every line that is not empty and no comment; a backslash at the end
 * continues one if `joined`. What cannot be read becomes a finding.
 */
void doctor_lines(struct doctor *d, const char *path, bool joined, doctor_line_fn *fn,
		  void *arg) __attribute__((nonnull(1, 2, 4)));
/* The same of each file of a folder. */
void doctor_lines_below(struct doctor *d, const char *folder, const char *suffix,
			bool joined, doctor_line_fn *fn, void *arg)
	__attribute__((nonnull(1, 2, 3, 5)));

/* Copies a module's or an argument's name with _ for every -. */
void doctor_plain_name(char *dst, size_t size, const char *name) __attribute__((nonnull));
/* The program that makes the images anew, in words. */
const char *doctor_rebuild(const struct doctor *d)
	__attribute__((nonnull, returns_nonnull));
/* Findings for `ids`, a list as vfio-pci takes it; `where` is file and line. */
void doctor_judge_ids(struct doctor *d, const char *where, const char *ids)
	__attribute__((nonnull));
/* A finding if this driver is kept away from cards that the host should have. */
void doctor_judge_blacklist(struct doctor *d, const char *where, const char *driver)
	__attribute__((nonnull));

/* ---- the checks */

void doctor_cpu(struct doctor *d), doctor_firmware_iommu(struct doctor *d),
	doctor_kernel_iommu(struct doctor *d), doctor_groups(struct doctor *d),
	doctor_remapping(struct doctor *d), doctor_reserved(struct doctor *d),
	doctor_no_iommu(struct doctor *d);
void doctor_vfio_modules(struct doctor *d), doctor_secure_boot(struct doctor *d),
	doctor_lockdown(struct doctor *d);
void doctor_kvm(struct doctor *d), doctor_qemu(struct doctor *d),
	doctor_ovmf(struct doctor *d), doctor_libvirt(struct doctor *d),
	doctor_user(struct doctor *d), doctor_vfio_devices(struct doctor *d);
void doctor_boot_loader(struct doctor *d), doctor_initramfs(struct doctor *d),
	doctor_images(struct doctor *d);
void doctor_conf(struct doctor *d), doctor_conf_file(struct doctor *d),
	doctor_next_boot(struct doctor *d), doctor_settings(struct doctor *d);
void doctor_modprobe(struct doctor *d), doctor_module_lists(struct doctor *d),
	doctor_arguments(struct doctor *d), doctor_overrides(struct doctor *d),
	doctor_cards(struct doctor *d), doctor_switchers(struct doctor *d);
