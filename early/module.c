/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kargs.h"
#include "moddep.h"
#include "pci.h"
#include "str.h"

/* linux/module.h, since 5.17 */
#define MODULE_INIT_COMPRESSED_FILE 4

/*
 * The options of modprobe.d and of the command line, less those that would make vfio take
 * what no claim names (ids=) or go without an IOMMU: remains of guides, mostly.
 */
static void clean_options(const char *options, const char *const *more, char *buf,
			  size_t size)
{
	const char *p = options, *start;
	char word[256];
	struct str s;
	bool cut;

	str_init(&s, buf, size);
	for (start = p; p && kargs_next(&p, word, sizeof(word), &cut); start = p) {
		if (kargs_value(word, "ids") ||
		    kargs_value(word, "enable_unsafe_noiommu_mode"))
			continue;
		/* as it stands, quotes and all */
		str_add_n(&s, start, (size_t)(p - start));
	}
	/* the last one wins */
	while (more && *more)
		str_join(&s, " ", *more++, NULL);
	/* half an option could mean anything */
	if (s.cut)
		buf[0] = '\0';
}

/* What is known while a module is loaded. */
struct modules {
	struct fs *fs;
	const char *release;
	struct kmod_ctx *ctx; /* modprobe.d and the kernel command line */
	void *index; /* modules.dep.bin */
	size_t index_len;
};

/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz" is the file of vfio_pci. */
static void name_of(const char *file, size_t len, char *ret, size_t size)
{
	const char *at = memrchr(file, '/', len), *end = file + len;
	struct str s;

	str_init(&s, ret, size);
	for (at = at ? at + 1 : file; at < end && *at != '.'; at++)
		str_add_char(&s, *at == '-' ? '_' : *at);
}

/* Of modprobe.d and the kernel command line, and the parameters. */
static int options_of(struct modules *m, const char *name, const char *const *parameters,
		      char *buf, size_t size)
{
	struct kmod_module *mod = NULL;
	int r = kmod_module_new_from_name(m->ctx, name, &mod);

	if (r == 0)
		clean_options(kmod_module_get_options(mod), parameters, buf, size);
	kmod_module_unref(mod);
	return r;
}

/*
 * Without libkmod's own decompression: the kernel unpacks .xz and .zst itself where it
 * was built to, and says no otherwise.
 */
