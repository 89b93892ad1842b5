/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "entries.h"
#include "pe.h"

#define SAFE_ENTRIES LIBDIR "/vfio-claim-safe-entries"
#define MARK "# by vfio-claim: changes are lost" /* its first line */

static void finish_entry(struct bls_entry *e)
{
	free(e->path);
	free(e->id);
	free(e->version);
	free(e->machine_id);
	args_finish(&e->options);
}

void bls_finish(struct bls *bls)
{
	for (size_t i = 0; i < bls->n; i++)
		finish_entry(&bls->entries[i]);
	free(bls->entries);
	*bls = (struct bls){ 0 };
}

/* The value of a line's key, or NULL if it is another key; `ret_len` without blanks. */
static const char *key_value(const char *line, const char *key, size_t *ret_len)
{
	const size_t n = strlen(key);
	size_t len;

	while (*line == ' ' || *line == '\t')
		line++;
	if (strncmp(line, key, n) != 0 || (line[n] != ' ' && line[n] != '\t'))
		return NULL;
	line += n;
	while (*line == ' ' || *line == '\t')
		line++;
	len = strcspn(line, "\n");
	while (len && args_space(line[len - 1]))
		len--;
	*ret_len = len;
	return line;
}

/* grubenv's value of a variable, "" if it has none; heap. */
static char *environment(struct fs *root, const char *name, size_t len)
{
	static const char *const paths[] = { "boot/grub2/grubenv", "boot/grub/grubenv" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		TEXT_OWNED char *text = NULL;

		if (boot_look(root, paths[i], &text) < 0)
			continue;
		for (const char *line = text; *line;
		     line += strcspn(line, "\n"), line += *line == '\n')
			if (!strncmp(line, name, len) && line[len] == '=')
				return strndup(line + len + 1,
					       strcspn(line + len + 1, "\n"));
	}
	return strdup("");
}

static int add_options(struct fs *root, const char *text, size_t len, struct args *ret)
{
	TEXT_OWNED char *line = strndup(text, len);
	ARGS_OWNED struct args words = { 0 };
	int r;

	r = line ? args_parse(&words, line) : -ENOMEM;
	for (size_t i = 0; i < words.n && r == 0; i++) {
		const char *w = words.words[i];
		const bool braces = w[0] == '$' && w[1] == '{' && w[strlen(w) - 1] == '}';
		TEXT_OWNED char *value = NULL;

		if (w[0] != '$') {
			r = args_add_n(ret, w, strlen(w));
			continue;
		}
		value = environment(root, w + 1 + braces, strlen(w) - 1 - 2 * braces);
		r = value ? args_parse(ret, value) : -ENOMEM;
	}
	return r;
}

static int set(char **field, const char *value, size_t len)
{
	free(*field);
	*field = strndup(value, len);
	return *field ? 0 : -ENOMEM;
}

static int read_entry(struct fs *root, const char *text, struct bls_entry *e)
{
	const char *v;
	size_t len;
	int r;

	r = set(&e->version, "", 0);
	if (r == 0)
		r = set(&e->machine_id, "", 0);
	for (const char *line = text; *line && r == 0;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if ((v = key_value(line, "options", &len)))
			r = add_options(root, v, len, &e->options);
		else if ((v = key_value(line, "version", &len)))
			r = set(&e->version, v, len);
		else if ((v = key_value(line, "machine-id", &len)))
			r = set(&e->machine_id, v, len);
		else if ((v = key_value(line, "linux", &len)))
			e->is_linux = len > 0;
	}
	return r;
}

static int add_entry(struct fs *root, const char *folder, const char *name,
		     struct bls *ret)
{
	TEXT_OWNED char *text = NULL;
	struct bls_entry e = { 0 }, *all;
	int r;

