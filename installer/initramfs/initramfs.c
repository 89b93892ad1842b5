// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "text.h"

static const struct initramfs *const table[] = {
	&initramfs_tools,   &initramfs_dracut,	       &initramfs_mkinitcpio,
	&initramfs_booster, &initramfs_tiny_initramfs, &initramfs_mkinitfs,
};

/* Whether its script runs after a kernel has been installed. */
static bool is_called(struct fs *root, const struct initramfs *generator)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, "etc/kernel/postinst.d/", generator->name, NULL);
	return !s.cut && root->ops->exists(root, path) == 0;
}

struct found {
	const struct initramfs *one;
	unsigned n;
	char names[128], evidence[512];
};

static void find(struct fs *root, bool called, struct found *ret)
{
	struct str names = STR_ON(ret->names), evidence = STR_ON(ret->evidence);

	ret->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char text[128];
		struct str s = STR_ON(text);

		if (!table[i]->probe(root, &s) || (called && !is_called(root, table[i])))
			continue;
		ret->one = table[i];
		str_join(&names, ret->n ? ", " : "", table[i]->name, NULL);
		str_join(&evidence, ret->n ? ", " : "", text, NULL);
		ret->n++;
	}
}

const struct initramfs *initramfs_find(struct fs *root, struct str *evidence,
				       struct str *why)
{
	struct found all, called;

	find(root, false, &all);
	if (all.n == 0) {
		str_add(why, _("no generator of initramfs images was found; install "
			       "initramfs-tools"));
		return NULL;
	}
	str_add(evidence, all.evidence);
	if (all.n == 1)
		return all.one;
	find(root, true, &called);
	if (called.n == 1) {
		str_join(evidence, ", /etc/kernel/postinst.d/", called.one->name, NULL);
		return called.one;
	}
	str_join(why,
		 _("several generators of initramfs images are installed, and it is "
		   "not clear which one builds those that boot: "),
		 all.names, _("; remove all but one"), NULL);
	return NULL;
}

static bool builds_images(const char *program)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i]->program && str_equal(table[i]->program, program))
			return true;
	return false;
}

static bool is_there(struct fs *root, const char *program)
{
	static const char *const folders[] = { "usr/sbin/", "usr/bin/", "sbin/", "bin/" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		str_join(&s, folders[i], program, NULL);
		if (!s.cut && root->ops->exists(root, path) == 0)
			return true;
	}
	return false;
}

int initramfs_plan_again(struct fs *root, struct changes *changes, struct str *why)
{
	char ignored[512];
	struct str evidence = STR_ON(ignored);
	const struct initramfs *now;
	bool gone = false;

	for (size_t i = 0; i < changes->n_steps; i++) {
		const char *program = changes->steps[i].argv[0];

		gone |= builds_images(program) && !is_there(root, program);
	}
	if (!gone)
		return 0;
	now = initramfs_find(root, &evidence, why);
	return now ? now->plan(root, changes, why) : -ENOENT;
}

/* ---- kernels */

/* It becomes part of paths and of commands that people type. */
static bool is_release(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789.+-_~";

	return *name && *name != '.' && *name != '-' &&
	       strlen(name) < INITRAMFS_RELEASE_LEN && !name[strspn(name, good)];
}

static int keep_release(void *arg, const char *name)
{
	struct initramfs_kernels *kernels = arg;

	if (!is_release(name))
		return 0;
	if (kernels->n == INITRAMFS_MAX_KERNELS)
		return -E2BIG;
	str_copy(kernels->release[kernels->n++], INITRAMFS_RELEASE_LEN, name);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	return strverscmp(b, a);
}

int initramfs_kernels(struct fs *root, struct initramfs_kernels *ret)
{
	size_t n = 0;
	int r;

	ret->n = 0;
	r = root->ops->list(root, "lib/modules", keep_release, ret);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < ret->n; i++) {
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		str_join(&s, "lib/modules/", ret->release[i], "/modules.dep", NULL);
		if (root->ops->exists(root, path) == 0)
			memmove(ret->release[n++], ret->release[i],
				INITRAMFS_RELEASE_LEN);
	}
	ret->n = n;
	qsort(ret->release, n, INITRAMFS_RELEASE_LEN, newest_first);
	return 0;
}

bool initramfs_release_is_sane(const char *release)
{
	return is_release(release);
}

bool initramfs_boots(struct fs *root, const char *release)
{
	static const char *const kernels[][2] = {
		{ "boot/initrd.img-", "" },
		{ "boot/vmlinuz-", "" },
		{ "lib/modules/", "/vmlinuz" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		str_join(&s, kernels[i][0], release, kernels[i][1], NULL);
		if (!s.cut && root->ops->exists(root, path) == 0)
			return true;
	}
	return false;
}

int initramfs_entry(struct fs *root, const char *release, char *path, size_t size)
{
	static const char *const partitions[] = { "boot", "boot/efi", "efi" };
	static const char *const tokens[] = { "etc/kernel/entry-token",
					      "etc/machine-id" };

	for (size_t i = 0; i < ARRAY_SIZE(partitions) * ARRAY_SIZE(tokens); i++) {
		char token[128];
		struct str s;

		if (fs_read_text(root, tokens[i % 2], token, sizeof(token)) < 0 ||
		    !*token || token[0] == '.' || strpbrk(token, "/ \n"))
			continue;
		str_init(&s, path, size);
		str_join(&s, partitions[i / 2], "/", token, "/", release, "/initrd",
			 NULL);
		if (!s.cut && root->ops->exists(root, path) == 0)
			return 0;
	}
	return -ENOENT;
}
