/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_users.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "conf.h"
#include "driver.h"
#include "needed.h"
#include "slurp.h"
#include "text.h"

#define LINK_MAX 1024 /* bytes of a link's target below /sys/devices */
#define NVIDIA_NODE "/dev/nvidia"
#define NO_NUMBER UINT64_MAX

struct function {
	struct pci_address address;
	char name[PCI_ADDRESS_LEN];
	char driver[PCI_DRIVER_LEN];
	uint64_t nvidia; /* N of /dev/nvidiaN; NO_NUMBER: not known */
};

struct search {
	struct fs *root;
	struct holders *holders;
	struct function functions[CONF_MAX_FUNCTIONS];
	size_t n;
};

/* ---- device nodes */

/* The function that a folder of sysfs is a link to something below of, or NULL. */
static const struct function *above(struct search *s, const char *link)
{
	char target[LINK_MAX], part[PCI_ADDRESS_LEN + 2];

	if (s->root->ops->link(s->root, link, target, sizeof(target)) < 0)
		return NULL;
	for (const struct function *f = s->functions; f < s->functions + s->n; f++) {
		struct str p = STR_ON(part);

		str_join(&p, "/", f->name, "/", NULL);
		if (strstr(target, part))
			return f;
	}
	return NULL;
}

static bool node_is_ours(struct search *s, const struct stat *st)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/dev/%s/%u:%u",
		 S_ISCHR(st->st_mode) ? "char" : "block", major(st->st_rdev),
		 minor(st->st_rdev));
	return above(s, path);
}

/*
 * NVIDIA's own driver makes its nodes without telling sysfs: nvidiaN is a card's, the
 * others (nvidiactl, nvidia-uvm, nvidia-modeset) are everybody's.
 */
static bool is_of_nvidia(const struct function *f, const char *target)
{
	uint64_t number;

	if (!str_equal(f->driver, "nvidia") || !str_take_text(&target, NVIDIA_NODE))
		return false;
	return f->nvidia == NO_NUMBER || !str_take_uint(&target, 255, &number) ||
	       *target || number == f->nvidia;
}

/* Compute programs of every card of AMD's meet in one node. */
static bool is_of_amd(const struct function *f, const char *target)
{
	return str_equal(f->driver, "amdgpu") && str_equal(target, "/dev/kfd");
}