	if (asprintf(&e.path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	r = set(&e.id, name, strlen(name) - strlen(".conf"));
	if (r == 0)
		r = boot_look(root, e.path, &text);
	if (r == 0)
		r = read_entry(root, text, &e);
	all = r < 0 ? NULL : reallocarray(ret->entries, ret->n + 1, sizeof(*all));
	if (!all) {
		finish_entry(&e);
		return r < 0 ? r : -ENOMEM;
	}
	ret->entries = all;
	all[ret->n++] = e;
	return 0;
}

int bls_read(struct fs *root, const char *folder, struct bls *ret)
{
	NAMES_OWNED struct name_list names = { 0 };
	int r;

	r = name_list_find(root, folder, ".conf", &names);
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = add_entry(root, folder, names.names[i], ret);
	return r;
}

int bls_read_all(struct fs *root, struct bls *ret)
{
	char folder[FS_PATH_MAX];
	int r = 0;

	for (const char *const *esp = boot_partitions; *esp && r == 0; esp++) {
		struct str s = STR_ON(folder);

		str_join(&s, *esp, "/loader/entries", NULL);
		r = bls_read(root, folder, ret);
	}
	return r;
}

int bls_menu(struct fs *root, struct changes *changes)
{
	static const char *const argv[] = { SAFE_ENTRIES, NULL };

	/* a machine may have been captured before vfio-claim was installed */
	if (!root->captured && !boot_exists(root, &SAFE_ENTRIES[1]))
		return 0;
	return changes_run(
		changes,
		N_("write the entries that leave the GPU to the host, and those "
		   "of claims"),
		argv, NULL);
}

int bls_entries(struct fs *root, struct changes *changes, struct str *why)
{
	(void)changes;
	if (root->captured || boot_exists(root, &SAFE_ENTRIES[1]))
		return 0;
	str_add(why, _("there is no " SAFE_ENTRIES
		       ", which writes the entries: install vfio-claim again"));
	return -EOPNOTSUPP;
}

bool bls_has_entry(struct fs *root, const char *claim)
{
	TEXT_OWNED char *end = NULL;
	BLS_OWNED struct bls bls = { 0 };
	bool found = false;

	if (bls_read_all(root, &bls) < 0 ||
	    asprintf(&end, "-" ENTRIES_ID "%s", claim) < 0)
		return false;
	for (size_t i = 0; i < bls.n && !found; i++) {
		const struct bls_entry *e = &bls.entries[i];
		const size_t len = strlen(e->id), n = strlen(end);

		found = len > n && str_equal(e->id + len - n, end);
	}
	return found;
}

/* Those of others that are named so are left alone by the script. */
static bool is_ours(struct fs *root, const char *path)
{
	TEXT_OWNED char *text = NULL;

	return boot_look(root, path, &text) == 0 && str_starts(text, MARK "\n");
}

int bls_list_entries(struct fs *root, struct args *ret)
{
	BLS_OWNED struct bls bls = { 0 };
	int r = bls_read_all(root, &bls);

	for (size_t i = 0; i < bls.n && r == 0; i++) {
		const char *name = strstr(bls.entries[i].id, "-" ENTRIES_ID);

		if (!name || !is_ours(root, bls.entries[i].path))
			continue;
		name += strlen("-" ENTRIES_ID);
		r = boot_add_entry(name, strlen(name), ret);
	}
	return r;
}

int bls_image_words(struct fs *root, const char *path, struct args *ret)
{
	TEXT_OWNED char *text = NULL;
	int fd, r;

	fd = fs_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	r = pe_section(fd, ".cmdline", &text);
	close(fd);
	return r < 0 ? r : args_parse(ret, text);
}

int bls_verify_image(struct fs *root, const char *path, const struct args *present,
		     const struct args *absent, struct str *why)
{
	ARGS_OWNED struct args words = { 0 };
	char entry[FS_PATH_MAX + 1];
	struct str s = STR_ON(entry);
	int r;

	str_join(&s, "/", path, NULL);
	r = bls_image_words(root, path, &words);
	if (r == 0)
		return boot_judge(&words, entry, present, absent, why);
	boot_at(why, path, 0,
		r == -ENODATA  ? _("it has no kernel arguments of its own")
		: r == -EPROTO ? _("it is no unified kernel image")
			       : str_errno(r));
	return r;
}

int bls_verify_images(struct fs *root, const struct args *present,
		      const struct args *absent, size_t *count, struct str *why)
{
	int r = 0;

	for (const char *const *esp = boot_partitions; *esp && r == 0; esp++) {
		NAMES_OWNED struct name_list names = { 0 };
		char folder[FS_PATH_MAX], path[FS_PATH_MAX];
		struct str s = STR_ON(folder);

		str_join(&s, *esp, "/EFI/Linux", NULL);
		r = name_list_find(root, folder, ".efi", &names);
		for (size_t i = 0; i < names.n && r == 0; i++, (*count)++) {
			s = STR_ON(path);
			str_join(&s, folder, "/", names.names[i], NULL);
			r = bls_verify_image(root, path, present, absent, why);
		}
	}
	return r;
}
