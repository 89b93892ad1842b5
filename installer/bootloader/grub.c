/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub.h"

#include <errno.h>
#include <stdio.h>

#include "entries.h"

const char *const grub_keys[] = { GRUB_KEY, "GRUB_CMDLINE_LINUX_DEFAULT", NULL };

int grub_load(struct fs *root, const struct changes *changes, bool drop_ins,
	      struct shell *ret, struct shell_problem *problem)
{
	/* grub-mkconfig is for sh: which is dash where there are drop-ins */
	*ret = (struct shell){ .keys = grub_keys, .bash = !drop_ins };
	return boot_shell(root, changes, GRUB_DEFAULT, drop_ins ? GRUB_FOLDER : NULL,
			  ".cfg", GRUB_OURS, ret, problem);
}

int grub_words(const struct shell *shell, struct args *ret)
{
	int r = 0;

	for (const char *const *key = grub_keys; *key && r == 0; key++)
		r = shell_words(shell, *key, ret);
	return r;
}

int grub_missing(const struct shell *shell, const struct args *add, struct args *ret)
{
	ARGS_OWNED struct args words = { 0 };
	int r;

	r = grub_words(shell, &words);
	return r < 0 ? r : args_without(ret, add, &words);
}

int grub_check(const struct args *add, struct str *why)
{
	char clean[256];

	for (size_t i = 0; i < add->n; i++) {
		if (!strpbrk(add->words[i], "'`$\\;&|<>{}#*?~"))
			continue;
		text_clean(clean, sizeof(clean), add->words[i]);
		str_join(why, clean, ": ",
			 _("GRUB would take a character of it for something else"), NULL);
		return -EINVAL;
	}
	return 0;
}

const char *grub_cfg(struct fs *root)
{
	static const char *const paths[] = { "boot/grub/grub.cfg",
					     "boot/grub2/grub.cfg" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (boot_exists(root, paths[i]))
			return paths[i];
	return NULL;
}

struct menu {
	const char *path;
	const struct args *present, *absent;
	struct str *why;
	bool aside; /* a part that is not about this system, or made by hand */
	size_t entries;
};

/* The words of a command of GRUB's: quotes and backslashes taken away. */
static int menu_words(const char *line, size_t len, struct args *ret)
{
	TEXT_OWNED char *word = malloc(len + 1);
	char quote = '\0';
	size_t n = 0;
	bool any = false;
	int r = 0;

	for (size_t i = 0; word && i <= len && r == 0; i++) {
		const char c = i < len ? line[i] : ' ';

		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
			any = true;
		} else if (c == '\\' && quote != '\'' && i + 1 < len) {
			word[n++] = line[++i];
		} else if (!quote && args_space(c)) {
			if (n || any)
				r = args_add_n(ret, word, n);
			n = 0;
			any = false;
		} else {
			word[n++] = c;
		}
	}
	return word ? r : -ENOMEM;
}

static bool is_part_aside(const char *line)
{
	static const char *const parts[] = { "30_os-prober", "40_custom", "41_custom",
					     "memtest" };
	const char *end = strchrnul(line, '\n');

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *at = strstr(line, parts[i]);

		if (at && at < end)
			return true;
	}
	return false;
}

