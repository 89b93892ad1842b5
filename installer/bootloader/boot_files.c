/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "conf.h"

int boot_text(struct fs *root, const struct changes *changes, const char *path,
	      char **ret)
{
	const struct changes none = { 0 };
	char *text, *now;
	size_t len;
	int r;

	*ret = NULL;
	r = change_read(root, path, &now, &len);
	if (r == 0 && now && memchr(now, '\0', len))
		r = -EPROTO;
	free(now);
	/* no folder on the way, or a file in its place */
	if (r == -ENOENT || r == -ENOTDIR)
		r = 0;
	if (r < 0)
		return r;
	text = changes_content(changes ? changes : &none, root, path, &r);
	if (r == -ENOENT || r == -ENOTDIR)
		r = 0;
	*ret = text;
	return r;
}

int boot_seed(struct fs *root, struct args *ret)
{
	static const char *const loaders[] = { "BOOT_IMAGE=", "initrd=", "vfio_claim=" };
	TEXT_OWNED char *text = NULL;
	ARGS_OWNED struct args all = { 0 };
	int r;

	r = boot_look(root, "proc/cmdline", &text);
	if (r == 0)
		r = args_parse(&all, text);
	for (size_t i = 0; i < all.n && r == 0; i++) {
		const char *word = all.words[i];
		bool skip = false;

		for (size_t k = 0; k < ARRAY_SIZE(loaders); k++)
			skip = skip || str_starts(word, loaders[k]);
		if (!skip)
			r = args_add_n(ret, word, strlen(word));
	}
	return r;
}

int boot_install(struct fs *root, struct changes *changes, const char *release)
{
	char path[FS_PATH_MAX + 1];
	const char *argv[] = { "kernel-install", "add", release, path, NULL };

	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", release);
	if (!boot_exists(root, path + 1))
		snprintf(path, sizeof(path), "/usr/lib/modules/%s/vmlinuz", release);
	if (!boot_exists(root, path + 1))
		return 0;
	return changes_run(changes, N_("write the entries of every kernel"), argv, NULL);
}

void boot_found(struct str *evidence, const char *path)
{
	str_join(evidence, evidence->len ? ", /" : "/", path, NULL);
}

static void add_words(struct str *why, const struct args *words)
{
	TEXT_OWNED char *text = args_join(words);
	char clean[1024];

	text_clean(clean, sizeof(clean), text ? text : "");
	str_add(why, clean);
}

void boot_by_hand(struct str *why, const char *where, const struct args *add,
		  const struct args *remove, const char *then)
{
	str_join(why, "; ", _("nothing was changed. By hand, in "), where, ":", NULL);
	if (add->n) {
		str_join(why, " ", _("add"), " ", NULL);
		add_words(why, add);
	}
	if (remove->n) {
		str_join(why, add->n ? ", " : " ", _("take out"), " ", NULL);
		add_words(why, remove);
	}
	if (then)
		str_join(why, "; ", _("then run"), " ", then, NULL);
}

int boot_words_plain(const struct args *words, const char *program, struct str *why)
{
	char clean[256];

	for (size_t i = 0; i < words->n; i++) {
		if (!strpbrk(words->words[i], " \t\"'`$\\;&|<>{}#*?~"))
			continue;
		text_clean(clean, sizeof(clean), words->words[i]);
		str_join(why, clean, ": ", program, " ",
			 _("would take a character of it for something else"), NULL);
		return -EINVAL;
	}
	return 0;
}

static int blame(struct str *why, const char *entry, const char *what, const char *word)
{
	char clean[256];

	text_clean(clean, sizeof(clean), entry);
	str_join(why, clean, " ", what, " ", NULL);
	text_clean(clean, sizeof(clean), word);
	str_add(why, clean);
	return -ESTALE;
}

