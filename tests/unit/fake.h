/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in memory behind struct fs_ops: sysfs as the PCI core shows it, and what a
 * write does to it, refusals included (drivers/base/bus.c, drivers/base/dd.c,
 * drivers/pci/pci-driver.c, drivers/vfio/pci/). Everything is in the struct, without
 * pointers to the heap: it can be copied, and shared with a worker.
 */
#pragma once

#include <setjmp.h>
#include <stdio.h>

#include "loader.h"
#include "partition.h"
#include "pci.h"

#define FAKE_FUNCTIONS 280
#define FAKE_DRIVERS 12
#define FAKE_OVERLAYS 12
#define FAKE_FAULTS 4
#define FAKE_VOLUMES 4
#define FAKE_STATE_SIZE (256 * 1024)
#define FAKE_LOG_LINES 16
#define FAKE_NONE (-1)
#define FAKE_DEFER 517 /* EPROBE_DEFER */

struct fake_function {
	struct pci_address address;
	int parent; /* index of the bridge above, FAKE_NONE: on a root bus */
	struct pci_ids ids;
	char driver[PCI_DRIVER_LEN];
	char override[PCI_DRIVER_LEN];
	int group; /* FAKE_NONE: none */
	int numvfs; /* FAKE_NONE: no SR-IOV */
	uint8_t header_type;
	bool dead; /* does not answer configuration reads */
	bool no_config;
	bool has_serial;
	uint64_t serial;
	bool absent; /* not plugged in */
	/* the access at which it is plugged in, matched by drivers, pulled; 0: none */
	unsigned shows_at, matches_at, goes_at;
	/* what is set before it is bound; of the one BAR that can be resized: */
	uint64_t rebar_sizes; /* a bit for each 2^n MiB; 0: none can */
	uint8_t rebar_bar, rebar_size;
	uint8_t rebar_room; /* what is larger does not fit into the bridge's window */
	const char *resets; /* what it has, each between blanks; NULL: no reset_method */
	char reset_method[64];
	bool power; /* has the power management capability */
	bool d3cold_allowed;
	bool awake; /* power/control is on */
	bool touched; /* a write named it */
	unsigned bound_at; /* the access that gave it to vfio-pci first; 0: none */
};

struct fake_driver {
	const char *name; /* and of its module */
	bool loaded;
	bool loadable;
	uint16_t vendor; /* 0: any */
	uint32_t class, mask; /* mask 0: takes nothing without an override */
	int probe_error; /* positive errno: how it refuses */
};

struct fake_framebuffer {
	const char *driver, *device;
	bool bound;
};

/* What a path holds instead of what the model says. */
struct fake_overlay {
	const char *path;
	const char *data; /* NULL: there is no such path */
	size_t len;
};

/* An access that fails: the `at`th of all, or, with a path, each that contains it. */
struct fake_fault {
	unsigned at;
	const char *path;
	unsigned skip; /* with a path: this many pass before */
	unsigned times; /* with a path; 0: always */
	int error;
	bool after; /* a write takes effect, and then reports the error */
	unsigned fired;
	unsigned fired_at; /* the access that it hit last */
};

struct fake_file {
	bool there;
	bool immutable; /* as efivarfs makes what it does not know */
	size_t len;
	char data[128];
};

enum fake_mounted { FAKE_NOWHERE, FAKE_READ_ONLY, FAKE_READ_WRITE };

/* What a write leaves when the power goes while it is done. */
enum fake_torn { FAKE_WHOLE, FAKE_EMPTY, FAKE_HALF, FAKE_MIXED, FAKE_GARBAGE };
#define FAKE_TORN_KINDS 5

/* A file system that can be mounted: efivarfs, or a partition. */
struct fake_volume {
	const char *device; /* NULL: efivarfs, whose record is a variable */
	const char *type, *partuuid;
	bool boot_folder; /* it has a boot/, where the files are then */
	struct fake_file record, off;
	enum fake_mounted mounted; /* by the system */
	unsigned looks_before; /* this often it is not found yet */
	int mount_error, write_error; /* positive errno */
	unsigned writes;
	unsigned mounted_at; /* the access that mounted it first, or tried; 0: none */
	unsigned written_at; /* the access that changed the record first; 0: none */
	bool quick; /* a write did not ask to be durable */
};

struct fake {
	struct fs fs; /* first: the ops get a pointer to it */
	char release[65];
	struct fake_function functions[FAKE_FUNCTIONS];
	unsigned n_functions;
	struct fake_driver drivers[FAKE_DRIVERS];
	unsigned n_drivers;
	struct fake_framebuffer framebuffer; /* driver NULL: none */

