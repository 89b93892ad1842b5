// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generators that have no hook of ours: recognised, so that the refusal names them.
 */
#include <errno.h>

#include "backends.h"
#include "text.h"

static bool probe(struct fs *root, const char *path, struct str *evidence)
{
	if (root->ops->exists(root, path) < 0)
		return false;
	str_join(evidence, "/", path, NULL);
	return true;
}

static int refuse(const char *name, struct str *why)
{
	str_join(why, _("the images are built by "), name,
		 _(", which vfio-claim cannot add itself to yet; initramfs-tools, "
		   "dracut and mkinitcpio are what it supports"),
		 NULL);
	return -EOPNOTSUPP;
}

static int no_image(struct fs *root __attribute__((unused)),
		    const char *release __attribute__((unused)),
		    unsigned n __attribute__((unused)),
		    char *path __attribute__((unused)),
		    size_t size __attribute__((unused)))
{
	return -EOPNOTSUPP;
}

#define REFUSED(word, title, tool)                                              \
	static bool probe_##word(struct fs *root, struct str *evidence)         \
	{                                                                       \
		return probe(root, tool, evidence);                             \
	}                                                                       \
	static int plan_##word(struct fs *root __attribute__((unused)),         \
			       struct changes *changes __attribute__((unused)), \
			       struct str *why)                                 \
	{                                                                       \
		return refuse(title, why);                                      \
	}                                                                       \
	const struct initramfs initramfs_##word = {                             \
		.name = title,                                                  \
		.probe = probe_##word,                                          \
		.plan = plan_##word,                                            \
		.image = no_image,                                              \
	}

REFUSED(booster, "booster", "usr/bin/booster");
REFUSED(tiny_initramfs, "tiny-initramfs", "usr/sbin/mktirfs");
REFUSED(mkinitfs, "mkinitfs", "sbin/mkinitfs");
