/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>

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

int state_take(struct fs *root, struct start_state *ret)
{
	static char data[sizeof(struct file) + 1];
	const struct file *file = (const struct file *)data;
	size_t len;
	int r;

	r = root->ops->read(root, STATE_PATH, FS_FILE, data, sizeof(data), &len, NULL);
	if (r < 0)
		return r;
	r = root->ops->remove(root, STATE_PATH);
	if (r < 0)
		return r;
	if (len != sizeof(*file) || file->size != len ||
	    memcmp(file->build, build, sizeof(build)) != 0)
		return -EPROTO;
	*ret = file->state;
	/* a pointer of another process */
	ret->report.stage = "settle";
	return 0;
}
