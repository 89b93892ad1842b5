// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * initramfs-tools: Debian, Ubuntu and those that come from them.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "backends.h"
#include "text.h"

#define SETTINGS "etc/initramfs-tools/update-initramfs.conf"

static bool probe(struct fs *root, struct str *evidence)
{
	/* dracut comes with an update-initramfs, too */
	if (root->ops->exists(root, "usr/sbin/update-initramfs") < 0 ||
	    root->ops->exists(root, "usr/sbin/mkinitramfs") < 0)
		return false;
	str_add(evidence, "/usr/sbin/mkinitramfs");
	return true;
}

static int image(struct fs *root, const char *release, char *path, size_t size)
{
	struct str s;

	str_init(&s, path, size);
	str_join(&s, "boot/initrd.img-", release, NULL);
	return s.cut ? -ENAMETOOLONG : root->ops->exists(root, path);
}

/* With update_initramfs=no, update-initramfs does nothing and says that all is well. */
static bool is_switched_off(struct fs *root)
{
	char text[16 * 1024];
	bool off = false;

	if (fs_read_file(root, SETTINGS, text, sizeof(text), NULL) < 0)
		return false;
	for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
		const char *word;

		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		while (isspace((unsigned char)*line))
			line++;
		if (!str_starts(line, "update_initramfs="))
			continue;
		word = strchr(line, '=') + 1;
		word += *word == '"' || *word == '\'';
		off = str_starts(word, "no") && !isalnum((unsigned char)word[2]);
	}
	return off;
}

static int build_missing(struct fs *root, struct changes *changes, const char *release)
{
	const char *const make[] = { "update-initramfs", "-c", "-k", release, NULL };
	const char *const drop[] = { "update-initramfs", "-d", "-k", release, NULL };
	char path[FS_PATH_MAX];
	int r = image(root, release, path, sizeof(path));

	/* modules of a kernel that is gone need no image */
	if (r != -ENOENT || !initramfs_boots(root, release))
		return r == -ENOENT ? 0 : r;
	return changes_run(changes, N_("build the initramfs that a kernel lacks"), make,
			   drop);
}

static int plan(struct fs *root, struct changes *changes, struct str *why)
{
	static const char *const all[] = { "update-initramfs", "-u", "-k", "all", NULL };
	struct initramfs_kernels kernels;
	int r;

	if (is_switched_off(root)) {
		str_add(why, _("update-initramfs is switched off: /" SETTINGS
			       " has update_initramfs=no; set it to yes and try again"));
		return -EPERM;
	}
	r = initramfs_kernels(root, &kernels);
	for (size_t i = 0; r == 0 && i < kernels.n; i++)
		r = build_missing(root, changes, kernels.release[i]);
	if (r == 0)
		r = changes_run(changes, N_("rebuild the initramfs of every kernel"), all,
				NULL);
	if (r < 0)
		str_join(why, _("the kernels cannot be listed: "), str_errno(r), NULL);
	return r;
}

const struct initramfs initramfs_tools = {
	.name = "initramfs-tools",
	.probe = probe,
	.plan = plan,
	.image = image,
};
