/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "open_files.h"

#include "text.h"

struct search {
	struct fs *root;
	open_files_fn *fn;
	void *arg;
	const char *pid;
	struct str *who;
};

static void say(struct search *s, const char *target)
{
	char path[FS_PATH_MAX], comm[32], clean[96];
	struct str p = STR_ON(path);

	str_join(&p, "proc/", s->pid, "/comm", NULL);
	if (fs_read_text(s->root, path, comm, sizeof(comm)) < 0)
		str_copy(comm, sizeof(comm), "a process");
	text_clean(clean, sizeof(clean), comm);
	str_join(s->who, clean, " (pid ", s->pid, ") has ", target, " open", NULL);
}

static int visit_fd(void *arg, const char *name)
{
	char link[FS_PATH_MAX], target[FS_PATH_MAX];
	struct search *s = arg;
	struct str p = STR_ON(link);

	str_join(&p, "proc/", s->pid, "/fd/", name, NULL);
	if (s->root->ops->link(s->root, link, target, sizeof(target)) < 0 ||
	    !str_starts(target, "/dev/") || !s->fn(s->arg, link, target))
		return 0;
	say(s, target);
	return 1;
}

static int visit_process(void *arg, const char *name)
{
	char path[FS_PATH_MAX];
	struct search *s = arg;
	struct str p = STR_ON(path);

	if (*name < '1' || *name > '9')
		return 0;
	s->pid = name;
	str_join(&p, "proc/", name, "/fd", NULL);
	/* it may have ended since */
	return s->root->ops->list(s->root, path, visit_fd, s) > 0;
}

bool open_files_find(struct fs *root, open_files_fn *fn, void *arg, struct str *who)
{
	struct search s = { .root = root, .fn = fn, .arg = arg, .who = who };

	return root->ops->list(root, "proc", visit_process, &s) > 0;
}
