/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <archive.h>
#include <archive_entry.h>

#include "library.h"
#include "slurp.h"

#define CONTENT_MAX (16 * 1024 * 1024)
#define ATTRIBUTE_MAX 4096 /* PAGE_SIZE, and a configuration space */

#define CALLS(CALL)                         \
	CALL(archive_entry_copy_pathname)   \
	CALL(archive_entry_copy_symlink)    \
	CALL(archive_entry_free)            \
	CALL(archive_entry_new)             \
	CALL(archive_entry_set_filetype)    \
	CALL(archive_entry_set_mtime)       \
	CALL(archive_entry_set_perm)        \
	CALL(archive_entry_set_size)        \
	CALL(archive_errno)                 \
	CALL(archive_write_add_filter_gzip) \
	CALL(archive_write_add_filter_zstd) \
	CALL(archive_write_close)           \
	CALL(archive_write_data)            \
	CALL(archive_write_fail)            \
	CALL(archive_write_free)            \
	CALL(archive_write_header)          \
	CALL(archive_write_new)             \
	CALL(archive_write_open_fd)         \
	CALL(archive_write_set_format_gnutar)
LIBRARY_CALLS(calls, CALLS);

int snapshot_ready(struct str *why)
{
	return library_load(LIBRARY_ARCHIVE, calls, ARRAY_SIZE(calls), why);
}

bool snapshot_how(const char *name, enum snapshot_how *ret)
{
	static const struct {
		const char *end;
		enum snapshot_how how;
	} ends[] = {
		{ ".tar", SNAPSHOT_PLAIN }, { ".tar.gz", SNAPSHOT_GZIP },
		{ ".tgz", SNAPSHOT_GZIP },  { ".tar.zst", SNAPSHOT_ZSTD },
		{ ".tzst", SNAPSHOT_ZSTD },
	};
	const size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const size_t end = strlen(ends[i].end);

		if (len > end && str_equal(name + len - end, ends[i].end)) {
			*ret = ends[i].how;
			return true;
		}
	}
	return false;
}

struct writer {
	struct archive *archive;
	struct fs *root;
	struct scrub *scrub;
	time_t now;
};

static bool ends_with(const char *text, const char *end)
{
	const size_t len = strlen(text), n = strlen(end);

	return len >= n && str_equal(text + len - n, end);
}

/* Settings are what people write, and where their host's name and passwords stand. */
static bool is_settings(const char *path)
{
	return !str_starts(path, "sys/") && !str_starts(path, "lib/") &&
	       !str_starts(path, "usr/share/") && !str_starts(path, "proc/cpuinfo") &&
	       !str_starts(path, "proc/modules") && !str_starts(path, "proc/iomem");
}

static int replace(char **content, size_t *len, char *with)
{
	if (!with)
		return -ENOMEM;
	free(*content);
	*content = with;
	*len = strlen(with);
	return 0;
}

/* 0, 1 if it must not leave this machine, or -ENOMEM. */
static int clean(const struct writer *w, const char *path, char **content, size_t *len)
{
	const bool text = !memchr(*content, '\0', *len);
	int r = 0;

	if (memmem(*content, *len, "PRIVATE KEY-----", 16))
		return 1;
	if (text && is_settings(path))
		r = replace(content, len, scrub_passwords(*content));
	if (r < 0 || !w->scrub)
		return r;
	/* UTF-16 with a machine id in it */
	if (str_starts(path, "sys/firmware/efi/efivars/LoaderEntr"))
		return 1;
	if (ends_with(path, "/config") && str_starts(path, "sys/"))
		scrub_config(w->scrub, (uint8_t *)*content, *len);
	else if (text && !str_starts(path, "lib/"))
		r = replace(content, len,
			    scrub_text(w->scrub, *content,
				       is_settings(path) || ends_with(path, "/dm/name")));
	return r;
}

static int read_item(const struct writer *w, const struct item *item, char **ret,
		     size_t *ret_len)
{
	char buf[ATTRIBUTE_MAX];
	size_t len;
	int r;

	if (item->kind == ITEM_FILE)
		return slurp(w->root, item->path, CONTENT_MAX, ret, ret_len);
	if (item->kind == ITEM_TEXT) {
		*ret = strdup(item->text);
		*ret_len = strlen(item->text);
		return *ret ? 0 : -ENOMEM;
	}
	r = w->root->ops->read(w->root, item->path, FS_ATTRIBUTE, buf, sizeof(buf), &len,
			       NULL);
	if (r < 0)
		return r;
	*ret = malloc(len + 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, buf, len);
	(*ret)[len] = '\0';
	*ret_len = len;
	return 0;
}

