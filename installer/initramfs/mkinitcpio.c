// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mkinitcpio: Arch Linux and its kin. Its presets name the images.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends.h"
#include "boot_files.h"
#include "initrd_units.h"
#include "preset.h"
#include "text.h"

#define PROGRAM "usr/bin/mkinitcpio"
#define HOOK "usr/lib/initcpio/install/vfio-claim"
#define CONFIG_MAX (64 * 1024)

static bool probe(struct fs *root, struct str *evidence)
{
	if (root->ops->exists(root, PROGRAM) < 0)
		return false;
	str_add(evidence, "/" PROGRAM);
	return true;
}

/* ---- images */

struct find {
	const char *release;
	char pkgbase[128]; /* the preset of a kernel is named after its package */
	unsigned left; /* images to pass over */
	struct str path;
};

static bool is_kernels(const struct find *find, const struct preset_image *image)
{
	return (*find->pkgbase && str_equal(image->name, find->pkgbase)) ||
	       str_equal(image->kernel, find->release);
}

static int find_image(void *arg, const struct preset_image *image)
{
	struct find *find = arg;

	if (!is_kernels(find, image) || find->left-- > 0)
		return 0;
	str_add(&find->path, image->path);
	return 1;
}

static void read_pkgbase(struct fs *root, struct find *find)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, "lib/modules/", find->release, "/pkgbase", NULL);
	if (fs_read_text(root, path, find->pkgbase, sizeof(find->pkgbase)) < 0 ||
	    strpbrk(find->pkgbase, "/ \n"))
		*find->pkgbase = '\0';
}

/*
 * 1 with the path of one that a preset names, 0 if there are not so many, or a negative
 * errno.
 */
static int preset_image(struct fs *root, struct find *find, char *path, size_t size)
{
	char said[512];
	struct str why = STR_ON(said);
	const char *end;
	int r;

	str_init(&find->path, path, size);
	read_pkgbase(root, find);
	r = preset_each(root, find_image, find, &why);
	end = strstr(said, ": ");
	/* "/FILE:LINE: what is wrong" */
	if (r < 0 && *said == '/' && end)
		str_add_n(&find->path, said + 1, (size_t)(end - said) - 1);
	else if (r < 0)
		str_add(&find->path, PRESETS);
	return r;
}

static int image(struct fs *root, const char *release, unsigned n, char *path,
		 size_t size)
{
	struct find find = { .release = release, .left = n };
	int r = preset_image(root, &find, path, size);

	/* behind those of presets */
	if (r == 0 && find.left == 0 && initramfs_entry(root, release, path, size) == 0)
		return 0;
	else if (r == 0 && n > 0)
		return -ENODATA;
	else if (r == 0)
		str_join(&find.path, "boot/initramfs-",
			 *find.pkgbase ? find.pkgbase : release, ".img", NULL);
	if (r >= 0)
		r = root->ops->exists(root, path);
	return find.path.cut ? -ENAMETOOLONG : r;
}

/* ---- building */

struct plan {
	struct fs *root;
	struct str *why;
	bool any;
};

/* Ours is in a drop-in, and none is read for a configuration that a preset names. */
static int check_preset(void *arg, const struct preset_image *image)
{
	struct plan *plan = arg;
	TEXT_OWNED char *text = NULL;

	plan->any = true;
	if (!*image->config || (boot_look(plan->root, image->config, &text) == 0 &&
				strstr(text, "vfio-claim")))
		return 0;
	str_join(
		plan->why, "/", image->file, _(" names a configuration, /"),
		image->config,
		_(", and mkinitcpio then reads no drop-ins; take ALL_config and the like "
		  "out of it, or put vfio-claim before udev or systemd, and "
		  "vfio-claim-settle behind udev, into HOOKS of that file"),
		NULL);
	return -EPERM;
}

/* kernel-install has mkinitcpio build those of its entries. */
static int plan_entries(struct plan *plan, struct changes *changes)
{
	struct initramfs_kernels kernels;
	int r = initramfs_kernels(plan->root, &kernels);

	for (size_t i = 0; r == 0 && i < kernels.n; i++) {
		char path[FS_PATH_MAX];

		if (initramfs_entry(plan->root, kernels.release[i], path, sizeof(path)) <
		    0)
			continue;
		plan->any = true;
		r = boot_install(plan->root, changes, kernels.release[i]);
	}
	return r;
}

