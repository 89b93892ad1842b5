/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be mounted: efivarfs (fs/efivarfs/), and partitions with a file system. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"
#include "store.h"

#define DESCRIPTORS 256

/* By descriptor, which fs_finish() closes. */
static struct mounted {
	struct fake *fake; /* NULL: nothing is */
	struct fake_volume *volume;
	bool writable;
} mounts[DESCRIPTORS];

unsigned fake_slept_ms;

/* Instead of libc's. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	fake_slept_ms += (unsigned)(time->tv_sec * 1000 + time->tv_nsec / 1000000);
	return 0;
}

bool fake_unmounted(void)
{
	bool all = true;

	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (mounts[fd].fake && fcntl(fd, F_GETFD) >= 0) {
			all = false;
			close(fd);
		}
		mounts[fd].fake = NULL;
	}
	return all;
}

/* ---- the files of a volume */

static struct fake_fault *begin(struct fs *fs, const char *path, struct mounted **ret)
{
	struct mounted *m = &mounts[fs->root_fd];
	char text[FS_PATH_MAX];
	struct str s = STR_ON(text);

	/* used after it was unmounted */
	if (fs->root_fd < 0 || !m->fake || fcntl(fs->root_fd, F_GETFD) < 0)
		raise(SIGABRT);
	*ret = m;
	str_join(&s, m->volume->device ? m->volume->device : "efivarfs", ":", path, NULL);
	return fake_begin(m->fake, text);
}

static struct fake_file *file_of(struct fake_volume *v, const char *path)
{
	if (!v->device)
		return str_equal(path, STORE_VARIABLE) ? &v->record : NULL;
	if (v->boot_folder && str_starts(path, "boot/"))
		path += strlen("boot/");
	else if (v->boot_folder)
		return NULL;
	return str_equal(path, STORE_FILE)	 ? &v->record
	       : str_equal(path, STORE_OFF_FILE) ? &v->off
						 : NULL;
}

static int volume_read(struct fs *fs, const char *path, enum fs_extent extent, char *buf,
		       size_t size, size_t *ret_len, struct fs_meta *meta)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);
	const struct fake_file *file = file_of(m->volume, path);
	int r = fake_end(m->fake, fault, file && file->there ? 0 : -ENOENT);

	(void)extent, (void)meta;
	if (r < 0)
		return r;
	if (file->len >= size)
		return -EFBIG;
	memcpy(buf, file->data, file->len);
	*ret_len = file->len;
	return 0;
}

static int volume_exists(struct fs *fs, const char *path)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);
	const struct fake_file *file = file_of(m->volume, path);
	bool there = (file && file->there) ||
		     (m->volume->boot_folder && str_equal(path, "boot/."));

	return fake_end(m->fake, fault, there ? 0 : -ENOENT);
}

/* Old and new are of the same length, or there was no old one. */
static void tear(enum fake_torn torn, struct fake_file *file, const char *data,
		 size_t len)
{
	struct fake_file old = *file;

	file->there = true;
	file->len = torn == FAKE_EMPTY ? 0 : torn == FAKE_HALF ? len / 2 : len;
	memcpy(file->data, data, file->len);
	if (torn == FAKE_MIXED)
		memcpy(file->data + len / 2, old.data + len / 2, len - len / 2);
	if (torn == FAKE_GARBAGE)
		memset(file->data + 4, 0xa5, len - 4);
}

static int put(struct mounted *m, struct fake_file *file, const char *data, size_t len)
{
	struct fake *f = m->fake;
	struct fake_volume *v = m->volume;

	if (!file || len > sizeof(file->data))
		return -EACCES;
	if (!m->writable)
		return -EROFS;
	if (v->write_error)
		return -v->write_error;
	v->writes++;
	if (!v->written_at)
		v->written_at = f->accesses;
	tear(f->kill_at == f->accesses ? f->torn : FAKE_WHOLE, file, data, len);
	return 0;
}

static int volume_replace(struct fs *fs, const char *path, const char *data, size_t len,
			  enum fs_how how)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);
	int r = 0;

	m->volume->quick |= how != FS_DURABLE;
	if (!m->volume->device)
		r = -EPERM;
	else if (!fault || fault->after)
		r = put(m, file_of(m->volume, path), data, len);
	return fake_end(m->fake, fault, r);
}

/* efivarfs_file_write() takes attributes and data at once. */
static int volume_put_variable(struct fs *fs, const char *path, const char *data,
			       size_t len)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);
	struct fake_file *file = file_of(m->volume, path);
	int r = 0;

	if (m->volume->device || len <= 4 || memcmp(data, "\7\0\0\0", 4) != 0)
		r = -EINVAL;
	else if (!fault || fault->after)
		r = put(m, file, data, len);
	if (r == 0 && file)
		file->immutable = false;
	return fake_end(m->fake, fault, r);
}

