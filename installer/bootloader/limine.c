/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limine: "cmdline:" (or "kernel_cmdline:") of every entry whose protocol is linux.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "boot_files.h"
#include "line.h"

#define TOOL_CONF "etc/default/limine"

static const char *find_conf(struct fs *root)
{
	static const char *const paths[] = {
		"boot/limine.conf",
		"boot/limine/limine.conf",
		"boot/EFI/limine/limine.conf",
		"boot/EFI/BOOT/limine.conf",
		"boot/efi/limine.conf",
		"boot/efi/limine/limine.conf",
		"boot/efi/EFI/limine/limine.conf",
		"boot/efi/EFI/BOOT/limine.conf",
		"efi/limine.conf",
		"efi/limine/limine.conf",
		"efi/EFI/limine/limine.conf",
		"efi/EFI/BOOT/limine.conf",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (boot_exists(root, paths[i]))
			return paths[i];
	return NULL;
}

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));
	const char *path = find_conf(root);

	if (!path || (started != BOOT_LIMINE && started != BOOT_UNKNOWN))
		return false;
	boot_found(evidence, path);
	return true;
}

/* An entry of the menu while its lines are read. */
struct entry {
	unsigned line; /* of its title; 0: none yet */
	bool is_linux;
	size_t from, to; /* its words; from 0: it has none */
};

static bool option(const char *line, const char *key, const char **ret_value)
{
	const size_t n = strlen(key);

	line += strspn(line, " \t");
	if (strncasecmp(line, key, n) != 0 || line[n] != ':')
		return false;
	*ret_value = line + n + 1 + strspn(line + n + 1, " \t");
	return true;
}

/* The next entry from *at on. False at the end. */
static bool next_entry(const char *text, size_t *at, unsigned *line, struct entry *ret)
{
	const char *v;

	*ret = (struct entry){ 0 };
	for (; text[*at]; (*line)++) {
		const char *here = text + *at;
		const size_t len = strcspn(here, "\n");

		if (here[strspn(here, " \t")] == '/') {
			if (ret->line)
				return true;
			ret->line = *line;
		} else if (option(here, "protocol", &v)) {
			ret->is_linux = str_starts(v, "linux");
		} else if (option(here, "cmdline", &v) ||
			   option(here, "kernel_cmdline", &v)) {
			ret->from = (size_t)(v - text);
			ret->to = *at + len;
			/* an empty value: behind the blanks is the next line */
			if (ret->from > ret->to)
				ret->from = ret->to;
		}
		*at += len + (here[len] == '\n');
	}
	return ret->line != 0;
}

static int show(struct fs *root, struct args *ret)
{
	const char *path = find_conf(root);
	TEXT_OWNED char *text = NULL;
	struct entry e;
	size_t at = 0;
	unsigned line = 1;
	int r;

	r = path ? boot_look(root, path, &text) : -ENOENT;
	if (r < 0)
		return r;
	while (next_entry(text, &at, &line, &e))
		if (e.is_linux && e.from)
			return line_words(text, e.from, e.to, ret);
	return -ENOENT;
}

static int edit_entry(char **text, struct entry *e, const struct args *add,
		      const struct args *remove, struct args *added, const char *path,
		      struct str *why)
{
	ARGS_OWNED struct args here = { 0 };
	const char *reason = NULL;
	int r = -EINVAL;

	if (!e->from)
		reason = _("this entry has no cmdline");
	else if (memchr(*text + e->from, '\r', e->to - e->from))
		reason = _("lines end as on Windows (CRLF)");
	else
		r = line_edit(text, e->from, &e->to, add, remove, &here);
	if (r == 0)
		r = args_copy(added, &here);
	if (r < 0)
		boot_at(why, path, e->line, reason ? reason : boot_reason(r));
	return r;
}

static int edit(char **text, const struct args *add, const struct args *remove,
		struct args *added, const char *path, struct str *why)
{
	struct entry e;
	size_t at = 0, count = 0;
	unsigned line = 1;
	int r = 0;

	while (r == 0 && next_entry(*text, &at, &line, &e)) {
		const size_t before = strlen(*text);

		if (!e.is_linux)
			continue;
		count++;
		r = edit_entry(text, &e, add, remove, added, path, why);
		/* what follows has moved */
		at = at + strlen(*text) - before;
	}
	if (r == 0 && !count) {
		boot_at(why, path, 0, _("it has no entry whose protocol is linux"));
		r = -ENOENT;
	}
	return r;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	const char *path = find_conf(root);
	ARGS_OWNED struct args added = { 0 };
	TEXT_OWNED char *text = NULL;
	int r;

	if (!path)
		return -ENOENT;
	if (boot_exists(root, TOOL_CONF)) {
		boot_at(why, TOOL_CONF, 0,
			_("it is there, and a tool writes limine.conf from it"));
		boot_by_hand(why, "KERNEL_CMDLINE[default]", add, remove,
			     "limine-update");
		return -EINVAL;
	}
	r = boot_text(root, changes, path, &text);
	if (r == 0 && !text)
		r = -ENOENT;
	if (r < 0)
		boot_at(why, path, 0, boot_reason(r));
	if (r == 0)
		r = boot_words_plain(add, "Limine", why);
	if (r == 0)
		r = edit(&text, add, remove, &added, path, why);
	if (r < 0) {
		boot_by_hand(why, "cmdline", add, remove, NULL);
		return r;
	}
	return boot_put(changes, root, path, text, 0644, &bootloader_limine, &added);
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	const char *path = find_conf(root);
	TEXT_OWNED char *text = NULL;
	struct entry e;
	size_t at = 0;
	unsigned line = 1;
	int r;

	r = path ? boot_look(root, path, &text) : -ENOENT;
	while (r == 0 && next_entry(text, &at, &line, &e)) {
		ARGS_OWNED struct args words = { 0 };
		char name[FS_PATH_MAX + 16];

		if (!e.is_linux)
			continue;
		snprintf(name, sizeof(name), "/%s:%u", path, e.line);
		if (e.from)
			r = line_words(text, e.from, e.to, &words);
		if (r == 0)
			r = boot_judge(&words, name, present, absent, why);
	}
	return r;
}

const struct bootloader bootloader_limine = {
	.name = "limine",
	.title = N_("Limine"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
};