static int plan(struct fs *root, struct changes *changes, struct str *why)
{
	static const char *const all[] = { "mkinitcpio", "-P", NULL };
	struct plan plan = { .root = root, .why = why };
	int r = preset_each(root, check_preset, &plan, why);

	if (r == 0 && plan.any)
		r = changes_run(changes, N_("rebuild the initramfs of every kernel"), all,
				NULL);
	if (r == 0)
		r = plan_entries(&plan, changes);
	if (r == 0 && !plan.any) {
		str_add(why, _("mkinitcpio builds nothing: no preset in /" PRESETS
			       " names an image; install the kernel's package again"));
		r = -ENOENT;
	}
	return r;
}

static void mend(struct fs *root, const char *release, struct str *command)
{
	struct find find = { .release = release };
	char path[FS_PATH_MAX];
	const bool preset = preset_image(root, &find, path, sizeof(path)) != 0;
	const bool entry = initramfs_entry(root, release, path, sizeof(path)) == 0;

	if (preset || !entry)
		str_add(command, "mkinitcpio -P");
	if (entry)
		str_join(command, preset ? " && " : "", "kernel-install add ", release,
			 " /usr/lib/modules/", release, "/vmlinuz", NULL);
}

/* ---- what an image calls */

struct calls {
	struct initrd_units units;
	bool early, settle; /* scripts of busybox's init */
	char config[CONFIG_MAX]; /* names them in their order */
	size_t config_len;
};

static bool see(void *arg, const struct image_entry *e)
{
	struct calls *calls = arg;
	const bool runs = S_ISREG(e->mode) && e->mode & S_IXUSR;

	initrd_units_see(&calls->units, e);
	if (str_equal(e->path, "hooks/vfio-claim"))
		calls->early = runs;
	else if (str_equal(e->path, "hooks/vfio-claim-settle"))
		calls->settle = runs;
	if (!str_equal(e->path, "config"))
		return false;
	calls->config_len = 0;
	return true;
}

static void see_data(void *arg, const char *data, size_t len)
{
	struct calls *calls = arg;

	/* mkinitcpio writes a few lines */
	if (len > CONFIG_MAX - 1 - calls->config_len)
		len = CONFIG_MAX - 1 - calls->config_len;
	memcpy(calls->config + calls->config_len, data, len);
	calls->config_len += len;
}

/* The place of a word in KEY="...", from 1; 0: it is not there. */
static unsigned place(const char *config, const char *key, const char *word)
{
	const char *at = config;
	unsigned n = 0;

	for (; !str_take_text(&at, key); at++) {
		at = strchr(at, '\n');
		if (!at)
			return 0;
	}
	for (size_t len; *at && *at != '\n'; at += len) {
		at += strspn(at, " \"");
		len = strcspn(at, " \"\n");
		n += len > 0;
		if (len && len == strlen(word) && memcmp(at, word, len) == 0)
			return n;
	}
	return 0;
}

static void judge(void *arg, struct str *why)
{
	struct calls *calls = arg;
	unsigned early, settle, encrypt;

	if (calls->units.systemd) {
		initrd_units_judge(&calls->units, why);
		return;
	}
	calls->config[calls->config_len] = '\0';
	early = place(calls->config, "EARLYHOOKS=", "vfio-claim");
	settle = place(calls->config, "HOOKS=", "vfio-claim-settle");
	encrypt = place(calls->config, "HOOKS=", "encrypt");
	if (!calls->early)
		initramfs_miss(why, "hooks/vfio-claim", _(" is not in it"));
	if (!calls->settle)
		initramfs_miss(why, "hooks/vfio-claim-settle", _(" is not in it"));
	if (!early)
		initramfs_miss(why, "config", _(" does not call vfio-claim"));
	else if (early > 1)
		initramfs_miss(why, "config",
			       _(" calls vfio-claim too late: not first of all"));
	if (!settle)
		initramfs_miss(why, "config", _(" does not call vfio-claim-settle"));
	else if (settle < place(calls->config, "HOOKS=", "udev"))
		initramfs_miss(why, "config",
			       _(" calls vfio-claim-settle too early: before udev"));
	else if (encrypt && encrypt < settle)
		initramfs_miss(why, "config",
			       _(" calls vfio-claim-settle too late: after encrypt"));
}

const struct initramfs initramfs_mkinitcpio = {
	.name = "mkinitcpio",
	.probe = probe,
	.plan = plan,
	.image = image,
	.calls = { .size = sizeof(struct calls),
		   .entry = see,
		   .data = see_data,
		   .judge = judge },
	.program = "mkinitcpio",
	.hook = HOOK,
	.mend = mend,
	.rebuild = "mkinitcpio -P",
	.compress = N_("set COMPRESSION=zstd in /etc/mkinitcpio.conf"),
};
