/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images by mkinitcpio (Arch): a preset names them, and the words come
 * from /etc/cmdline.d or /etc/kernel/cmdline.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "bls.h"
#include "kernel_words.h"
#include "line.h"
#include "preset.h"

#define FOLDER "etc/cmdline.d"
#define OURS FOLDER "/90-vfio-claim.conf"

static int note(void *arg, const struct preset_image *image)
{
	struct str *evidence = arg;
	char clean[FS_PATH_MAX];

	if (!image->unified)
		return 0;
	text_clean(clean, sizeof(clean), image->path);
	str_join(evidence, evidence->len ? ", " : "", PRESETS ": /", clean, NULL);
	return 1;
}

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64], text[512];
	struct str why = STR_ON(text);
	const enum boot_started started = boot_started(root, name, sizeof(name));
	int r;

	if (boot_is_bios(root) || started == BOOT_GRUB)
		return false;
	r = preset_each(root, note, evidence, &why);
	if (r < 0 && !why.len)
		boot_at(&why, PRESETS, 0, boot_reason(r));
	if (r < 0)
		str_add(evidence, text);
	return r == 1;
}

/* Files of /etc/cmdline.d. */
static int folder_files(struct fs *root, struct name_list *ret)
{
	return name_list_find(root, FOLDER, ".conf", ret);
}

static int add_text(const char *text, struct args *ret)
{
	int r = 0;

	for (const char *line = text; *line && r == 0;) {
		const size_t len = strcspn(line, "\n");

		if (*line != '#')
			r = line_words(line, 0, len, ret);
		line += len + (line[len] == '\n');
	}
	return r;
}

static int folder_words(struct fs *root, const struct changes *changes,
			const struct name_list *names, struct args *ret)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r == 0; i++) {
		TEXT_OWNED char *text = NULL;
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		str_join(&s, FOLDER "/", names->names[i], NULL);
		r = boot_text(root, changes, path, &text);
		if (r == 0 && text)
			r = add_text(text, ret);
	}
	return r;
}

static int show(struct fs *root, struct args *ret)
{
	NAMES_OWNED struct name_list names = { 0 };
	int r;

	r = folder_files(root, &names);
	if (r == 0 && names.n)
		return folder_words(root, NULL, &names, ret);
	return r < 0 ? r : kernel_words_show(root, ret);
}

/* The words of one file of the folder taken out; ours goes when it is empty. */
static int edit_file(struct fs *root, const char *path, const struct args *add,
		     const struct args *remove, struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args added = { 0 };
	TEXT_OWNED char *before = NULL, *text = NULL;
	const bool own = str_equal(path, OURS);
	size_t at = 0, to;
	int r;

	r = boot_text(root, changes, path, &before);
	if (r == 0)
		text = strdup(before ? before : "");
	if (r == 0 && !text)
		r = -ENOMEM;
	while (r == 0 && text[at]) {
		const struct args none = { 0 };

		to = at + strcspn(text + at, "\n");
		if (text[at] != '#')
			r = line_edit(&text, at, &to, &none, remove, &added);
		at = to + (text[to] == '\n');
	}
	to = strcspn(text ? text : "", "\n");
	if (r == 0 && add->n)
		r = line_edit(&text, 0, &to, add, remove, &added);
	if (r < 0) {
		boot_at(why, path, 0, boot_reason(r));
		return r;
	}
	if (own && add->n && !strchr(text, '\n')) {
		char *whole = text_splice(text, strlen(text), strlen(text), "\n");

		if (!whole)
			return -ENOMEM;
		free(text);
		text = whole;
	}
	if (before ? str_equal(before, text) : !*text)
		return 0;
	r = boot_put(changes, root, path,
		     own && !*(text + strspn(text, "\n")) ? NULL : text, 0644,
		     &bootloader_uki_mkinitcpio, &added);
	return r < 0 ? r : 1;
}

/* 1 if something changes, 0 or a negative errno. */
static int plan_folder(struct fs *root, const struct name_list *names,
		       const struct args *add, const struct args *remove,
		       struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args words = { 0 }, missing = { 0 };
	const struct args none = { 0 };
	int r, changed = 0;

	r = folder_words(root, changes, names, &words);
	if (r == 0)
		r = args_without(&missing, add, &words);
	for (size_t i = 0; i < names->n && r >= 0; i++) {
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		str_join(&s, FOLDER "/", names->names[i], NULL);
		r = edit_file(root, path, &none, remove, changes, why);
		changed = changed || r == 1;
	}
	if (r >= 0 && missing.n)
		r = edit_file(root, OURS, &missing, remove, changes, why);
	return r < 0 ? r : changed || r == 1;
}

static int check_words(void *arg, const struct preset_image *image)
{
	if (!image->unified || (!*image->cmdline && !strstr(image->options, "cmdline")))
		return 0;
	boot_at(arg, image->file, 0, _("it names another file with the arguments"));
	return -EINVAL;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	static const char *const build[] = { "mkinitcpio", "-P", NULL };
	NAMES_OWNED struct name_list names = { 0 };
	int r;

	r = preset_each(root, check_words, why, why);
	if (r == 0)
		r = folder_files(root, &names);
	if (r == 0 && names.n && boot_exists(root, KERNEL_CMDLINE)) {
		boot_at(why, KERNEL_CMDLINE, 0,
			_("it and /etc/cmdline.d are both there, and which one counts "
			  "depends on mkinitcpio's version"));
		r = -EINVAL;
	} else if (r == 0 && names.n) {
		r = plan_folder(root, &names, add, remove, changes, why);
	} else if (r == 0) {
		r = kernel_words_plan(root, KERNEL_CMDLINE, KERNEL_WORDS_JOINED,
				      &bootloader_uki_mkinitcpio, add, remove, changes,
				      why);
	}
	if (r < 0)
		boot_by_hand(why, names.n ? "/" FOLDER : "/" KERNEL_CMDLINE, add, remove,
			     "mkinitcpio -P");
	return r == 1 ? changes_run(changes, N_("build the unified kernel images"), build,
				    NULL)
		      : r;
}

struct check {
	struct fs *root;
	const struct args *present, *absent;
	struct str *why;
};

static int check_image(void *arg, const struct preset_image *image)
{
	struct check *c = arg;

	if (!image->unified)
		return 0;
	return bls_verify_image(c->root, image->path, c->present, c->absent, c->why);
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	struct check c = { root, present, absent, why };

	return preset_each(root, check_image, &c, why);
}

const struct bootloader bootloader_uki_mkinitcpio = {
	.name = "uki-mkinitcpio",
	.title = N_("unified kernel images by mkinitcpio"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
	.takes_running = kernel_words_takes_running,
};