static int write_error(struct archive *archive)
{
	const int error = sym_archive_errno(archive);

	return error > 0 ? -error : -EIO;
}

static int put(const struct writer *w, const struct item *item, const char *path,
	       const char *content, size_t len)
{
	struct archive_entry *e = sym_archive_entry_new();
	int r = 0;

	if (!e)
		return -ENOMEM;
	sym_archive_entry_copy_pathname(e, path);
	sym_archive_entry_set_mtime(e, w->now, 0);
	sym_archive_entry_set_perm(e, item->kind == ITEM_FOLDER ? 0755 : 0644);
	sym_archive_entry_set_filetype(e, item->kind == ITEM_FOLDER ? AE_IFDIR
					  : item->kind == ITEM_LINK ? AE_IFLNK
								    : AE_IFREG);
	if (item->kind == ITEM_LINK)
		sym_archive_entry_copy_symlink(e, item->text);
	sym_archive_entry_set_size(e, (la_int64_t)len);
	if (sym_archive_write_header(w->archive, e) < ARCHIVE_WARN ||
	    (len && sym_archive_write_data(w->archive, content, len) != (la_ssize_t)len))
		r = write_error(w->archive);
	sym_archive_entry_free(e);
	return r;
}

/* Entries of the boot loader, and btrfs, are called by their UUIDs. */
static char *path_of(const struct writer *w, const struct item *item)
{
	if (!w->scrub ||
	    (str_starts(item->path, "sys/") && !str_starts(item->path, "sys/fs/")))
		return strdup(item->path);
	return scrub_text(w->scrub, item->path, is_settings(item->path));
}

static int write_item(const struct writer *w, const struct item *item,
		      struct snapshot_result *result)
{
	char *content = NULL, *path;
	size_t len = 0;
	int r = 0;

	if (item->kind != ITEM_FOLDER && item->kind != ITEM_LINK) {
		r = read_item(w, item, &content, &len);
		if (r < 0 && r != -ENOMEM) {
			/* gone, or sysfs has no value for it */
			if (r == -EACCES || r == -EPERM || r == -EFBIG)
				result->unreadable++;
			return 0;
		}
		if (r == 0)
			r = clean(w, item->path, &content, &len);
	}
	path = path_of(w, item);
	if (r == 0)
		r = path ? put(w, item, path, content, len) : -ENOMEM;
	result->written += r == 0;
	free(path);
	free(content);
	return r < 0 ? r : 0;
}

static int open_archive(struct archive *a, enum snapshot_how how, int fd)
{
	int r = sym_archive_write_set_format_gnutar(a);

	if (r == ARCHIVE_OK && how == SNAPSHOT_GZIP)
		r = sym_archive_write_add_filter_gzip(a);
	if (r == ARCHIVE_OK && how == SNAPSHOT_ZSTD)
		r = sym_archive_write_add_filter_zstd(a);
	if (r == ARCHIVE_OK)
		r = sym_archive_write_open_fd(a, fd);
	return r == ARCHIVE_OK ? 0 : write_error(a);
}

int snapshot_write(const struct inventory *inventory, struct scrub *scrub,
		   enum snapshot_how how, int fd, struct snapshot_result *ret)
{
	struct writer w = { .archive = sym_archive_write_new(),
			    .root = inventory->root,
			    .scrub = scrub,
			    .now = time(NULL) };
	int r;

	*ret = (struct snapshot_result){ 0 };
	if (!w.archive)
		return -ENOMEM;
	r = open_archive(w.archive, how, fd);
	for (size_t i = 0; r == 0 && i < inventory->n; i++)
		r = write_item(&w, &inventory->items[i], ret);
	if (r == 0 && sym_archive_write_close(w.archive) != ARCHIVE_OK)
		r = write_error(w.archive);
	if (r < 0)
		sym_archive_write_fail(w.archive);
	sym_archive_write_free(w.archive);
	return r;
}
