/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int doctor_read(struct doctor *d, const char *path)
{
	return fs_read_file(d->root, path, d->text, sizeof(d->text), NULL);
}

bool doctor_exists(const struct doctor *d, const char *path)
{
	return d->root->ops->exists(d->root, path) == 0;
}

const char *doctor_first(const struct doctor *d, const char *const *paths)
{
	for (; *paths; paths++)
		if (doctor_exists(d, *paths))
			return *paths;
	return NULL;
}

int doctor_stat(const struct doctor *d, const char *path, struct stat *ret)
{
	return fs_stat(d->root, path, ret);
}

struct listing {
	struct doctor_names names;
	const char *suffix;
};

static int add_name(void *arg, const char *name)
{
	struct listing *l = arg;
	struct doctor_names *n = &l->names;
	const size_t len = strlen(name), end = strlen(l->suffix);

	if (len < end || !str_equal(name + len - end, l->suffix))
		return 0;
	if (n->n == DOCTOR_NAMES_MAX)
		return -EFBIG;
	if (n->n == n->room) {
		const size_t room = n->room ? n->room * 2 : 32;
		void *more = realloc(n->names, room * sizeof(*n->names));

		if (!more)
			return -ENOMEM;
		n->names = more;
		n->room = room;
	}
	n->names[n->n] = strdup(name);
	return n->names[n->n++] ? 0 : -ENOMEM;
}

/* As people count: 6.1.0-9 is before 6.1.0-10. */
static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int doctor_list(const struct doctor *d, const char *folder, const char *suffix,
		struct doctor_names *ret)
{
	struct listing l = { .suffix = suffix };
	int r;

	r = d->root->ops->list(d->root, folder, add_name, &l);
	if (r < 0 && r != -ENOENT) {
		doctor_names_finish(&l.names);
		return r;
	}
	if (l.names.n)
		qsort(l.names.names, l.names.n, sizeof(*l.names.names), compare_names);
	*ret = l.names;
	return 0;
}

void doctor_names_finish(struct doctor_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct doctor_names){ 0 };
}

/* ---- lines */

static char *strip(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* Cuts off the next line of *p, the ones that it continues on included. */
static char *next_line(char **p, bool joined, unsigned *line)
{
	char *begin = *p, *end;

	for (end = begin; *end; end++) {
		if (*end != '\n')
			continue;
		++*line;
		if (!joined || end == begin || end[-1] != '\\')
			break;
		end[-1] = end[0] = ' ';
	}
	if (*end)
		*end++ = '\0';
	else
		++*line;
	*p = end;
	return begin;
}

void doctor_lines(struct doctor *d, const char *path, bool joined, doctor_line_fn *fn,
		  void *arg)
{
	struct doctor_line line = { .path = path };
	unsigned done = 0;
	char *p = d->text;
	int r;

	r = doctor_read(d, path);
	if (r < 0) {
		if (r != -ENOENT)
			doctor_say_unreadable(d, path, r);
		return;
	}
	while (*p) {
		line.line = done + 1;
		line.text = strip(next_line(&p, joined, &done));
		if (*line.text && *line.text != '#')
			fn(d, arg, &line);
	}
}

void doctor_lines_below(struct doctor *d, const char *folder, const char *suffix,
			bool joined, doctor_line_fn *fn, void *arg)
{
	struct doctor_names files;
	char path[FS_PATH_MAX];
	int r;

	r = doctor_list(d, folder, suffix, &files);
	if (r < 0) {
		doctor_say_unreadable(d, folder, r);
		return;
	}
	for (size_t i = 0; i < files.n; i++) {
		struct str s = STR_ON(path);

		str_join(&s, folder, "/", files.names[i], NULL);
		if (!s.cut)
			doctor_lines(d, path, joined, fn, arg);
	}
	doctor_names_finish(&files);
}
