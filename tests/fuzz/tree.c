/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "state.h"

/* There is one at a time; a store has a copy of its fs. */
static struct tree *the_tree;

static struct tree *tree_of(struct fs *fs)
{
	CHECK(fs->ops == the_tree->fs.ops);
	return the_tree;
}

static struct tree_entry *find(const struct tree *tree, const char *kinds,
			       const char *path)
{
	for (size_t i = 0; i < tree->n; i++)
		if (strchr(kinds, tree->entries[i].kind) &&
		    !strcmp(tree->entries[i].path, path))
			return (struct tree_entry *)&tree->entries[i];
	return NULL;
}

const struct tree_entry *tree_get(const struct tree *tree, char kind, const char *path)
{
	return find(tree, (char[]){ kind, '\0' }, path);
}

static const char *below(const struct tree_entry *e, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(e->path, folder, len) && e->path[len] == '/' ? e->path + len + 1
								     : NULL;
}

static bool is_folder(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->n; i++)
		if (below(&tree->entries[i], path))
			return true;
	return false;
}

static int error_of(const struct tree_entry *e)
{
	int error = atoi(e->data);

	return error > 0 && error < 134 ? -error : -EIO;
}

static int refusal(const struct tree *tree, const char *path)
{
	const struct tree_entry *e = find(tree, "!", path);

	return e ? error_of(e) : 0;
}

static int tree_read(struct fs *fs, const char *path, enum fs_extent extent, char *buf,
		     size_t size, size_t *ret_len, struct fs_meta *meta)
{
	const struct tree *tree = tree_of(fs);
	const struct tree_entry *e = find(tree, "@%", path);
	int r = refusal(tree, path);

	if (r < 0)
		return r;
	if (!e)
		return is_folder(tree, path) ? -EISDIR : -ENOENT;
	if (extent == FS_FILE && e->len >= size)
		return -EFBIG;
	*ret_len = e->len < size ? e->len : size;
	memcpy(buf, e->data, *ret_len);
	if (meta)
		*meta = (struct fs_meta){ .uid = 0, .mode = S_IFREG | 0644 };
	return 0;
}

static int tree_link(struct fs *fs, const char *path, char *buf, size_t size)
{
	const struct tree *tree = tree_of(fs);
	const struct tree_entry *e = find(tree, ">", path);
	size_t len;
	int r = refusal(tree, path);

	if (r < 0)
		return r;
	if (!e)
		return find(tree, "@%", path) || is_folder(tree, path) ? -EINVAL
								       : -ENOENT;
	len = strlen(e->data);
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(buf, e->data, len + 1);
	return 0;
}

static bool name_seen(const struct tree *tree, size_t end, const char *folder,
		      const char *name)
{
	size_t len = strlen(name);
	const char *other;

	for (size_t i = 0; i < end; i++) {
		other = below(&tree->entries[i], folder);
		if (other && !strncmp(other, name, len) &&
		    (!other[len] || other[len] == '/'))
			return true;
	}
	return false;
}

static int tree_list(struct fs *fs, const char *path, fs_name_fn *fn, void *arg)
{
	const struct tree *tree = tree_of(fs);
	char name[256];
	const char *rest;
	size_t len;
	int r = refusal(tree, path);

	if (r < 0)
		return r;
	if (!is_folder(tree, path))
		return find(tree, "@%", path) ? -ENOTDIR : -ENOENT;
	for (size_t i = 0; r == 0 && i < tree->n; i++) {
		rest = below(&tree->entries[i], path);
		len = rest ? strcspn(rest, "/") : 0;
		if (!len || len >= sizeof(name))
			continue;
		memcpy(name, rest, len);
		name[len] = '\0';
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    !name_seen(tree, i, path, name))
			r = fn(arg, name);
	}
	return r;
}

static int tree_exists(struct fs *fs, const char *path)
{
	const struct tree *tree = tree_of(fs);
	int r = refusal(tree, path);

	if (r < 0)
		return r;
	return find(tree, "@%>", path) || is_folder(tree, path) ? 0 : -ENOENT;
}

