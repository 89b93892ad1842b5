// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * initramfs-tools: Debian, Ubuntu and those that come from them.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "backends.h"
#include "text.h"

#define UPDATE "usr/sbin/update-initramfs"
#define HOOK "usr/share/initramfs-tools/hooks/vfio-claim"
#define SCRIPT "00-vfio-claim"
#define ORDER_MAX (64 * 1024)
#define SETTINGS "etc/initramfs-tools/update-initramfs.conf"

/* dracut comes with one of its own since 110; mkinitramfs may be left over beside it. */
static bool is_dracuts(struct fs *root)
{
	char text[64 * 1024];

	return fs_read_file(root, UPDATE, text, sizeof(text), NULL) == 0 &&
	       strstr(text, "dracut");
}

static bool probe(struct fs *root, struct str *evidence)
{
	if (root->ops->exists(root, UPDATE) < 0 ||
	    root->ops->exists(root, "usr/sbin/mkinitramfs") < 0 || is_dracuts(root))
		return false;
	str_add(evidence, "/usr/sbin/mkinitramfs");
	return true;
}

static int image(struct fs *root, const char *release, unsigned n, char *path,
		 size_t size)
{
	struct str s;

	if (n > 0)
		return -ENODATA;
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
	int r = image(root, release, 0, path, sizeof(path));

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

/* ---- what an image calls */

/* Scripts of one stage of the boot, and what ours must come before. */
static const struct stage {
	const char *name, *before;
} stages[] = {
	{ "init-top", "udev" },
	{ "local-top", "cryptroot" },
	{ "nfs-top", NULL },
	{ "init-bottom", NULL },
};

struct scripts {
	bool there[ARRAY_SIZE(stages)];
	char order[ARRAY_SIZE(stages)][ORDER_MAX];
	size_t order_len[ARRAY_SIZE(stages)];
	size_t stage; /* whose list is being read */
};

/* True if it is the list of a stage. */
static bool see_script(void *arg, const struct image_entry *e)
{
	struct scripts *scripts = arg;

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		const char *at = e->path;

		if (!str_take_text(&at, "scripts/") ||
		    !str_take_text(&at, stages[i].name) || !str_take_char(&at, '/'))
			continue;
		if (str_equal(at, SCRIPT))
			scripts->there[i] = S_ISREG(e->mode) && e->mode & S_IXUSR;
		if (!str_equal(at, "ORDER"))
			return false;
		scripts->stage = i;
		scripts->order_len[i] = 0;
		return true;
	}
	return false;
}

static void see_data(void *arg, const char *data, size_t len)
{
	struct scripts *scripts = arg;
	char *order = scripts->order[scripts->stage];
	size_t *at = &scripts->order_len[scripts->stage];

	/* a longer one is cut: it has hundreds of scripts */
	if (len > ORDER_MAX - 1 - *at)
		len = ORDER_MAX - 1 - *at;
	memcpy(order + *at, data, len);
	*at += len;
}

/* Places in the list, from 1; 0: not called. */
static void find_calls(char *order, const struct stage *stage, unsigned *ours,
		       unsigned *other)
{
	unsigned place = 0;
	char *save = NULL;

	*ours = *other = 0;
	for (char *word = strtok_r(order, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		const char *at = word;

		if (!str_take_text(&at, "/scripts/") ||
		    !str_take_text(&at, stage->name) || !str_take_char(&at, '/'))
			continue;
		place++;
		if (str_equal(at, SCRIPT))
			*ours = place;
		else if (stage->before && str_equal(at, stage->before))
			*other = place;
	}
}

static void judge_stage(struct scripts *scripts, size_t i, struct str *why)
{
	char path[64];
	struct str s = STR_ON(path);
	unsigned ours, other;

	str_join(&s, "scripts/", stages[i].name, "/", NULL);
	scripts->order[i][scripts->order_len[i]] = '\0';
	find_calls(scripts->order[i], &stages[i], &ours, &other);
	if (!scripts->there[i]) {
		str_add(&s, SCRIPT);
		initramfs_miss(why, path, _(" is not in it"));
	} else if (!ours) {
		str_add(&s, "ORDER");
		initramfs_miss(why, path, _(" does not call " SCRIPT));
	} else if (other && other < ours) {
		str_add(&s, "ORDER");
		initramfs_miss(why, path, _(" calls " SCRIPT " too late: after "));
		str_add(why, stages[i].before);
	}
}

static void judge(void *arg, struct str *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		judge_stage(arg, i, why);
}

static void mend(struct fs *root, const char *release, struct str *command)
{
	char path[FS_PATH_MAX];

	str_join(command, "update-initramfs ",
		 image(root, release, 0, path, sizeof(path)) == -ENOENT ? "-c" : "-u",
		 " -k ", release, NULL);
}

const struct initramfs initramfs_tools = {
	.name = "initramfs-tools",
	.probe = probe,
	.plan = plan,
	.image = image,
	.calls = { .size = sizeof(struct scripts),
		   .entry = see_script,
		   .data = see_data,
		   .judge = judge },
	.program = "update-initramfs",
	.hook = HOOK,
	.mend = mend,
	.rebuild = "update-initramfs -u -k all",
	.compress = N_("set COMPRESS=zstd in /etc/initramfs-tools/initramfs.conf"),
};