	bool iommu; /* one is registered */
	const char *group_type; /* of all groups */
	const char *group_name; /* NULL: no name file */
	const char *unsafe_mode; /* NULL: vfio is not loaded */
	const char *unsafe_loaded; /* what unsafe_mode is once vfio-pci is loaded */
	const char *disable_vga, *disable_idle_d3; /* vfio-pci's; NULL: not loaded */
	bool no_vfio_vga; /* the kernel was built without */
	const char *acpi_table; /* "DMAR", "IVRS", NULL */
	bool modules; /* /lib/modules/RELEASE is there */
	const char *no_override; /* how an unset override reads */
	const char *cmdline, *iomem, *conf;
	size_t conf_len; /* 0: strlen() */
	struct fs_meta conf_meta;
	int load_error; /* positive errno: of the module loader */
	bool efi; /* the firmware has variables: the first volume */
	const char *partitions; /* the image's list; NULL: none */
	struct fake_volume volumes[FAKE_VOLUMES];
	unsigned n_volumes; /* at least the first, which is efivarfs */
	bool hibernated;

	struct fake_overlay overlays[FAKE_OVERLAYS];
	struct fake_fault faults[FAKE_FAULTS];
	unsigned kill_at; /* SIGKILL for the process that makes this access */
	bool kill_after; /* after its effect */
	enum fake_torn torn; /* or in the middle of it */
	unsigned accesses, writes, loads;
	char hit_path[FS_PATH_MAX]; /* of the access that failed last */

	char log[FAKE_LOG_LINES][1024]; /* what was written to /dev/kmsg */
	unsigned n_log;
	char report[16 * 1024];
	size_t report_len;
	char report_path[FS_PATH_MAX];
	const char *opened; /* what process 1 has open; NULL: nothing, and "": no /proc */
	const char *usb; /* a USB device of the controller of the scenes; NULL: none */
	bool awaited; /* run/vfio-claim/awaited is there */
	char models[8][10]; /* VVVV:DDDD of the files beside it */
	unsigned n_models;
	/* last, so that a copy need not be larger than it is: see scene_copy() */
	size_t state_len; /* of run/vfio-claim/state; 0: there is none */
	char state[FAKE_STATE_SIZE];
};

/*
 * An empty machine with an IOMMU, the usual drivers, and none of the GPU's or vfio's
 * loaded.
 */
void fake_init(struct fake *f);

/*
 * Adds a function; a loaded driver takes it at once. `parent` is an address, NULL for a
 * root bus; ids as "10de:2484".
 */
struct fake_function *fake_add(struct fake *f, const char *address, const char *parent,
			       const char *id, const char *subsystem, uint32_t class,
			       int group);

struct fake_function *fake_at(struct fake *f, const char *address);

/*
 * Pulls a function, or plugs it in again as it is after power-on. As in the kernel, its
 * files and its uevent are there before a driver can match it (pci_bus_add_device()):
 * that is `delay` accesses later.
 */
void fake_pull(struct fake *f, const char *address);
void fake_plug(struct fake *f, const char *address, unsigned delay);

struct fake_driver *fake_driver(struct fake *f, const char *name);
void fake_overlay(struct fake *f, const char *path, const char *text);
struct fake_fault *fake_fail(struct fake *f, const char *path, int error, unsigned times);
struct module_loader fake_loader(struct fake *f);
/*
 * The function's BAR 1 has 256 MiB and can have 16 GiB; flr and bus reset it, and it can
 * sleep.
 */
void fake_add_offers(struct fake_function *fn);

/* A partition with an ext4 on it, mounted nowhere. */
struct fake_volume *fake_add_partition(struct fake *f, const char *device,
				       const char *partuuid);
struct partition_finder fake_finder(void);
/* True if everything that was mounted was unmounted; forgets what was not. */
bool fake_unmounted(void);
/* The pauses of this process, which nobody waits for. */
extern unsigned fake_slept_ms;

/* Where a kill goes; NULL: SIGKILL for this process. */
extern jmp_buf *fake_power_cut;

/* Between the parts of it: every access begins and ends here, and may fail. */
extern const struct fs_ops fake_files;
struct fake *fake_of(struct fs *fs);
struct fake_fault *fake_begin(struct fake *f, const char *path);
int fake_end(struct fake *f, const struct fake_fault *fault, int r);
int fake_find(const struct fake *f, const char *text, size_t len);
int fake_core_write(struct fake *f, const char *path, const char *data, size_t len);
int fake_core_load(struct fake *f, const char *name);
void fake_core_attach(struct fake *f, struct fake_function *fn);
int fake_mount(struct fs *fs, const char *type, const char *source, enum mount_use use,
	       struct fs *ret);