static int volume_write(struct fs *fs, const char *path, const char *data, size_t len)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);

	(void)data, (void)len;
	return fake_end(m->fake, fault, -EPERM);
}

static int volume_remove(struct fs *fs, const char *path)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);

	return fake_end(m->fake, fault, -EPERM);
}

static int volume_link(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);

	(void)buf, (void)size;
	return fake_end(m->fake, fault, -EINVAL);
}

static int volume_list(struct fs *fs, const char *path, fs_name_fn *fn, void *arg)
{
	struct mounted *m;
	const struct fake_fault *fault = begin(fs, path, &m);

	(void)fn, (void)arg;
	return fake_end(m->fake, fault, -ENOENT);
}

static int volume_mount(struct fs *fs, const char *type, const char *source,
			enum mount_use use, struct fs *ret)
{
	(void)fs, (void)type, (void)source, (void)use, (void)ret;
	return -EPERM;
}

static const struct fs_ops volume_files = {
	.read = volume_read,
	.write = volume_write,
	.link = volume_link,
	.list = volume_list,
	.exists = volume_exists,
	.replace = volume_replace,
	.remove = volume_remove,
	.put_variable = volume_put_variable,
	.mount = volume_mount,
};

/* ---- mounting */

static struct fake_volume *volume_of(struct fake *f, const char *type, const char *source)
{
	for (struct fake_volume *v = f->volumes; v < f->volumes + f->n_volumes; v++)
		if (!source ? !v->device : v->device && str_equal(v->device, source))
			return str_equal(v->type, type) ? v : NULL;
	return NULL;
}

static int open_volume(struct fake *f, struct fake_volume *v, bool writable,
		       struct fs *ret)
{
	int fd;

	if (!v || (!v->device && !f->efi))
		return -ENODEV;
	if (v->mount_error)
		return -v->mount_error;
	if (v->device && v->mounted != FAKE_NOWHERE &&
	    (v->mounted == FAKE_READ_WRITE) != writable)
		return -EBUSY;
	fd = open("/dev/null", O_PATH | O_CLOEXEC);
	if (fd < 0 || fd >= DESCRIPTORS)
		raise(SIGABRT);
	/* there is one efivarfs: what the system has mounted read-only stays so */
	mounts[fd] = (struct mounted){ f, v, writable && v->mounted != FAKE_READ_ONLY };
	*ret = (struct fs){ .ops = &volume_files, .root_fd = fd, .captured = true };
	return 0;
}

int fake_mount(struct fs *fs, const char *type, const char *source, enum mount_use use,
	       struct fs *ret)
{
	const bool writable = use == MOUNT_WRITE;
	struct fake *f = fake_of(fs);
	struct fake_volume *v = volume_of(f, type, source);
	char text[FS_PATH_MAX];
	struct str s = STR_ON(text);
	const struct fake_fault *fault;
	int r = 0;

	str_join(&s, "mount ", source ? source : type, writable ? " rw" : " ro", NULL);
	fault = fake_begin(f, text);
	if (v && !v->mounted_at)
		v->mounted_at = f->accesses;
	if (!fault)
		r = open_volume(f, v, writable, ret);
	return fake_end(f, fault, r);
}

/* ---- partitions */

struct fake_volume *fake_add_partition(struct fake *f, const char *device,
				       const char *partuuid)
{
	struct fake_volume *v = &f->volumes[f->n_volumes++];

	if (f->n_volumes > FAKE_VOLUMES)
		raise(SIGABRT);
	*v = (struct fake_volume){ .device = device,
				   .type = "ext4",
				   .partuuid = partuuid };
	return v;
}

static int find(struct partition_finder *finder, struct fs *root, const char *partuuid,
		struct partition *ret)
{
	struct fake *f = fake_of(root);
	char text[FS_PATH_MAX];
	struct str s = STR_ON(text);
	struct fake_volume *v, *found = NULL;
	const struct fake_fault *fault;
	int r = -ENOENT;

	(void)finder;
	str_join(&s, "find ", partuuid, NULL);
	fault = fake_begin(f, text);
	for (v = f->volumes + 1; v < f->volumes + f->n_volumes; v++)
		if (str_equal(v->partuuid, partuuid) &&
		    (!v->looks_before || !v->looks_before--))
			found = v;
	if (f->hibernated)
		r = -EBUSY;
	else if (found)
		r = 0;
	r = fake_end(f, fault, r);
	if (r < 0)
		return r;
	*ret = (struct partition){ .device = "" };
	str_copy(ret->partuuid, sizeof(ret->partuuid), found->partuuid);
	str_copy(ret->device, sizeof(ret->device), found->device);
	str_copy(ret->type, sizeof(ret->type), found->type ? found->type : "");
	return 0;
}

struct partition_finder fake_finder(void)
{
	return (struct partition_finder){ .find = find };
}
