// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether an image holds what the next boot needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"
#include "conf.h"
#include "image.h"
#include "initramfs.h"
#include "modules.h"
#include "slurp.h"
#include "text.h"

#ifndef LIBDIR
#error LIBDIR is set by the Makefile
#endif

#define BINARY (&(LIBDIR "/vfio-claim-early")[1])

/* A file that must be in the image as it is below the root. */
struct copy {
	const char *path;
	char *data;
	size_t len, at;
	bool found, same, runs;
};

struct look {
	const char *release;
	struct copy copies[2]; /* binary, configuration */
	struct modules modules;
	bool index; /* modules.dep, without which none is loaded */
	char ours[160]; /* the first path that is ours, "" for none */
	const struct initramfs_calls *calls;
	void *called;

	/* what image_walk() is at; NULL: it is for `calls` */
	struct copy *copy;
};

/* ---- what is seen in the image */

/* /lib and /usr/lib are one folder on every system of today. */
static const char *merged(const char *path)
{
	return str_starts(path, "usr/lib/") ? path + strlen("usr/") : path;
}

static bool same_path(const char *a, const char *b)
{
	return str_equal(merged(a), merged(b));
}

static void see_module(struct look *look, const char *path)
{
	const char *at = merged(path);

	if (!str_take_text(&at, "lib/modules/") || !str_take_text(&at, look->release) ||
	    !str_take_char(&at, '/'))
		return;
	modules_mark(&look->modules, at);
	if (str_equal(at, "modules.dep") || str_equal(at, "modules.dep.bin"))
		look->index = true;
}

static bool see_copy(struct look *look, const struct image_entry *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(look->copies); i++) {
		struct copy *c = &look->copies[i];

		if (!c->path || !same_path(e->path, c->path))
			continue;
		c->found = true;
		c->same = false;
		c->runs = e->mode & S_IXUSR;
		c->at = 0;
		look->copy = c;
		return S_ISREG(e->mode) && e->size == c->len;
	}
	return false;
}

static bool see_entry(void *arg, const struct image_entry *e)
{
	struct look *look = arg;

	look->copy = NULL;
	if (!*look->ours && strstr(e->path, "vfio-claim"))
		text_clean(look->ours, sizeof(look->ours), e->path);
	if (S_ISREG(e->mode))
		see_module(look, e->path);
	return see_copy(look, e) || look->calls->entry(look->called, e);
}

static void see_data(void *arg, const char *data, size_t len)
{
	struct look *look = arg;
	struct copy *c = look->copy;

	if (c) {
		/* the entry's size is the copy's: `at` counts what is equal */
		if (c->at < c->len && memcmp(c->data + c->at, data, len) == 0)
			c->at += len;
		else
			c->at = c->len + 1;
	} else if (look->calls->data) {
		look->calls->data(look->called, data, len);
	}
}

static void see_end(void *arg)
{
	struct look *look = arg;

	if (look->copy)
		look->copy->same = look->copy->at == look->copy->len;
}

/* ---- what that means */

void initramfs_miss(struct str *why, const char *a, const char *b)
{
	str_join(why, why->len ? ", " : "", a, b, NULL);
}

static void judge_copies(const struct look *look, struct str *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(look->copies); i++) {
		const struct copy *c = &look->copies[i];

		if (!c->found)
			initramfs_miss(why, c->path, _(" is not in it"));
		else if (!c->same)
			initramfs_miss(why, c->path,
				       _(" in it is not the one that is installed"));
		else if (i == 0 && !c->runs)
			initramfs_miss(why, c->path, _(" in it cannot be run"));
	}
}

static void judge_modules(const struct look *look, struct str *why)
{
	bool any = false;

	for (size_t i = 0; i < look->modules.n; i++) {
		if (look->modules.needed[i].found)
			continue;
		initramfs_miss(why, any ? "" : _("it lacks the kernel's "),
			       look->modules.needed[i].name);
		any = true;
	}
	if (look->modules.n && !look->index)
		initramfs_miss(why, _("it lacks the list of modules, modules.dep"), "");
}

static void judge(struct look *look, bool wanted, struct str *why)
{
	if (wanted) {
		judge_copies(look, why);
		judge_modules(look, why);
		look->calls->judge(look->called, why);
	} else if (*look->ours) {
		initramfs_miss(why, look->ours, _(" is still in it"));
	}
}

/* ---- the files */

