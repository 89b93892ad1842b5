/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"
#include "library.h"

#define NAMES_MAX 8
#define SECONDS 5 /* an index that is a pipe, a disk that hangs */

#define CALLS(CALL)                       \
	CALL(kmod_load_resources)         \
	CALL(kmod_module_get_module)      \
	CALL(kmod_module_get_path)        \
	CALL(kmod_module_new_from_lookup) \
	CALL(kmod_module_unref)           \
	CALL(kmod_module_unref_list)      \
	CALL(kmod_new)                    \
	CALL(kmod_set_log_fn)             \
	CALL(kmod_unref)
LIBRARY_CALLS(calls, CALLS);

/* What libkmod opens by name in the folder that it is given. */
static const char *const indexes[] = { "modules.dep.bin",     "modules.alias.bin",
				       "modules.symbols.bin", "modules.builtin.alias.bin",
				       "modules.builtin.bin", "modules.builtin.modinfo" };

/* libkmod does not stay below a root: no link, nothing but files. */
static bool are_plain(int folder)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
		if (fstatat(folder, indexes[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISREG(st.st_mode))
			return false;
	return true;
}

static void be_quiet(void *data, int priority, const char *file, int line, const char *fn,
		     const char *format, va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)fn, (void)format,
		(void)args;
}

/* Its path is "FOLDER/kernel/x.ko", or absolute where depmod was told so. */
static enum doctor_module judge(const struct doctor *d, const char *release,
				const char *folder, const char *file)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	if (str_starts(file, folder))
		str_join(&s, "lib/modules/", release, file + strlen(folder), NULL);
	else
		str_add(&s, file + strspn(file, "/"));
	return !s.cut && doctor_exists(d, path) ? DOCTOR_MODULE_FILE : DOCTOR_MODULE_LOST;
}

static void look(const struct doctor *d, const char *release, const char *folder,
		 const char *const *names, size_t n, unsigned char *ret)
{
	/* not the running system's configuration */
	const char *const nowhere = NULL;
	struct kmod_ctx *ctx = sym_kmod_new(folder, &nowhere);

	if (!ctx)
		return;
	sym_kmod_set_log_fn(ctx, be_quiet, NULL);
	/* without it damaged indexes are read byte by byte */
	if (sym_kmod_load_resources(ctx) < 0) {
		sym_kmod_unref(ctx);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct kmod_list *list = NULL;
		struct kmod_module *module;
		const char *file;

		if (sym_kmod_module_new_from_lookup(ctx, names[i], &list) < 0)
			continue;
		ret[i] = DOCTOR_MODULE_ABSENT;
		if (!list)
			continue;
		module = sym_kmod_module_get_module(list);
		file = sym_kmod_module_get_path(module);
		ret[i] = file ? judge(d, release, folder, file) : DOCTOR_MODULE_BUILTIN;
		sym_kmod_module_unref(module);
		sym_kmod_module_unref_list(list);
	}
	sym_kmod_unref(ctx);
}

static void in_child(const struct doctor *d, const char *release, int folder, int out,
		     const char *const *names, size_t n)
{
	unsigned char found[NAMES_MAX];
	char path[32];
	ssize_t written;

	memset(found, DOCTOR_MODULE_UNKNOWN, sizeof(found));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	/* it has nothing to say to people */
	(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	alarm(SECONDS);
	look(d, release, path, names, n, found);
	written = write(out, found, n);
	_exit(written != (ssize_t)n);
}

int doctor_modules_ready(struct str *why)
{
	return library_load(LIBRARY_KMOD, calls, ARRAY_SIZE(calls), why);
}

void doctor_modules(const struct doctor *d, const char *release, const char *const *names,
		    size_t n, enum doctor_module *ret)
{
	unsigned char found[NAMES_MAX];
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	int folder, ends[2], status;
	ssize_t got = -1;
	pid_t child;

	for (size_t i = 0; i < n; i++)
		ret[i] = DOCTOR_MODULE_UNKNOWN;
	/* here, and not in every child once more */
	if (doctor_modules_ready(&s) < 0)
		return;
	s = STR_ON(path);
	str_join(&s, "lib/modules/", release, NULL);
	folder = fs_open(d->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (folder < 0)
		return;
	if (n <= NAMES_MAX && are_plain(folder) && pipe2(ends, O_CLOEXEC) == 0) {
		child = fork();
		if (child == 0)
			in_child(d, release, folder, ends[1], names, n);
		close(ends[1]);
		if (child > 0) {
			got = read(ends[0], found, n);
			while (waitpid(child, &status, 0) < 0 && errno == EINTR)
				;
		}
		close(ends[0]);
	}
	close(folder);
	for (size_t i = 0; got == (ssize_t)n && i < n; i++)
		ret[i] = (enum doctor_module)found[i];
}