/* Recovery entries have GRUB_CMDLINE_LINUX alone, and the host keeps its GPU in them. */
static bool is_recovery(const struct args *words)
{
	static const char *const marks[] = { "single", "recovery", "rescue",
					     "emergency" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (args_has(words, marks[i]))
			return true;
	return false;
}

static int menu_line(struct menu *m, const char *line, size_t len, unsigned number)
{
	ARGS_OWNED struct args words = { 0 };
	const struct args none = { 0 };
	char entry[FS_PATH_MAX];
	struct str s = STR_ON(entry);
	const char *command;
	int r;

	if (str_starts(line, "### BEGIN "))
		m->aside = is_part_aside(line);
	if (str_starts(line, "### END "))
		m->aside = false;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (m->aside || !str_starts(line, "linux"))
		return 0;
	r = menu_words(line, len, &words);
	if (r < 0 || words.n < 2)
		return r;
	command = words.words[0];
	if ((!str_equal(command, "linux") && !str_equal(command, "linux16") &&
	     !str_equal(command, "linuxefi")) ||
	    strstr(words.words[1], "memtest"))
		return 0;
	m->entries++;
	str_join(&s, "/", m->path, ":", NULL);
	str_add_uint(&s, number);
	return boot_judge(&words, entry, is_recovery(&words) ? &none : m->present,
			  m->absent, m->why);
}

int grub_verify(struct fs *root, const struct args *present, const struct args *absent,
		struct str *why)
{
	struct menu m = { grub_cfg(root), present, absent, why, false, 0 };
	TEXT_OWNED char *text = NULL;
	unsigned number = 1;
	int r;

	if (!m.path) {
		str_add(why, _("/boot has no grub.cfg"));
		return -ENOENT;
	}
	r = boot_look(root, m.path, &text);
	if (r < 0) {
		boot_at(why, m.path, 0, str_errno(r));
		return r;
	}
	for (const char *line = text; *line && r == 0; number++) {
		const size_t len = strcspn(line, "\n");

		r = menu_line(&m, line, len, number);
		line += len + (line[len] == '\n');
	}
	if (r == 0 && !m.entries) {
		boot_at(why, m.path, 0, _("it has no entry that boots Linux"));
		r = -ENOENT;
	}
	return r;
}

void grub_found(struct fs *root, struct str *evidence)
{
	boot_found(evidence, GRUB_DEFAULT);
	if (grub_cfg(root))
		boot_found(evidence, grub_cfg(root));
}

int grub_show(struct fs *root, bool drop_ins, struct args *ret)
{
	SHELL_OWNED struct shell shell = { 0 };
	struct shell_problem problem;
	int r;

	r = grub_load(root, NULL, drop_ins, &shell, &problem);
	return r < 0 ? r : grub_words(&shell, ret);
}

int grub_edit(struct fs *root, const struct changes *changes, bool drop_ins,
	      const struct args *add, const struct args *remove, grub_edit_fn *edit,
	      const char *program, struct shell *ret, struct args *ret_missing,
	      struct str *why)
{
	struct shell_problem problem = { 0 };
	int r;

	r = grub_load(root, changes, drop_ins, ret, &problem);
	if (r == 0)
		r = grub_missing(ret, add, ret_missing);
	if (r == 0 && ret_missing->n)
		r = grub_check(ret_missing, why);
	if (r == 0)
		r = edit(ret, ret_missing, remove, &problem);
	if (r == 0)
		return 0;
	if (problem.path)
		boot_at(why, problem.path, problem.line, problem.reason);
	else if (r == -EFBIG)
		boot_at(why, GRUB_DEFAULT, 0,
			_("a value in it is put together from too many others"));
	boot_by_hand(why, GRUB_KEY, add, remove, program);
	return r;
}

int grub_entries(struct fs *root, bool drop_ins, struct str *why)
{
	ARGS_OWNED struct args words = { 0 };

	if (grub_show(root, drop_ins, &words) == 0 && args_has(&words, GRUB_MODE))
		return 0;
	/* captured before vfio-claim was installed */
	if (root->captured && drop_ins && !boot_exists(root, GRUB_MODE_FILE))
		return 0;
	str_add(why, _("GRUB would not tell the kernel which entry was chosen: add this "
		       "line at the end of /" GRUB_DEFAULT " and try again: " GRUB_KEY
		       "=\"$" GRUB_KEY " \\" GRUB_MODE "\""));
	return -EOPNOTSUPP;
}

bool grub_has_entry(struct fs *root, const char *claim)
{
	TEXT_OWNED char *text = NULL, *id = NULL;
	const char *path = grub_cfg(root);

	return path && boot_look(root, path, &text) == 0 &&
	       asprintf(&id, "'" ENTRIES_ID "%s'", claim) > 0 && strstr(text, id);
}

int grub_list_entries(struct fs *root, struct args *ret)
{
	static const char begin[] = "$menuentry_id_option '" ENTRIES_ID;
	TEXT_OWNED char *text = NULL;
	const char *path = grub_cfg(root), *at;
	int r;

	r = path ? boot_look(root, path, &text) : -ENOENT;
	at = text;
	while (r == 0 && (at = strstr(at, begin))) {
		at += strlen(begin);
		r = boot_add_entry(at, strcspn(at, "'\n"), ret);
	}
	return r;
}
