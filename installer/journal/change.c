/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diff.h"
#include "slurp.h"
#include "str.h"
#include "text.h"
#include "words.h"

static void finish_change(struct change *c)
{
	free(c->path);
	free(c->before);
	free(c->after);
	args_finish(&c->ours);
}

static void finish_step(struct step *s)
{
	words_free(s->argv);
	words_free(s->undo_argv);
}

void changes_finish(struct changes *changes)
{
	for (size_t i = 0; i < changes->n_files; i++)
		finish_change(&changes->files[i]);
	for (size_t i = 0; i < changes->n_steps; i++)
		finish_step(&changes->steps[i]);
	free(changes->files);
	free(changes->steps);
	*changes = (struct changes){ 0 };
}

int change_read(struct fs *root, const char *path, char **ret, size_t *ret_len)
{
	int fd, r;

	*ret = NULL;
	*ret_len = 0;
	if (!path_is_plain(path))
		return -EINVAL;
	/* O_NONBLOCK: a FIFO would wait for a writer */
	fd = fs_open(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT)
		return 0;
	if (fd == -ENXIO) /* a socket */
		return -EINVAL;
	if (fd < 0)
		return fd;
	r = slurp_fd(fd, CHANGE_MAX_SIZE, ret, ret_len);
	close(fd);
	return r;
}

static struct change *find(const struct changes *changes, const char *path)
{
	for (size_t i = 0; i < changes->n_files; i++)
		if (str_equal(changes->files[i].path, path))
			return &changes->files[i];
	return NULL;
}

/* With a terminator, which is not counted. */
static char *copy_bytes(const char *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, data, len);
		copy[len] = '\0';
	}
	return copy;
}

static bool changes_nothing(const struct change *c)
{
	if (!c->before || !c->after)
		return c->before == c->after;
	return c->before_len == c->after_len &&
	       memcmp(c->before, c->after, c->after_len) == 0;
}

static void drop(struct changes *changes, struct change *c)
{
	const size_t at = (size_t)(c - changes->files);

	finish_change(c);
	changes->n_files--;
	memmove(c, c + 1, (changes->n_files - at) * sizeof(*c));
}

static int append(struct changes *changes, struct fs *root, const char *path,
		  struct change **ret)
{
	struct change *bigger, c = { 0 };
	int r;

	bigger = reallocarray(changes->files, changes->n_files + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	changes->files = bigger;
	r = change_read(root, path, &c.before, &c.before_len);
	if (r == 0) {
		c.path = strdup(path);
		if (!c.path)
			r = -ENOMEM;
	}
	if (r < 0) {
		finish_change(&c);
		return r;
	}
	*ret = &changes->files[changes->n_files++];
	**ret = c;
	return 0;
}

struct change *changes_put_bytes(struct changes *changes, struct fs *root,
				 const char *path, const char *after, size_t len,
				 mode_t mode, int *ret_error)
{
	struct change *c = find(changes, path);
	char *copy = NULL;

	*ret_error = 0;
	if (after) {
		copy = copy_bytes(after, len);
		if (!copy)
			*ret_error = -ENOMEM;
	}
	if (*ret_error == 0 && !c)
		*ret_error = append(changes, root, path, &c);
	if (*ret_error < 0) {
		free(copy);
		return NULL;
	}
	free(c->after);
	c->after = copy;
	c->after_len = copy ? len : 0;
	c->mode = mode;
	if (changes_nothing(c)) {
		drop(changes, c);
		return NULL;
	}
	return c;
}

struct change *changes_put(struct changes *changes, struct fs *root, const char *path,
			   const char *after, mode_t mode, int *ret_error)
{
	return changes_put_bytes(changes, root, path, after, after ? strlen(after) : 0,
				 mode, ret_error);
}

char *changes_content(const struct changes *changes, struct fs *root, const char *path,
		      int *ret_error)
{
	const struct change *c = find(changes, path);
	char *text = NULL;
	size_t len;

	*ret_error = 0;
	if (!c) {
		*ret_error = change_read(root, path, &text, &len);
	} else if (c->after) {
		text = copy_bytes(c->after, c->after_len);
		if (!text)
			*ret_error = -ENOMEM;
	}
	return text;
}

int changes_run(struct changes *changes, const char *why, const char *const *argv,
		const char *const *undo_argv)
{
	struct step *steps = changes->steps, step = { .why = why };
	size_t i;

	for (i = 0; i < changes->n_steps; i++) {
		if (!words_equal(steps[i].argv, (char *const *)argv) ||
		    !words_equal(steps[i].undo_argv, (char *const *)undo_argv))
			continue;
		step = steps[i];
		memmove(steps + i, steps + i + 1,
			(changes->n_steps - i - 1) * sizeof(*steps));
		steps[changes->n_steps - 1] = step;
		return 0;
	}
	step.argv = words_copy((char *const *)argv);
	step.undo_argv = undo_argv ? words_copy((char *const *)undo_argv) : NULL;
	steps = reallocarray(changes->steps, changes->n_steps + 1, sizeof(*steps));
	if (steps)
		changes->steps = steps;
	if (!steps || !step.argv || (undo_argv && !step.undo_argv)) {
		finish_step(&step);
		return -ENOMEM;
	}
	steps[changes->n_steps++] = step;
	return 0;
}

/* Quoted as a shell would need it. */
void change_print_words(FILE *out, char *const *words)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";

	for (; *words; words++) {
		char clean[1024];
		const bool quote = !**words || (*words)[strspn(*words, plain)];

		text_clean(clean, sizeof(clean), *words);
		if (quote)
			fputc('\'', out);
		for (const char *c = clean; *c; c++)
			if (*c == '\'')
				fputs("'\\''", out);
			else
				fputc(*c, out);
		fputs(quote ? "'" : "", out);
		fputs(words[1] ? " " : "", out);
	}
}

static void print_file(const struct change *c, FILE *out, bool colour)
{
	char name[1024] = "/";
	struct diff_side before = { name, c->before, c->before_len };
	struct diff_side after = { name, c->after, c->after_len };

	text_clean(name + 1, sizeof(name) - 1, c->path);
	if (!c->before)
		text_print(out, colour, TEXT_BOLD, _("new file %s\n"), name);
	else if (!c->after)
		text_print(out, colour, TEXT_BOLD, _("%s is removed\n"), name);
	else
		text_print(out, colour, TEXT_BOLD, _("%s changes\n"), name);
	if (diff_print(out, &before, &after, colour) < 0)
		fputs(_("(too large to be shown)\n"), out);
}

void changes_print(const struct changes *changes, FILE *out, bool colour)
{
	for (size_t i = 0; i < changes->n_files; i++) {
		print_file(&changes->files[i], out, colour);
		fputc('\n', out);
	}
	for (size_t i = 0; i < changes->n_steps; i++) {
		text_print(out, colour, TEXT_BOLD, _("then, to %s:\n"),
			   _(changes->steps[i].why));
		fputs("  ", out);
		change_print_words(out, changes->steps[i].argv);
		fputc('\n', out);
	}
}
