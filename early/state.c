/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>

#include "lock.h"

#define LOCK_WAIT_MS 12000 /* the longest that a stage takes */

/* Another build's memory is not ours. */
static const char build[16] = VERSION;

struct file {
	char build[sizeof(build)];
	size_t size;
	struct start_state state;
};

int state_save(struct fs *root, const struct start_state *state)
{
	static struct file file;

	memcpy(file.build, build, sizeof(build));
	file.size = sizeof(file);
	file.state = *state;
	return root->ops->replace(root, STATE_PATH, (const char *)&file, sizeof(file),
				  FS_QUICK);
}

static int read_file(struct fs *root, const struct file **ret)
{
	static char data[sizeof(struct file) + 1];
	const struct file *file = (const struct file *)data;
	size_t len;
	int r;

	r = root->ops->read(root, STATE_PATH, FS_FILE, data, sizeof(data), &len, NULL);
	if (r < 0)
		return r;
	if (len != sizeof(*file) || file->size != len ||
	    memcmp(file->build, build, sizeof(build)) != 0)
		return -EPROTO;
	*ret = file;
	return 0;
}

static void copy(const struct file *file, struct start_state *ret)
{
	*ret = file->state;
	/* a pointer of another process */
	ret->report.stage = "settle";
	ret->known = ret->log.n;
}

int state_load(struct fs *root, struct start_state *ret)
{
	const struct file *file;
	int r = read_file(root, &file);

	if (r == 0)
		copy(file, ret);
	return r;
}

int state_take(struct fs *root, struct start_state *ret)
{
	const struct file *file;
	int removed, r = read_file(root, &file);

	if (r < 0 && r != -EPROTO)
		return r;
	if (r == 0 && file->state.settled)
		return -ENOENT;
	removed = root->ops->remove(root, STATE_PATH);
	if (removed < 0)
		return removed;
	if (r == 0)
		copy(file, ret);
	return r;
}

int state_lock(struct fs *root)
{
	return lock_take(root, REPORT_LOCK_PATH, LOCK_WAIT_MS);
}