int boot_judge(const struct args *words, const char *entry, const struct args *present,
	       const struct args *absent, struct str *why)
{
	for (size_t i = 0; i < present->n; i++)
		if (!args_has(words, present->words[i]))
			return blame(why, entry, _("lacks"), present->words[i]);
	for (size_t i = 0; i < absent->n; i++)
		if (args_has(words, absent->words[i]))
			return blame(why, entry, _("still has"), absent->words[i]);
	return 0;
}

int boot_put(struct changes *changes, struct fs *root, const char *path,
	     const char *after, mode_t mode, const struct bootloader *owner,
	     const struct args *added)
{
	struct change *c;
	int r;

	c = changes_put(changes, root, path, after, mode, &r);
	if (!c)
		return r;
	c->kind = CHANGE_ARGS;
	c->owner = owner->name;
	return args_copy(&c->ours, added);
}

static int shell_file(struct fs *root, const struct changes *changes, const char *path,
		      struct shell *shell, struct shell_problem *problem)
{
	char *text;
	int r;

	r = boot_text(root, changes, path, &text);
	if (r == 0)
		return shell_add_file(shell, path, text);
	if (shell_add_file(shell, path, NULL) == 0)
		*problem = (struct shell_problem){ shell->files[shell->n_files - 1].path,
						   0, boot_reason(r) };
	return r;
}

static int shell_folder(struct fs *root, const struct changes *changes,
			const char *folder, const char *suffix, const char *own,
			struct shell *shell, struct shell_problem *problem)
{
	const char *own_name = strrchr(own, '/') + 1;
	NAMES_OWNED struct name_list names = { 0 };
	bool seen = false;
	int r;

	r = name_list_find(root, folder, suffix, &names);
	for (size_t i = 0; i <= names.n && r == 0; i++) {
		const char *name = i < names.n ? names.names[i] : NULL;
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		if (!seen && (!name || strcmp(name, own_name) >= 0)) {
			r = shell_file(root, changes, own, shell, problem);
			seen = true;
		}
		/* a shell's * leaves hidden ones out */
		if (r < 0 || !name || name[0] == '.' || str_equal(name, own_name))
			continue;
		str_join(&s, folder, "/", name, NULL);
		r = s.cut ? -ENAMETOOLONG
			  : shell_file(root, changes, path, shell, problem);
	}
	return r;
}

int boot_shell(struct fs *root, const struct changes *changes, const char *first,
	       const char *folder, const char *suffix, const char *own, struct shell *ret,
	       struct shell_problem *problem)
{
	int r;

	*problem = (struct shell_problem){ 0 };
	r = shell_file(root, changes, first, ret, problem);
	if (r == 0 && folder)
		r = shell_folder(root, changes, folder, suffix, own, ret, problem);
	return r < 0 ? r : shell_parse(ret, problem);
}

int boot_put_shell(struct changes *changes, struct fs *root, const struct shell *shell,
		   const char *own, const struct args *added,
		   const struct bootloader *owner)
{
	const struct args none = { 0 };
	int r = 0;

	for (size_t i = 0; i < shell->n_files && r == 0; i++) {
		const struct shell_file *f = &shell->files[i];
		const bool ours = str_equal(f->path, own);

		if (f->before ? str_equal(f->before, f->text) : !*f->text)
			continue;
		r = boot_put(changes, root, f->path, ours && !*f->text ? NULL : f->text,
			     0644, owner, ours ? added : &none);
		for (size_t k = 0; k < changes->n_files && r == 0 && ours; k++)
			if (str_equal(changes->files[k].path, own) &&
			    (!*f->text || str_starts(f->text, BOOT_HEADER)))
				changes->files[k].kind = CHANGE_FILE;
	}
	return r;
}

int boot_add_entry(const char *name, size_t len, struct args *ret)
{
	char text[CONF_NAME_LEN];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, name, len);
	text[len] = '\0';
	if (!conf_name_ok(text))
		return 0;
	for (size_t i = 0; i < ret->n; i++)
		if (str_equal(ret->words[i], text))
			return 0;
	return args_add(ret, text);
}