static int load_copy(struct fs *root, struct copy *c, struct str *why)
{
	int fd, r;

	/* a link is followed: the hook copies what it leads to */
	fd = fs_open(root, c->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	r = fd < 0 ? fd : slurp_fd(fd, CHANGE_MAX_SIZE, &c->data, &c->len);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		str_join(why, "/", c->path, ": ", str_errno(r), NULL);
	return r;
}

static int load(struct fs *root, struct look *look, struct str *why)
{
	int r;

	look->copies[0].path = BINARY;
	look->copies[1].path = CONF_PATH;
	r = load_copy(root, &look->copies[0], why);
	if (r == -ENOENT) {
		str_add(why, _("; install vfio-claim again"));
		return -ESTALE;
	}
	if (r == 0)
		r = load_copy(root, &look->copies[1], why);
	if (r < 0)
		return r;
	r = modules_needed(root, look->release, &look->modules, why);
	/* no image of this kernel can hold what it takes */
	return r == -ENOENT ? -ESTALE : r;
}

static void add_mend(struct fs *root, const struct initramfs *generator,
		     const char *release, struct str *why)
{
	str_add(why, _("; type: "));
	generator->mend(root, release, why);
}

static int open_and_walk(struct fs *root, const struct initramfs *generator,
			 const char *path, struct look *look, struct str *why)
{
	const struct image_visitor visitor = {
		.entry = see_entry, .data = see_data, .end = see_end, .arg = look
	};
	char text[256];
	struct str said = STR_ON(text);
	int fd, r;

	fd = fs_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		str_join(why, "/", path, ": ", str_errno(fd), NULL);
		return fd;
	}
	r = image_walk(fd, &visitor, &said);
	close(fd);
	if (r < 0)
		str_join(why, "/", path, ": ", said.len ? text : str_errno(r), NULL);
	if (r == -EBADMSG)
		add_mend(root, generator, look->release, why);
	else if (r == -EOPNOTSUPP)
		str_join(why, "; ", _(generator->compress), _(", and build it again"),
			 NULL);
	return r;
}

static int look_into(struct fs *root, const struct initramfs *generator, const char *path,
		     struct look *look, bool wanted, struct str *why)
{
	char text[2048];
	struct str missing = STR_ON(text);
	int r = wanted ? load(root, look, why) : 0;

	if (r == 0)
		r = open_and_walk(root, generator, path, look, why);
	if (r < 0)
		return r;
	judge(look, wanted, &missing);
	if (!missing.len)
		return 0;
	str_join(why, "/", path, ": ", text, NULL);
	/* without the hook another build would lack us, too */
	if (wanted && root->ops->exists(root, generator->hook) == -ENOENT)
		str_join(why, "; /", generator->hook,
			 _(" is missing: install vfio-claim again"), NULL);
	add_mend(root, generator, look->release, why);
	return -ESTALE;
}

static void finish(struct look *look)
{
	for (size_t i = 0; i < ARRAY_SIZE(look->copies); i++)
		free(look->copies[i].data);
	free(look->called);
	free(look);
}

static int no_image(struct fs *root, const struct initramfs *generator,
		    const char *release, const char *path, int r, bool wanted,
		    struct str *why)
{
	if (r == -EOPNOTSUPP) {
		str_join(why, _("images by "), generator->name,
			 _(" cannot be judged yet"), NULL);
		return r;
	}
	if (r != -ENOENT) {
		str_join(why, "/", path, ": ", str_errno(r), NULL);
		return r;
	}
	if (!wanted || !initramfs_boots(root, release))
		return 0;
	str_join(why, _("there is no /"), path, NULL);
	add_mend(root, generator, release, why);
	return -ESTALE;
}

int initramfs_check_image(struct fs *root, const struct initramfs *generator,
			  const char *release, const char *path, bool wanted,
			  struct str *why)
{
	struct look *look = calloc(1, sizeof(*look));
	int r;

	if (!look)
		return -ENOMEM;
	look->release = release;
	look->calls = &generator->calls;
	look->called = calloc(1, look->calls->size);
	r = look->called ? look_into(root, generator, path, look, wanted, why) : -ENOMEM;
	finish(look);
	return r;
}

int initramfs_check(struct fs *root, const struct initramfs *generator,
		    const char *release, bool wanted, struct str *why)
{
	int r = 0;

	for (unsigned n = 0; r == 0; n++) {
		char path[FS_PATH_MAX] = "";

		r = generator->image(root, release, n, path, sizeof(path));
		if (r == -ENODATA && n > 0)
			return 0;
		r = r < 0 ? no_image(root, generator, release, path, r, wanted, why)
			  : initramfs_check_image(root, generator, release, path, wanted,
						  why);
	}
	return r;
}
