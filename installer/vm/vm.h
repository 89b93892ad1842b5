/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine as its owner wants it: what was asked for, and, after decide(), every
 * choice that was left open. Kept as JSON; the XML and the QEMU command line are made
 * from it and from where the claim's functions are now.
 */
#pragma once

#include <json-c/json.h>

#include "fs.h"

#define VM_TPM_FOLDER "/var/lib/libvirt/swtpm" /* libvirt's, by UUID */
#define VM_FOLDER "var/lib/vfio-claim/vm"
#define VM_MAX_LIST 64
#define VM_USB_PORTS 15 /* as many as QEMU's controller has */
#define VM_TABLET_PORT 1 /* the host's USB devices follow */
#define VM_VENDOR_ID \
	"0123456789ab" /* of Hyper-V's, where the hypervisor is hidden: any but KVM's */

enum vm_os { VM_OS_UNSET, VM_WIN11, VM_WIN10, VM_LINUX };
enum vm_flag { VM_UNSET, VM_NO, VM_YES };
enum vm_type { VM_TYPE_UNSET, VM_KVM, VM_QEMU };
enum vm_bus { VM_BUS_UNSET, VM_VIRTIO, VM_SATA };
enum vm_nic { VM_NIC_UNSET, VM_NIC_VIRTIO, VM_NIC_E1000E };
enum vm_display { VM_DISPLAY_UNSET, VM_HEADLESS, VM_SPICE };
enum vm_sound { VM_SOUND_UNSET, VM_SILENT, VM_SOUND_SPICE, VM_SOUND_PULSE };

struct vm_list {
	char *items[VM_MAX_LIST];
	size_t n;
};

/* Texts are on the heap; NULL, 0 and UNSET: not asked for, not decided. */
struct vm {
	char *name, *title, *uuid, *claim;
	enum vm_os os;
	enum vm_type type;
	char *emulator; /* path of QEMU */
	enum vm_flag libvirt; /* NO: libvirt knows nothing of it */
	/* firmware */
	enum vm_flag secure_boot, tpm;
	char *loader, *loader_format, *nvram_template, *nvram;
	/* processors and memory */
	unsigned memory; /* MiB */
	unsigned cpus, threads; /* virtual ones in all, and of them for each core */
	enum vm_flag topoext; /* AMD: the guest is told of the threads */
	unsigned address_bits; /* at most, of its addresses; 0: as many as the host's */
	enum vm_flag address_limit; /* NO: libvirt has no word for that */
	enum vm_flag hugepages, pin;
	unsigned hugepage_size; /* KiB */
	struct vm_list pins; /* one for each virtual processor: "4", a host's */
	char *other_cpus; /* for QEMU's own threads: "0-3,8-11" */
	char *nodes; /* memory from these NUMA nodes: "0" */
	/* the claimed functions */
	enum vm_flag hide_kvm, x_vga;
	char *rom;
	/* devices */
	struct vm_list disks, disk_formats; /* "qcow2", "raw", "block" */
	struct vm_list made; /* of the disks, those that are made for it */
	struct vm_list made_bytes; /* of each of those: "85899345920" */
	enum vm_bus disk_bus;
	struct vm_list isos;
	enum vm_display display;
	enum vm_flag video; /* an emulated card on that display */
	enum vm_sound sound;
	char *sound_server; /* PulseAudio's socket */
	char *network; /* "none", "user", "network:NAME", "bridge:NAME" */
	char *mac;
	enum vm_nic nic;
	struct vm_list usb; /* "046d:c52b" */
	struct vm_list evdev; /* paths */
	char *looking_glass; /* "2560x1440" */
	unsigned shared_memory; /* MiB, for it */
};

void vm_finish(struct vm *vm) __attribute__((nonnull));
#define VM_OWNED __attribute__((cleanup(vm_finish)))

/* What the values of an enum are called; NULL ends them, [0] is "". */
extern const char *const vm_os_names[],
	*const vm_flag_names[], *const vm_type_names[],
					*const vm_bus_names[],
						*const vm_display_names[],
							*const vm_sound_names[],
								*const vm_nic_names[];

/* The value of that name, 0 if there is none. */
unsigned vm_choice(const char *const *names, const char *name) __attribute__((nonnull));

bool vm_is_windows(const struct vm *vm) __attribute__((nonnull));

/* Replaces a text by a copy. 0 or -ENOMEM. */
int vm_set(char **text, const char *value) __attribute__((nonnull, warn_unused_result));
/* 0, -ENOSPC or -ENOMEM. */
int vm_list_add(struct vm_list *list, const char *value)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether a text of the user's can stand in XML, in a file's name and on a command line:
 * valid UTF-8 without control characters.
 */
bool vm_text_ok(const char *text) __attribute__((nonnull));
/* A machine's name: such a text, no '/', no '.' or '-' in front, at most 60 bytes. */
bool vm_name_ok(const char *name) __attribute__((nonnull));

/* The caller releases it; NULL: no memory. */
struct json_object *vm_to_json(const struct vm *vm)
	__attribute__((nonnull, warn_unused_result));

/* Makes the folders above a path, for root alone. Returns 0 or a negative errno. */
int vm_make_folders(struct fs *root, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Writes VM_FOLDER/NAME.json. Returns 0 or a negative errno. */
int vm_save(struct fs *root, const struct vm *vm)
	__attribute__((nonnull, warn_unused_result));

/*
 * Returns 0; -ENOENT, -EPROTO if it is not one of ours, or another negative errno. On
 * success the caller calls vm_finish().
 */
int vm_load(struct fs *root, const char *name, struct vm *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whoever runs it without libvirt holds this until the descriptor is closed. Returns it;
 * -EWOULDBLOCK if somebody else does, or another negative errno.
 */
int vm_lock(struct fs *root, const struct vm *vm)
	__attribute__((nonnull, warn_unused_result));

/* "VM_FOLDER/NAME.LEAF" */
void vm_path(char *buf, size_t size, const char *name, const char *leaf)
	__attribute__((nonnull));
