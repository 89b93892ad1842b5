// SPDX-License-Identifier: GPL-2.0-or-later
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "change.h"
#include "slurp.h"
#include "text.h"

/* the second is a softdep of vfio: without it no guest opens what was claimed */
static const char *const wanted[] = { "vfio_pci", "vfio_iommu_type1" };

bool modules_name(const char *path, size_t len, char ret[static MODULES_NAME_LEN])
{
	static const char *const suffixes[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };
	const char *slash = memrchr(path, '/', len);
	const char *name = slash ? slash + 1 : path;
	const size_t name_len = len - (size_t)(name - path);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const size_t end = strlen(suffixes[i]);
		struct str s;

		if (name_len <= end || name_len - end >= MODULES_NAME_LEN ||
		    memcmp(name + name_len - end, suffixes[i], end) != 0)
			continue;
		str_init(&s, ret, MODULES_NAME_LEN);
		for (size_t k = 0; k < name_len - end; k++)
			str_add_char(&s, name[k] == '-' ? '_' : name[k]);
		return true;
	}
	return false;
}

void modules_mark(struct modules *modules, const char *path)
{
	char name[MODULES_NAME_LEN];

	if (!modules_name(path, strlen(path), name))
		return;
	for (size_t i = 0; i < modules->n; i++)
		if (str_equal(modules->needed[i].name, name))
			modules->needed[i].found = true;
}

static int add(struct modules *modules, const char *name)
{
	for (size_t i = 0; i < modules->n; i++)
		if (str_equal(modules->needed[i].name, name))
			return 0;
	if (modules->n == MODULES_MAX)
		return -E2BIG;
	str_copy(modules->needed[modules->n].name, MODULES_NAME_LEN, name);
	modules->needed[modules->n++].found = false;
	return 0;
}

/* The line of a module in modules.dep or modules.builtin, or NULL. */
static const char *find_line(const char *text, const char *module)
{
	char name[MODULES_NAME_LEN];

	while (*text) {
		if (modules_name(text, strcspn(text, ":\n"), name) &&
		    str_equal(name, module))
			return text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

/* Every path of a line "a.ko: b.ko c.ko". */
static int add_line(struct modules *modules, const char *line)
{
	char name[MODULES_NAME_LEN];
	int r = 0;

	while (r == 0 && *line && *line != '\n') {
		const size_t len = strcspn(line, ": \n");

		if (modules_name(line, len, name))
			r = add(modules, name);
		line += len;
		line += strspn(line, ": ");
	}
	return r;
}

static int read_index(struct fs *root, const char *release, const char *file, char **ret,
		      struct str *why)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	size_t len;
	int fd, r;

	str_join(&s, "lib/modules/", release, "/", file, NULL);
	fd = s.cut ? -ENAMETOOLONG : fs_open(root, path, O_RDONLY | O_NONBLOCK, 0);
	r = fd < 0 ? fd : slurp_fd(fd, CHANGE_MAX_SIZE, ret, &len);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		str_join(why, "/", path, ": ", str_errno(r), NULL);
	return r;
}

static int collect(const char *dep, const char *builtin, const char *release,
		   struct modules *ret, struct str *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++) {
		const char *line = find_line(dep, wanted[i]);

		if (line) {
			r = add_line(ret, line);
		} else if (!builtin || !find_line(builtin, wanted[i])) {
			str_join(why, _("kernel "), release, _(" has no module "),
				 wanted[i],
				 _(": nothing can be claimed with it; boot another "
				   "kernel"),
				 NULL);
			return -ENOENT;
		}
	}
	if (r < 0)
		str_join(why, _("modules.dep of kernel "), release,
			 _(" is not sensible; type: depmod "), release, NULL);
	return r;
}

int modules_needed(struct fs *root, const char *release, struct modules *ret,
		   struct str *why)
{
	char *dep = NULL, *builtin = NULL;
	char ignored[64];
	struct str none = STR_ON(ignored);
	int r;

	ret->n = 0;
	r = read_index(root, release, "modules.dep", &dep, why);
	if (r == 0) {
		/* kernels before 2.6.33, and trees, may have none */
		if (read_index(root, release, "modules.builtin", &builtin, &none) < 0)
			builtin = NULL;
		r = collect(dep, builtin, release, ret, why);
	} else if (r == -ENOENT) {
		r = -ENODATA; /* -ENOENT has its own meaning */
	}
	free(dep);
	free(builtin);
	return r;
}
