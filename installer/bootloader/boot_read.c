/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

#define LOADER_INFO                 \
	"sys/firmware/efi/efivars/" \
	"LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

const char *const boot_partitions[] = { "efi", "boot/efi", "boot", NULL };

int boot_look(struct fs *root, const char *path, char **ret)
{
	size_t len;
	int fd, r;

	*ret = NULL;
	fd = fs_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	r = slurp_fd(fd, BOOT_MAX_SIZE, ret, &len);
	close(fd);
	return r;
}

bool boot_exists(struct fs *root, const char *path)
{
	return root->ops->exists(root, path) == 0;
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

struct folder {
	struct fs *root;
	const char *path;
};

static bool has_modules(void *arg, const char *name)
{
	const struct folder *folder = arg;
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, folder->path, "/", name, "/modules.dep", NULL);
	return !s.cut && boot_exists(folder->root, path);
}

int boot_kernels(struct fs *root, struct name_list *ret)
{
	struct folder folder = { root, "usr/lib/modules" };
	int r;

	if (!boot_exists(root, folder.path))
		folder.path = "lib/modules";
	r = name_list_find(root, folder.path, "", ret);
	if (r == 0)
		name_list_filter(ret, has_modules, &folder);
	return r;
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
