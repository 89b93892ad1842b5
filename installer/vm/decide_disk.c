/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks and images of installation media.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decide.h"
#include "slurp.h"
#include "text.h"

#define IMAGES "var/lib/libvirt/images"
#define GIB ((uint64_t)1 << 30)
#define MOST_SATA 6 /* ports of Q35's own controller */
#define VIRTIO_WIN_AT                                                       \
	"https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/" \
	"stable-virtio/virtio-win.iso"

static bool is_absolute(struct decision *d, const char *option, const char *path)
{
	if (*path == '/' && path[1])
		return true;
	refuse(d, _("%s %s: say the whole path, from / on"), option, path);
	return false;
}

static bool is_there(struct decision *d, const char *option, const char *path)
{
	if (!is_absolute(d, option, path))
		return false;
	if (d->root->ops->exists(d->root, path + 1) == 0)
		return true;
	refuse(d, _("%s %s: there is no such file"), option, path);
	return false;
}

/* ---- disks */

/* By what it is; a file that only root may read by its name. */
static const char *format_of(struct fs *root, const char *path)
{
	static const char magic[] = "QFI\xfb";
	int fd = fs_open(root, path + 1, O_RDONLY | O_NONBLOCK, 0);
	char begin[4] = "";
	struct stat st = { 0 };
	ssize_t n = -1;

	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			n = pread(fd, begin, sizeof(begin), 0);
		close(fd);
	}
	if (S_ISBLK(st.st_mode) || str_starts(path, "/dev/"))
		return "block";
	if (n == (ssize_t)sizeof(begin))
		return memcmp(begin, magic, sizeof(begin)) == 0 ? "qcow2" : "raw";
	return fd < 0 && fnmatch("*.qcow2", path, 0) == 0 ? "qcow2" : "raw";
}

static int add_disk(struct decision *d, struct vm *vm, const char *path,
		    const char *format, uint64_t size)
{
	char bytes[24];
	struct str s = STR_ON(bytes);
	int r;

	for (size_t i = 0; i < vm->disks.n; i++)
		if (str_equal(vm->disks.items[i], path)) {
			refuse(d, _("--disk %s is named twice"), path);
			return 0;
		}
	r = vm_list_add(&vm->disks, path);
	if (r == 0 && size) {
		str_add_uint(&s, size);
		r = vm_list_add(&vm->made, path);
		if (r == 0)
			r = vm_list_add(&vm->made_bytes, bytes);
	}
	return r < 0 ? r : vm_list_add(&vm->disk_formats, format);
}

static int make_disk(struct decision *d, struct vm *vm, uint64_t size)
{
	char path[FS_PATH_MAX], number[16] = "";
	struct str s = STR_ON(number);

	if (vm->disks.n) {
		str_add_char(&s, '-');
		str_add_uint(&s, vm->disks.n + 1);
	}
	s = STR_ON(path);
	str_join(&s, "/", d->host->libvirt ? IMAGES : VM_FOLDER, "/", vm->name, number,
		 ".qcow2", NULL);
	if (d->root->ops->exists(d->root, path + 1) == 0)
		refuse(d, _("%s exists already: --disk %s uses it as it is"), path, path);
	return add_disk(d, vm, path, "qcow2", size);
}

static int take_disk(struct decision *d, struct vm *vm, const char *wish)
{
	uint64_t size;

	if (decide_size(wish, GIB, &size))
		return make_disk(d, vm, size);
	if (!strchr(wish, '/')) {
		refuse(d, _("--disk %s: a size (80G) or the path of a disk is expected"),
		       wish);
		return 0;
	}
	if (!is_there(d, "--disk", wish))
		return 0;
	return add_disk(d, vm, wish, format_of(d->root, wish), 0);
}

static int decide_disk(struct decision *d, const struct wishes *wishes, struct vm *vm)
{
	const uint64_t size = vm_is_windows(vm) ? 80 * GIB : 40 * GIB;
	int r = 0;

	for (size_t i = 0; r == 0 && i < wishes->disks.n; i++)
		r = take_disk(d, vm, wishes->disks.items[i]);
	if (r < 0 || wishes->disk_given)
		return r;
	r = make_disk(d, vm, size);
	choose(d, _("disk"),
	       _("it takes up only what the guest writes, and can be made larger"),
	       "%s, %" PRIu64 " GiB", vm->disks.items[0], size / GIB);
	return r;
}