static void put(struct tree *tree, char kind, const char *path, const char *data,
		size_t len)
{
	struct tree_entry *e = find(tree, (char[]){ kind, '\0' }, path);

	if (!e) {
		CHECK(tree->n < TREE_MAX);
		e = &tree->entries[tree->n++];
		*e = (struct tree_entry){ .kind = kind, .path = strdup(path) };
	}
	free(e->data);
	e->data = fuzz_text((const uint8_t *)data, len);
	e->len = len;
}

static void drop(struct tree *tree, const char *path)
{
	struct tree_entry *e = find(tree, ">", path);

	if (e)
		e->kind = '-';
}

/* drivers/NAME/bind and unbind, drivers/pci/pci-driver.c and drivers/base/bus.c */
static int change_driver(struct tree *tree, const char *driver, bool bind,
			 const char *address)
{
	char device[FS_PATH_MAX], path[FS_PATH_MAX + 32], target[256];
	const struct tree_entry *now, *override;
	bool bound;

	snprintf(device, sizeof(device), PCI_DEVICES "/%s", address);
	if (!is_folder(tree, device))
		return -ENODEV;
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	snprintf(path, sizeof(path), "%s/driver", device);
	now = find(tree, ">", path);
	bound = now && strrchr(now->data, '/') &&
		!strcmp(strrchr(now->data, '/') + 1, driver);
	if (!bind) {
		if (!bound)
			return -ENODEV;
		drop(tree, path);
		return 0;
	}
	if (now)
		return -EBUSY;
	snprintf(path, sizeof(path), "%s/driver_override", device);
	override = find(tree, "@", path);
	if (!strcmp(driver, "vfio-pci") &&
	    (!override || strcspn(override->data, "\n") != 8 ||
	     strncmp(override->data, "vfio-pci", 8) != 0))
		return -ENODEV;
	snprintf(path, sizeof(path), "%s/driver", device);
	put(tree, '>', path, target, strlen(target));
	return 0;
}

static int tree_write(struct fs *fs, const char *path, const char *data, size_t len)
{
	struct tree *tree = tree_of(fs);
	struct tree_entry *once = find(tree, "~", path);
	char driver[FS_PATH_MAX], address[32] = "", *leaf;
	int r = refusal(tree, path);

	CHECK(!tree->read_only);
	tree->writes++;
	if (tree->watch)
		tree->watch(tree, path, data, len);
	if (r == 0 && once) {
		r = error_of(once);
		once->kind = '-';
	}
	if (r == 0 && !strncmp(path, PCI_DRIVERS "/", strlen(PCI_DRIVERS "/"))) {
		snprintf(driver, sizeof(driver), "%s", path + strlen(PCI_DRIVERS "/"));
		leaf = strrchr(driver, '/');
		CHECK(leaf && len < sizeof(address));
		*leaf++ = '\0';
		memcpy(address, data, len);
		r = find(tree, "@", path) || is_folder(tree, PCI_DRIVERS)
			    ? change_driver(tree, driver, !strcmp(leaf, "bind"), address)
			    : -ENOENT;
	} else if (r == 0 && strstr(path, "/driver_override")) {
		put(tree, '@', path, data, len);
	}
	tree->refused += r < 0;
	return r;
}

/* What one stage leaves to the next. */
static bool is_handed_on(const char *path)
{
	return !strcmp(path, STATE_PATH) ||
	       !strncmp(path, REPORT_AWAITED_PATH, strlen(REPORT_AWAITED_PATH));
}

/* Only what is kept for the next boot, and for settle; the report has no place here. */
static int keep(struct fs *fs, const char *path, const char *data, size_t len)
{
	struct tree *tree = tree_of(fs);
	struct tree_entry *once = find(tree, "~", path);
	int r = refusal(tree, path);

	CHECK(!tree->read_only);
	CHECK(tree->fs.captured || is_handed_on(path));
	if (r == 0 && once) {
		r = error_of(once);
		once->kind = '-';
	}
	if (r == 0)
		put(tree, find(tree, "@", path) ? '@' : '%', path, data, len);
	return r;
}

