/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notice.h"

#include <stdio.h>

#include "str.h"

void notice_post(struct fs *root, const char *text)
{
	char line[2048];
	struct str s = STR_ON(line);

	str_join(&s, "vfio-claim: ", text, "\n", NULL);
	fputs(line, stderr);
	(void)root->ops->replace(root, NOTICE_PATH, line, s.len, FS_QUICK);
	if (root->captured)
		return;
	/* a terminal in raw mode needs the carriage returns */
	s = STR_ON(line);
	str_join(&s, "\r\nvfio-claim: ", text, "\r\n", NULL);
	(void)root->ops->write(root, "dev/console", line, s.len);
}

void notice_clear(struct fs *root)
{
	(void)root->ops->remove(root, NOTICE_PATH);
}