static int insert(struct modules *m, const char *file, size_t len,
		  const char *const *parameters)
{
	const bool plain = len > 3 && !strncmp(file + len - 3, ".ko", 3);
	char name[PCI_DRIVER_LEN], path[FS_PATH_MAX], options[512];
	struct str s = STR_ON(path);
	int fd, r;

	name_of(file, len, name, sizeof(name));
	str_join(&s, "sys/module/", name, NULL);
	/* before it says so itself, the kernel would read and check the whole file */
	if (m->fs->ops->exists(m->fs, path) == 0)
		return 0;
	r = options_of(m, name, parameters, options, sizeof(options));
	if (r < 0)
		return r;
	s = STR_ON(path);
	if (*file != '/')
		str_join(&s, "lib/modules/", m->release, "/", NULL);
	str_add_n(&s, file, len);
	fd = s.cut ? -ENAMETOOLONG : fs_open(m->fs, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	if (syscall(SYS_finit_module, fd, options,
		    plain ? 0 : MODULE_INIT_COMPRESSED_FILE) < 0 &&
	    errno != EEXIST)
		r = -errno;
	close(fd);
	return r;
}

/* The last word before *end, which moves there. NULL: there is none. */
static const char *word_before(const char *begin, const char **end, size_t *ret_len)
{
	const char *behind = *end, *at;

	while (behind > begin && behind[-1] == ' ')
		behind--;
	for (at = behind; at > begin && at[-1] != ' ';)
		at--;
	*end = at;
	*ret_len = (size_t)(behind - at);
	return at < behind ? at : NULL;
}

/* With what it depends on. *ret_deps, if not NULL: those, the last is to be first. */
static int insert_by_name(struct modules *m, const char *name,
			  const char *const *parameters, const char **ret_deps)
{
	const char *line, *deps, *end, *file;
	size_t len;
	int r;

	r = moddep_find(m->index, m->index_len, name, &line);
	if (r < 0)
		return r;
	deps = strchr(line, ':');
	if (!deps)
		return -EPROTO;
	deps++;
	end = deps + strlen(deps);
	while (r == 0 && (file = word_before(deps, &end, &len)))
		r = insert(m, file, len, NULL);
	if (r == 0)
		r = insert(m, line, (size_t)(deps - 1 - line), parameters);
	if (ret_deps)
		*ret_deps = deps;
	return r;
}

/*
 * What a module asks to be loaded after it: for vfio that is vfio_iommu_type1, without
 * which no guest can use what is bound. Nobody else loads it once vfio is there. Only of
 * vfio's own: a softdep line of modprobe.d can name a GPU's driver.
 */
static void insert_companions(struct modules *m, const char *name)
{
	struct kmod_config_iter *softdeps = kmod_config_get_softdeps(m->ctx);
	char word[PCI_DRIVER_LEN], other[PCI_DRIVER_LEN];
	const char *after = NULL;
	bool cut;

	/* the first line counts, as for modprobe */
	while (!after && kmod_config_iter_next(softdeps))
		if (str_equal(kmod_config_iter_get_key(softdeps), name))
			after = kmod_config_iter_get_value(softdeps);
	/* libkmod leaves no blank before it */
	after = after ? strstr(after, "post: ") : NULL;
	if (after)
		after += strlen("post: ");
	while (after && kargs_next(&after, word, sizeof(word), &cut)) {
		name_of(word, strlen(word), other, sizeof(other));
		if (str_starts(other, "vfio"))
			(void)!insert_by_name(m, other, NULL, NULL);
	}
	kmod_config_iter_free_iter(softdeps);
}

static int insert_all(struct modules *m, const char *name, const char *const *parameters)
{
	char normal[PCI_DRIVER_LEN];
	const char *deps, *end, *file;
	size_t len;
	int r;

	name_of(name, strlen(name), normal, sizeof(normal));
	r = insert_by_name(m, normal, parameters, &deps);
	if (r < 0)
		return r;
	end = deps + strlen(deps);
	while ((file = word_before(deps, &end, &len))) {
		name_of(file, len, normal, sizeof(normal));
		insert_companions(m, normal);
	}
	return 0;
}

/* libkmod would read it anew for every name, and look in four others for some. */
static int map_index(struct modules *m, const char *folder)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	struct stat st;
	int fd, r = 0;

	str_join(&s, folder, "/modules.dep.bin", NULL);
	fd = fs_open(m->fs, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0) {
		m->index_len = (size_t)st.st_size;
		m->index = mmap(NULL, m->index_len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (m->index == MAP_FAILED)
			r = -errno;
	}
	close(fd);
	return r;
}

/* The files of modprobe.d. */
struct settings {
	const char *folder;
	const char *paths[128];
	unsigned n;
	char text[8192];
	size_t len;
};

static int add_file(void *arg, const char *name)
{
	const char *dot = strrchr(name, '.');
	struct settings *files = arg;
	struct str s;

	if (*name == '.' || !dot ||
	    (!str_equal(dot, ".conf") && !str_equal(dot, ".alias")))
		return 0;
	str_init(&s, files->text + files->len, sizeof(files->text) - files->len);
	str_join(&s, "/", files->folder, "/", name, NULL);
	if (s.cut || s.len + 1 == s.size || files->n + 1 == ARRAY_SIZE(files->paths))
		return -EFBIG;
	files->paths[files->n++] = s.buf;
	files->len += s.len + 1;
	return 0;
}

/*
 * libkmod would look at each once more and take a page for each folder. It still sorts
 * them by name, and of two with one name takes the first. Should they be too many, it
 * lists them itself.
 */
static int list_settings(struct fs *fs, struct settings *ret)
{
	static const char *const folders[] = { "etc/modprobe.d", "run/modprobe.d",
					       "usr/local/lib/modprobe.d",
					       "lib/modprobe.d" };
	int r = 0;

	*ret = (struct settings){ 0 };
	for (unsigned i = 0; i < ARRAY_SIZE(folders) && r != -EFBIG; i++) {
		ret->folder = folders[i];
		r = fs->ops->list(fs, folders[i], add_file, ret);
	}
	return r == -EFBIG ? r : 0;
}

static int load_by_kmod(struct fs *fs, const char *release, const char *name,
			const char *const *parameters)
{
	struct modules m = { .fs = fs, .release = release };
	char folder[FS_PATH_MAX];
	struct str s = STR_ON(folder);
	static struct settings files;
	/*
	 * libkmod has one line and one FILE at a time, and musl unmaps a page as soon as
	 * nothing is left in it: something is
	 */
	static const size_t sizes[] = { 256, 512, 1264 };
	void *volatile held[ARRAY_SIZE(sizes)];
	int r;

	str_join(&s, "/lib/modules/", release, NULL);
	r = map_index(&m, folder);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = malloc(sizes[i]);
	m.ctx = kmod_new(folder, list_settings(fs, &files) < 0 ? NULL : files.paths);
	r = m.ctx ? insert_all(&m, name, parameters) : -ENOMEM;
	kmod_unref(m.ctx);
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
		free(held[i]);
	munmap(m.index, m.index_len);
	return r;
}

/* A later ids= wins over those of modprobe.d. */
static int load_by_modprobe(const char *name, const char *const *parameters)
{
	const char *argv[] = { "modprobe",
			       name,
			       parameters ? "ids=" : NULL,
			       parameters ? parameters[0] : NULL,
			       parameters && parameters[0] ? parameters[1] : NULL,
			       NULL };
	const char *envp[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	pid_t pid;
	int r, status;

	r = posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, (char **)envp);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOEXEC;
}

static int load(struct module_loader *loader, const char *name)
{
	const char *const *parameters =
		str_equal(name, "vfio-pci") ? loader->parameters : NULL;
	int r;

	if (loader->fs->captured)
		return -EPERM;
	r = load_by_kmod(loader->fs, loader->release, name, parameters);
	/* libkmod's error says more than modprobe's exit status */
	return r < 0 && load_by_modprobe(name, parameters) < 0 ? r : 0;
}

struct module_loader module_loader_kmod(struct fs *fs, const char *release)
{
	return (struct module_loader){ .load = load, .fs = fs, .release = release };
}