static void look_at(void *arg, const struct open_file *file)
{
	struct search *s = arg;
	bool ours = false;
	struct stat st;

	for (const struct function *f = s->functions; f < s->functions + s->n; f++)
		ours = ours || is_of_nvidia(f, file->target) ||
		       is_of_amd(f, file->target);
	/* what may not be followed is taken for what has its name here */
	if (!ours && (fs_stat(s->root, file->link, &st) == 0 ||
		      fs_stat(s->root, file->target + 1, &st) == 0))
		ours = (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
		       node_is_ours(s, &st);
	if (ours)
		holders_add(s->holders, s->root, file);
}

/* ---- what has no process */

/* Through device mapper and md, too. */
static void find_mount(struct search *s, const struct function *f)
{
	char what[128], clean[128], text[256];
	struct str w = STR_ON(what), t = STR_ON(text);

	if (!needed_mounted(s->root, f->address, &w))
		return;
	text_clean(clean, sizeof(clean), what);
	str_join(&t, _("a disk behind it holds "), clean, NULL);
	holders_add_kernel(s->holders, text);
}

static int visit_interface(void *arg, const char *name)
{
	char path[FS_PATH_MAX], text[128], state[16];
	struct search *s = arg;
	struct str p = STR_ON(path), t = STR_ON(text);

	str_join(&p, "sys/class/net/", name, NULL);
	if (!above(s, path))
		return 0;
	str_add(&p, "/operstate");
	if (fs_read_text(s->root, path, state, sizeof(state)) == 0 &&
	    str_equal(state, "up")) {
		str_join(&t, _("the network interface "), name, _(" is up"), NULL);
		holders_add_kernel(s->holders, text);
	}
	return 0;
}

/* Its users, or 0. */
static uint64_t module_users(struct search *s, const char *module)
{
	char path[FS_PATH_MAX], text[16];
	struct str p = STR_ON(path);
	const char *c = text;
	uint64_t users;

	str_join(&p, "sys/module/", module, "/refcnt", NULL);
	if (fs_read_text(s->root, path, text, sizeof(text)) < 0 ||
	    !str_take_uint(&c, UINT32_MAX, &users))
		return 0;
	return users;
}

/*
 * While nvidia_drm drives displays of a card, nvidia waits for it, inside the kernel, for
 * as long as that takes. The others let go whoever counts among their users.
 */
static void find_module(struct search *s, const struct function *f)
{
	char path[FS_PATH_MAX], module[PCI_DRIVER_LEN], text[128];
	struct str t = STR_ON(text);
	uint64_t users;

	pci_device_path(path, sizeof(path), f->address, "drm");
	if (str_equal(f->driver, "nvidia") && s->root->ops->exists(s->root, path) == 0) {
		holders_add_kernel(s->holders, _("the module nvidia_drm has its displays "
						 "(modprobe -r nvidia_drm)"));
		return;
	}
	pci_device_path(path, sizeof(path), f->address, "driver/module");
	if (fs_link_name(s->root, path, module, sizeof(module)) < 0)
		return;
	users = module_users(s, module);
	if (!users)
		return;
	str_join(&t, f->name, _(": users of the module "), module, ": ", NULL);
	str_add_uint(&t, users);
	holders_note(s->holders, text);
}

static int is_framebuffer(void *arg, const char *name)
{
	(void)arg;
	return str_starts(name, "fb");
}

static void find_notes(struct search *s, const struct function *f)
{
	char path[FS_PATH_MAX], state[16], text[128];
	struct str t = STR_ON(text);

	pci_device_path(path, sizeof(path), f->address, "graphics");
	if (s->root->ops->list(s->root, path, is_framebuffer, NULL) > 0) {
		str_join(&t, f->name,
			 _(": the text console may be on it, and leaves it then"), NULL);
		holders_note(s->holders, text);
	}
	pci_device_path(path, sizeof(path), f->address, "power/runtime_status");
	if (fs_read_text(s->root, path, state, sizeof(state)) == 0 &&
	    str_equal(state, "suspended")) {
		t = STR_ON(text);
		str_join(&t, f->name, _(": it sleeps, and is woken for that"), NULL);
		holders_note(s->holders, text);
	}
}

/* ---- */

/* Model: ..., and among other lines "Device Minor: \t 1" */
static uint64_t nvidia_number(struct fs *root, const char *name)
{
	static const char key[] = "Device Minor:";
	char path[FS_PATH_MAX];
	TEXT_OWNED char *text = NULL;
	struct str p = STR_ON(path);
	const char *c;
	uint64_t number;
	size_t len;

	str_join(&p, "proc/driver/nvidia/gpus/", name, "/information", NULL);
	if (slurp(root, path, 64 * 1024, &text, &len) < 0 || !(c = strstr(text, key)))
		return NO_NUMBER;
	c += sizeof(key) - 1;
	c += strspn(c, " \t");
	return str_take_uint(&c, 255, &number) ? number : NO_NUMBER;
}

static void add_function(struct search *s, struct pci_address address)
{
	struct function *f = &s->functions[s->n++];
	struct str name = STR_ON(f->name);

	f->address = address;
	pci_address_add(&name, address);
	if (driver_current(s->root, address, f->driver) < 0)
		f->driver[0] = '\0';
	f->nvidia = nvidia_number(s->root, f->name);
}

void host_users_find(struct fs *root, const struct pci_address *addresses, size_t n,
		     struct holders *ret)
{
	static struct search s;

	s = (struct search){ .root = root, .holders = ret };
	for (size_t i = 0; i < n && i < CONF_MAX_FUNCTIONS; i++)
		add_function(&s, addresses[i]);
	ret->unseen += open_files_each(root, look_at, &s);
	for (const struct function *f = s.functions; f < s.functions + s.n; f++) {
		find_mount(&s, f);
		find_module(&s, f);
		find_notes(&s, f);
	}
	(void)root->ops->list(root, "sys/class/net", visit_interface, &s);
}