/* ---- media */

static bool find_virtio_win(struct decision *d, char *buf, size_t size)
{
	static const char *const folders[] = { "usr/share/virtio-win", IMAGES };
	struct name_list names;
	bool found = false;

	for (size_t i = 0; !found && i < ARRAY_SIZE(folders); i++) {
		if (name_list_read(d->root, folders[i], &names) < 0)
			continue;
		/* the newest by name */
		for (size_t k = 0; k < names.n; k++)
			if (fnmatch("virtio-win*.iso", names.names[k], 0) == 0 &&
			    vm_text_ok(names.names[k])) {
				struct str s;

				str_init(&s, buf, size);
				str_join(&s, "/", folders[i], "/", names.names[k], NULL);
				found = !s.cut;
			}
		name_list_finish(&names);
	}
	return found;
}

/* Whether the guest will have virtio's drivers; their ISO is added. */
static int decide_virtio(struct decision *d, const struct wishes *wishes, struct vm *vm,
			 bool *ret)
{
	const char *wish = wishes->virtio_win;
	char found[FS_PATH_MAX];

	*ret = !vm_is_windows(vm);
	if (*ret || (wish && str_equal(wish, "none")))
		return 0;
	if (wish) {
		*ret = true;
		return is_there(d, "--virtio-win", wish) ? vm_list_add(&vm->isos, wish)
							 : 0;
	}
	*ret = find_virtio_win(d, found, sizeof(found));
	if (!*ret) {
		note(d,
		     _("virtio's drivers for Windows are not here, so disk and "
		       "network are slower ones that Windows knows; get them from " VIRTIO_WIN_AT
		       " into /var/lib/libvirt/images"));
		return 0;
	}
	choose(d, "virtio-win",
	       _("Windows' installer loads the disk's driver from it: \"Load driver\", "
		 "folder amd64"),
	       "%s", found);
	return vm_list_add(&vm->isos, found);
}

int decide_disks(struct decision *d, const struct wishes *wishes, struct vm *vm)
{
	bool virtio;
	int r;

	for (size_t i = 0; i < vm->isos.n; i++)
		(void)is_there(d, "--iso", vm->isos.items[i]);
	r = decide_disk(d, wishes, vm);
	if (r == 0)
		r = decide_virtio(d, wishes, vm, &virtio);
	if (r < 0)
		return r;
	if (!vm->disk_bus) {
		vm->disk_bus = virtio ? VM_VIRTIO : VM_SATA;
		choose(d, _("disk bus"),
		       virtio ? _("the fastest, with a thread of its own")
			      : _("Windows has no driver for virtio of its own"),
		       "%s", vm_bus_names[vm->disk_bus]);
	}
	vm->nic = virtio ? VM_NIC_VIRTIO : VM_NIC_E1000E;
	if (vm->isos.n + (vm->disk_bus == VM_SATA ? vm->disks.n : 0) > MOST_SATA)
		refuse(d, _("more than %d disks and ISO images on SATA"), MOST_SATA);
	return 0;
}

/* ---- the card's ROM */

bool decide_rom(struct decision *d, const char *path)
{
	unsigned char begin[2];
	ssize_t n;
	int fd;

	if (!is_there(d, "--rom", path))
		return false;
	fd = fs_open(d->root, path + 1, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0) {
		refuse(d, _("--rom %s cannot be read: %s"), path, str_errno(fd));
		return false;
	}
	n = pread(fd, begin, sizeof(begin), 0);
	close(fd);
	if (n == (ssize_t)sizeof(begin) && begin[0] == 0x55 && begin[1] == 0xaa)
		return true;
	refuse(d,
	       _("--rom %s: it does not begin with 55 AA, so it is no PCI ROM; what some "
		 "tools dump has a header in front, which has to be cut off"),
	       path);
	return false;
}
