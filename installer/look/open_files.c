/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "open_files.h"

#include <errno.h>
#include <stdlib.h>

#include "slurp.h"

#define MAPS_MAX (64 * 1024 * 1024) /* of a process with 65530 mappings, and more */

struct search {
	struct fs *root;
	open_files_fn *fn;
	void *arg;
	const char *pid;
	unsigned unseen;
};

static void show(struct search *s, const char *link, const char *target)
{
	const struct open_file file = { .pid = s->pid, .link = link, .target = target };

	s->fn(s->arg, &file);
}

/* In order, so that what is said does not depend on the kernel's. */
static int visit_each(struct search *s, const char *folder,
		      void (*visit)(struct search *s, const char *name))
{
	struct name_list names;
	const int r = name_list_read(s->root, folder, &names);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++)
		visit(s, names.names[i]);
	name_list_finish(&names);
	return 0;
}

static void visit_fd(struct search *s, const char *name)
{
	char link[FS_PATH_MAX], target[FS_PATH_MAX];
	struct str p = STR_ON(link);

	str_join(&p, "proc/", s->pid, "/fd/", name, NULL);
	if (s->root->ops->link(s->root, link, target, sizeof(target)) == 0 &&
	    str_starts(target, "/dev/"))
		show(s, link, target);
}

/*
 * 7f00-7f01 rw-s 00000000 00:06 123 /dev/dri/card0: proc_pid_maps(5). In map_files the
 * range has no leading zeros.
 */
static void visit_map(struct search *s, const char *line)
{
	const char *target = strstr(line, " /dev/");
	char link[FS_PATH_MAX];
	struct str p = STR_ON(link);
	uint64_t from, to;

	if (!target || !str_take_hex(&line, 1, 16, &from) || !str_take_char(&line, '-') ||
	    !str_take_hex(&line, 1, 16, &to))
		return;
	str_join(&p, "proc/", s->pid, "/map_files/", NULL);
	str_add_hex(&p, from, 1);
	str_add_char(&p, '-');
	str_add_hex(&p, to, 1);
	show(s, link, target + 1);
}

static int visit_maps(struct search *s)
{
	char path[FS_PATH_MAX], *text, *rest, *line;
	struct str p = STR_ON(path);
	size_t len;
	int r;

	str_join(&p, "proc/", s->pid, "/maps", NULL);
	r = slurp(s->root, path, MAPS_MAX, &text, &len);
	if (r < 0)
		return r;
	for (rest = text; (line = strsep(&rest, "\n"));)
		visit_map(s, line);
	free(text);
	return 0;
}

/* It may have ended since: then there is nothing to look at. */
static bool denied(int r)
{
	return r < 0 && r != -ENOENT && r != -ESRCH;
}

static void visit_process(struct search *s, const char *name)
{
	char path[FS_PATH_MAX];
	struct str p = STR_ON(path);

	if (*name < '1' || *name > '9')
		return;
	s->pid = name;
	str_join(&p, "proc/", name, "/fd", NULL);
	if (denied(visit_each(s, path, visit_fd)) || denied(visit_maps(s)))
		s->unseen++;
}

unsigned open_files_each(struct fs *root, open_files_fn *fn, void *arg)
{
	struct search s = { .root = root, .fn = fn, .arg = arg };

	if (denied(visit_each(&s, "proc", visit_process)))
		s.unseen++;
	return s.unseen;
}