static int tree_replace(struct fs *fs, const char *path, const char *data, size_t len,
			enum fs_how how)
{
	CHECK(is_handed_on(path) || (how == FS_DURABLE && strstr(path, STORE_FILE)));
	return keep(fs, path, data, len);
}

static int tree_remove(struct fs *fs, const char *path)
{
	struct tree_entry *e = find(tree_of(fs), "@%", path);
	int r = refusal(tree_of(fs), path);

	CHECK(is_handed_on(path));
	if (r == 0 && e)
		e->kind = '-';
	return r < 0 ? r : e ? 0 : -ENOENT;
}

static int tree_put_variable(struct fs *fs, const char *path, const char *data,
			     size_t len)
{
	CHECK(strstr(path, STORE_VARIABLE) && len == RECORD_SIZE + 4);
	return keep(fs, path, data, len);
}

static int tree_mount(struct fs *fs, const char *type, const char *source,
		      enum mount_use use, struct fs *ret)
{
	(void)type, (void)source, (void)use, (void)ret;
	return fs->captured ? -EPERM : -ENODEV;
}

static const struct fs_ops tree_ops = {
	.read = tree_read,
	.write = tree_write,
	.link = tree_link,
	.list = tree_list,
	.exists = tree_exists,
	.replace = tree_replace,
	.remove = tree_remove,
	.put_variable = tree_put_variable,
	.mount = tree_mount,
};

static size_t from_hex(char *text, size_t len)
{
	size_t n = 0;
	unsigned byte;

	for (size_t i = 0; i + 1 < len; i += 2) {
		while (i < len && strchr(" \n", text[i]))
			i++;
		if (i + 1 >= len ||
		    sscanf((char[]){ text[i], text[i + 1], '\0' }, "%2x", &byte) != 1)
			break;
		text[n++] = (char)byte;
	}
	return n;
}

static void add_entry(struct tree *tree, const char *begin, const char *end)
{
	struct tree_entry *e = &tree->entries[tree->n];
	const char *line = memchr(begin, '\n', (size_t)(end - begin));
	const char *content = line ? line + 1 : end;
	size_t len = (size_t)(end - content);

	e->kind = *begin;
	e->path = strndup(begin + 1, (size_t)((line ? line : end) - begin) - 1);
	/*
	 * a link's target has no newline, and its file's last one belongs to the format
	 */
	if (len && (e->kind == '>' || e->kind == '@') && content[len - 1] == '\n')
		len--;
	e->data = fuzz_text((const uint8_t *)content, len);
	e->len = e->kind == '%' ? from_hex(e->data, len) : len;
	/* the first of a name counts */
	if (find(tree, strchr("@%", e->kind) ? "@%" : (char[]){ e->kind, '\0' },
		 e->path) == NULL) {
		tree->n++;
		return;
	}
	free(e->path);
	free(e->data);
}

struct tree *tree_new(const uint8_t *data, size_t size)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	const char *at, *end, *next;

	CHECK(tree && !the_tree);
	the_tree = tree;
	tree->fs = (struct fs){ .ops = &tree_ops, .root_fd = -1 };
	tree->text = fuzz_text(data, size);
	end = tree->text + size;
	/* half of the room is left for what is written */
	for (at = tree->text; at < end && tree->n < TREE_MAX / 2; at = next) {
		for (next = at; (next = memchr(next, '\n', (size_t)(end - next))); next++)
			if (next + 1 < end && strchr("@%>!~", next[1]) && next[1]) {
				next++;
				break;
			}
		if (!next)
			next = end;
		if (*at && strchr("@%>!~", *at))
			add_entry(tree, at, next);
	}
	return tree;
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		free(tree->entries[i].path);
		free(tree->entries[i].data);
	}
	free(tree->text);
	free(tree);
	the_tree = NULL;
}
