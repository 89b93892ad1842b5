// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dracut: Fedora and its kin, openSUSE, Ubuntu since 25.10, Debian on request.
 */
#include <errno.h>
#include <string.h>

#include "backends.h"
#include "initrd_units.h"
#include "text.h"

#define HOOK "usr/lib/dracut/modules.d/55vfio-claim/module-setup.sh"

static bool probe(struct fs *root, struct str *evidence)
{
	if (root->ops->exists(root, "usr/bin/dracut") < 0)
		return false;
	str_add(evidence, "/usr/bin/dracut");
	return true;
}

/* ---- images */

static int see_program(void *arg, const char *name)
{
	const char *release = arg, *end = strrchr(name, '.');

	return end && str_equal(end, ".efi") && strstr(name, release);
}

/* As a part of an EFI program it lies nowhere that we could look into. */
static bool is_unified(struct fs *root, const char *release)
{
	static const char *const folders[] = { "boot/efi/EFI/Linux", "efi/EFI/Linux",
					       "boot/EFI/Linux" };
	char name[INITRAMFS_RELEASE_LEN];

	str_copy(name, sizeof(name), release);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (root->ops->list(root, folders[i], see_program, name) > 0)
			return true;
	return false;
}

static int image(struct fs *root, const char *release, unsigned n, char *path,
		 size_t size)
{
	/* a kernel without an image gets the first; on Debian the second */
	static const char *const names[][2] = { { "boot/initramfs-", ".img" },
						{ "boot/initrd.img-", "" },
						{ "boot/initrd-", "" } };
	const size_t first = root->ops->exists(root, "etc/debian_version") == 0;
	struct str s;

	if (n > 0)
		return -ENODATA;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		str_init(&s, path, size);
		str_join(&s, names[i][0], release, names[i][1], NULL);
		if (!s.cut && root->ops->exists(root, path) == 0)
			return 0;
	}
	if (initramfs_entry(root, release, path, size) == 0)
		return 0;
	if (is_unified(root, release))
		return -EOPNOTSUPP;
	str_init(&s, path, size);
	str_join(&s, names[first][0], release, names[first][1], NULL);
	return s.cut ? -ENAMETOOLONG : root->ops->exists(root, path);
}

static int build(struct fs *root, struct changes *changes, const char *release)
{
	char path[FS_PATH_MAX] = "/";
	const char *const make[] = { "dracut", "--force", path, release, NULL };
	const char *const drop[] = { "rm", "-f", path, NULL };
	int r = image(root, release, 0, path + 1, sizeof(path) - 1);

	if (r == 0)
		return changes_run(changes, N_("rebuild the initramfs of every kernel"),
				   make, NULL);
	/* modules of a kernel that is gone need no image */
	if (r != -ENOENT || !initramfs_boots(root, release))
		return r == -ENOENT ? 0 : r;
	return changes_run(changes, N_("build the initramfs that a kernel lacks"), make,
			   drop);
}

static int plan(struct fs *root, struct changes *changes, struct str *why)
{
	struct initramfs_kernels kernels;
	int r;

	r = initramfs_kernels(root, &kernels);
	for (size_t i = 0; r == 0 && i < kernels.n; i++)
		r = build(root, changes, kernels.release[i]);
	if (r == -EOPNOTSUPP)
		str_add(why,
			_("dracut makes unified kernel images here, which vfio-claim "
			  "cannot look into yet"));
	else if (r < 0)
		str_join(why, _("the kernels cannot be listed: "), str_errno(r), NULL);
	return r;
}

static void mend(struct fs *root, const char *release, struct str *command)
{
	char path[FS_PATH_MAX];

	(void)image(root, release, 0, path, sizeof(path));
	str_join(command, "dracut --force /", path, " ", release, NULL);
}

/* ---- what an image calls */

static const char *const hooks[] = { "cmdline/00-vfio-claim-start.sh",
				     "initqueue/settled/00-vfio-claim-settle.sh",
				     "pre-mount/00-vfio-claim-settle.sh" };

struct calls {
	struct initrd_units units;
	bool hook[ARRAY_SIZE(hooks)];
	char first[128]; /* of cmdline's hooks in byte order, as they are sourced */
};

/* The folder moved twice: lib, usr/lib and var/lib. */
static void see_hook(struct calls *calls, const char *at)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		calls->hook[i] |= str_equal(at, hooks[i]);
	if (str_take_text(&at, "cmdline/") && *at &&
	    (!*calls->first || strcmp(at, calls->first) < 0))
		text_clean(calls->first, sizeof(calls->first), at);
}

static bool see(void *arg, const struct image_entry *e)
{
	static const char *const libs[] = { "usr/lib/", "lib/", "var/lib/" };
	struct calls *calls = arg;

	initrd_units_see(&calls->units, e);
	for (size_t i = 0; i < ARRAY_SIZE(libs); i++) {
		const char *at = e->path;

		if (str_take_text(&at, libs[i]) && str_take_text(&at, "dracut/hooks/"))
			see_hook(calls, at);
	}
	return false;
}

static void judge(void *arg, struct str *why)
{
	const struct calls *calls = arg;

	if (calls->units.systemd) {
		initrd_units_judge(&calls->units, why);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!calls->hook[i])
			initramfs_miss(why, hooks[i], _(" is not in it"));
	if (calls->hook[0] && !str_equal(calls->first, strchr(hooks[0], '/') + 1)) {
		initramfs_miss(why, hooks[0], _(" is called too late: after "));
		str_add(why, calls->first);
	}
}

const struct initramfs initramfs_dracut = {
	.name = "dracut",
	.probe = probe,
	.plan = plan,
	.image = image,
	.calls = { .size = sizeof(struct calls), .entry = see, .judge = judge },
	.program = "dracut",
	.hook = HOOK,
	.mend = mend,
	.rebuild = "dracut --force --regenerate-all",
	.compress = N_("set compress=zstd in a file of /etc/dracut.conf.d"),
};
