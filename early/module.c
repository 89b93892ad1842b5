/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kargs.h"
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

/*
 * Without libkmod's own decompression: the kernel unpacks .xz and .zst itself where it
 * was built to, and says no otherwise.
 */
static int insert(struct kmod_module *mod, const char *const *parameters)
{
	const char *path = kmod_module_get_path(mod);
	char options[512];
	int fd, r = 0, flags = 0;
	size_t len;

	if (kmod_module_get_initstate(mod) >= 0)
		return 0; /* live, coming, or built in */
	if (!path)
		return -ENOENT;
	len = strlen(path);
	if (len > 3 && !str_equal(path + len - 3, ".ko"))
		flags = MODULE_INIT_COMPRESSED_FILE;
	clean_options(kmod_module_get_options(mod), parameters, options, sizeof(options));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, options, flags) < 0 && errno != EEXIST)
		r = -errno;
	close(fd);
	return r;
}

static int insert_dependencies(struct kmod_module *mod)
{
	struct kmod_list *deps = kmod_module_get_dependencies(mod), *l;
	struct kmod_module *dep;
	int r = 0;

	kmod_list_foreach (l, deps) {
		dep = kmod_module_get_module(l);
		if (r == 0)
			r = insert(dep, NULL);
		kmod_module_unref(dep);
	}
	kmod_module_unref_list(deps);
	return r;
}

/*
 * What a module asks to be loaded after it: for vfio that is vfio_iommu_type1, without
 * which no guest can use what is bound. Nobody else loads it once vfio is there. Only of
 * vfio's own: a softdep line of modprobe.d can name a GPU's driver.
 */
static void insert_companions(struct kmod_module *mod)
{
	struct kmod_list *before = NULL, *after = NULL, *l;
	struct kmod_module *other;

	if (kmod_module_get_softdeps(mod, &before, &after) < 0)
		return;
	kmod_list_foreach (l, after) {
		other = kmod_module_get_module(l);
		if (str_starts(kmod_module_get_name(other), "vfio") &&
		    insert_dependencies(other) == 0)
			(void)!insert(other, NULL);
		kmod_module_unref(other);
	}
	kmod_module_unref_list(before);
	kmod_module_unref_list(after);
}

static int insert_all(struct kmod_module *mod, const char *const *parameters)
{
	struct kmod_list *deps, *l;
	struct kmod_module *dep;
	int r;

	r = insert_dependencies(mod);
	if (r == 0)
		r = insert(mod, parameters);
	if (r < 0)
		return r;
	deps = kmod_module_get_dependencies(mod);
	kmod_list_foreach (l, deps) {
		dep = kmod_module_get_module(l);
		insert_companions(dep);
		kmod_module_unref(dep);
	}
	kmod_module_unref_list(deps);
	return 0;
}

static int load_by_kmod(const char *release, const char *name,
			const char *const *parameters)
{
	struct kmod_module *mod = NULL;
	char folder[FS_PATH_MAX];
	struct str s = STR_ON(folder);
	struct kmod_ctx *ctx;
	int r;

	str_join(&s, "/lib/modules/", release, NULL);
	ctx = kmod_new(folder, NULL);
	if (!ctx)
		return -ENOMEM;
	r = kmod_module_new_from_name(ctx, name, &mod);
	if (r == 0)
		r = insert_all(mod, parameters);
	kmod_module_unref(mod);
	kmod_unref(ctx);
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
	r = load_by_kmod(loader->release, name, parameters);
	/* libkmod's error says more than modprobe's exit status */
	return r < 0 && load_by_modprobe(name, parameters) < 0 ? r : 0;
}

struct module_loader module_loader_kmod(struct fs *fs, const char *release)
{
	return (struct module_loader){ .load = load, .fs = fs, .release = release };
}
