/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "conf.h"

#define LOADER_INFO                 \
	"sys/firmware/efi/efivars/" \
	"LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

const char *const boot_partitions[] = { "efi", "boot/efi", "boot", NULL };

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

int boot_look(struct fs *root, const char *path, char **ret)
{
	size_t len;
	int fd, r;

	*ret = NULL;
	fd = fs_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	r = change_read_fd(fd, ret, &len);
	close(fd);
	return r;
}

bool boot_exists(struct fs *root, const char *path)
{
	return root->ops->exists(root, path) == 0;
}

struct listing {
	struct boot_names *names;
	const char *suffix;
};

static int add_name(void *arg, const char *name)
{
	struct listing *l = arg;
	const size_t len = strlen(name), end = strlen(l->suffix);
	char **names;

	if (len < end || strcmp(name + len - end, l->suffix) != 0)
		return 0;
	names = reallocarray(l->names->names, l->names->n + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	l->names->names = names;
	names[l->names->n] = strdup(name);
	return names[l->names->n] ? (l->names->n++, 0) : -ENOMEM;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int boot_list(struct fs *root, const char *folder, const char *suffix,
	      struct boot_names *ret)
{
	struct listing l = { ret, suffix };
	int r;

	*ret = (struct boot_names){ 0 };
	r = root->ops->list(root, folder, add_name, &l);
	if (r == -ENOENT || r == -ENOTDIR)
		r = 0;
	if (r < 0)
		boot_names_finish(ret);
	else if (ret->n)
		qsort(ret->names, ret->n, sizeof(*ret->names), by_bytes);
	return r;
}

void boot_names_finish(struct boot_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct boot_names){ 0 };
}

enum boot_started boot_started(struct fs *root, char *name, size_t size)
{
	static const struct {
		const char *prefix;
		enum boot_started started;
	} known[] = {
		{ "GRUB", BOOT_GRUB },
		{ "systemd-boot", BOOT_SYSTEMD },
		{ "rEFInd", BOOT_REFIND },
		{ "Limine", BOOT_LIMINE },
	};
	char raw[260], ascii[130];
	size_t len, n = 0;

	name[0] = '\0';
	if (root->ops->read(root, LOADER_INFO, FS_ATTRIBUTE, raw, sizeof(raw), &len,
			    NULL) < 0)
		return BOOT_UNKNOWN;
	/* 4 bytes of attributes, then UTF-16 */
	for (size_t i = 4; i + 1 < len && (raw[i] || raw[i + 1]); i += 2)
		ascii[n++] = raw[i + 1] ? '?' : raw[i];
	ascii[n] = '\0';
	if (!n)
		return BOOT_UNKNOWN;
	text_clean(name, size, ascii);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_starts(ascii, known[i].prefix))
			return known[i].started;
	return BOOT_OTHER;
}

bool boot_is_bios(struct fs *root)
{
	return boot_exists(root, "sys/firmware") &&
	       !boot_exists(root, "sys/firmware/efi");
}

static bool value_names(const char *value, const char *const *ids)
{
	const size_t end = strcspn(value, "\n");
	size_t at = 0, len;

	while (at < end) {
		len = strcspn(value + at, " \t\n\"'");
		for (const char *const *id = ids; *id && len; id++)
			if (strlen(*id) == len && !memcmp(value + at, *id, len))
				return true;
		at += len + 1;
	}
	return false;
}

bool boot_os_is(struct fs *root, const char *const *ids)
{
	TEXT_OWNED char *text = NULL;

	if (boot_look(root, "etc/os-release", &text) < 0 &&
	    boot_look(root, "usr/lib/os-release", &text) < 0)
		return false;
	for (const char *line = text; line && *line;) {
		if (str_starts(line, "ID=") && value_names(line + 3, ids))
			return true;
		if (str_starts(line, "ID_LIKE=") && value_names(line + 8, ids))
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
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

int boot_kernels(struct fs *root, struct boot_names *ret)
{
	NAMES_OWNED struct boot_names all = { 0 };
	char path[FS_PATH_MAX];
	struct listing l = { ret, "" };
	const char *folder = "usr/lib/modules";
	int r;

	*ret = (struct boot_names){ 0 };
	if (!boot_exists(root, folder))
		folder = "lib/modules";
	r = boot_list(root, folder, "", &all);
	for (size_t i = 0; i < all.n && r == 0; i++) {
		struct str s = STR_ON(path);

		str_join(&s, folder, "/", all.names[i], "/modules.dep", NULL);
		if (!s.cut && boot_exists(root, path))
			r = add_name(&l, all.names[i]);
	}
	if (r < 0)
		boot_names_finish(ret);
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

const char *boot_reason(int error)
{
	if (error == -ELOOP)
		return _("it is a symbolic link");
	if (error == -EPROTO)
		return _("there is a NUL byte in it");
	return str_errno(error);
}

void boot_at(struct str *why, const char *path, unsigned line, const char *reason)
{
	char clean[FS_PATH_MAX];

	text_clean(clean, sizeof(clean), path);
	str_join(why, "/", clean, NULL);
	if (line) {
		str_add_char(why, ':');
		str_add_uint(why, line);
	}
	str_join(why, ": ", reason, NULL);
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
	NAMES_OWNED struct boot_names names = { 0 };
	bool seen = false;
	int r;

	r = boot_list(root, folder, suffix, &names);
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
