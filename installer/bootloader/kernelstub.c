/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pop!_OS: kernelstub keeps the words in a JSON file and copies them to systemd-boot's
 * entries.
 */
#include <errno.h>
#include <json-c/json.h>

#include "backends.h"
#include "bls.h"

#define CONFIGURATION "etc/kernelstub/configuration"
#define ENTRIES "boot/efi/loader/entries"

static bool probe(struct fs *root, struct str *evidence)
{
	static const char *const pop[] = { "pop", NULL };
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));

	if (boot_is_bios(root) || !boot_exists(root, CONFIGURATION) ||
	    (!boot_exists(root, "usr/bin/kernelstub") && !boot_os_is(root, pop)))
		return false;
	if (started != BOOT_SYSTEMD && started != BOOT_UNKNOWN)
		return false;
	boot_found(evidence, CONFIGURATION);
	return true;
}

/* A list of words, or (before version 3) a line. */
static int take_options(struct json_object *options, struct args *ret)
{
	int r = 0;

	if (json_object_is_type(options, json_type_string))
		return args_parse(ret, json_object_get_string(options));
	if (!json_object_is_type(options, json_type_array))
		return -EPROTO;
	for (size_t i = 0; i < json_object_array_length(options) && r == 0; i++)
		r = args_parse(ret, json_object_get_string(
					    json_object_array_get_idx(options, i)));
	return r;
}

static int show(struct fs *root, struct args *ret)
{
	struct json_object *config, *user, *options;
	TEXT_OWNED char *text = NULL;
	int r;

	r = boot_look(root, CONFIGURATION, &text);
	if (r < 0)
		return r;
	config = json_tokener_parse(text);
	if (json_object_object_get_ex(config, "user", &user) &&
	    json_object_object_get_ex(user, "kernel_options", &options))
		r = take_options(options, ret);
	else
		r = -EPROTO;
	json_object_put(config);
	return r;
}

static int run(struct changes *changes, const char *option, const char *undo_option,
	       const struct args *words)
{
	TEXT_OWNED char *joined = args_join(words);
	const char *argv[] = { "kernelstub", option, joined, NULL };
	const char *undo[] = { "kernelstub", undo_option, joined, NULL };

	return joined ? changes_run(changes, N_("change kernelstub's arguments"), argv,
				    undo)
		      : -ENOMEM;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args now = { 0 }, rest = { 0 }, missing = { 0 }, there = { 0 };
	int r;

	r = show(root, &now);
	if (r < 0)
		boot_at(why, CONFIGURATION, 0, str_errno(r));
	if (r == 0)
		r = args_without(&missing, add, &now);
	if (r == 0)
		r = args_without(&rest, remove, &now); /* what is not there */
	if (r == 0)
		r = args_without(&there, remove, &rest);
	if (r == 0)
		r = boot_words_plain(&missing, "kernelstub", why);
	if (r == 0)
		r = boot_words_plain(&there, "kernelstub", why);
	if (r < 0) {
		boot_by_hand(why, "/" CONFIGURATION, add, remove, "kernelstub");
		return r;
	}
	if (there.n)
		r = run(changes, "-d", "-a", &there);
	if (r == 0 && missing.n)
		r = run(changes, "-a", "-d", &missing);
	/* ours are copies of its entries */
	if (r == 0 && (there.n || missing.n) && bls_has_entry(root, "off"))
		r = bls_menu(root, changes);
	return r;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	BLS_OWNED struct bls bls = { 0 };
	size_t count = 0;
	int r;

	r = bls_read(root, ENTRIES, &bls);
	for (size_t i = 0; i < bls.n && r == 0; i++) {
		/* not those of the recovery partition, nor ours that keep the GPU */
		if (!str_starts(bls.entries[i].id, "Pop_OS-"))
			continue;
		r = boot_judge(&bls.entries[i].options, bls.entries[i].path, present,
			       absent, why);
		count++;
	}
	if (r == 0 && !count) {
		boot_at(why, ENTRIES, 0, _("no entry of Pop!_OS was found"));
		r = -ENOENT;
	}
	return r;
}

const struct bootloader bootloader_kernelstub = {
	.name = "kernelstub",
	.title = N_("kernelstub (Pop!_OS)"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
	.menu = bls_menu,
	.entries = bls_entries,
	.has_entry = bls_has_entry,
	.list_entries = bls_list_entries,
};
