/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applies a list of changes below a tree, and undoes it, by the installer's own journal.
 *
 * usage: driver [--live] apply ROOT PLAN [stale] | undo ROOT | plan-undo ROOT | state
 * ROOT
 *
 * PLAN is JSON: { "files": [ { "path", "after" or null, "mode", "kind", "owner", "ours" }
 * ], "steps": [ { "argv", "undo", "why" } ] }. With --live programs are run. A boot
 * loader "words" stands in for the real ones: its words stand in etc/words, one a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json.h>

#include "bootloader.h"
#include "journal.h"

static int words_plan(struct fs *root, const struct args *add, const struct args *remove,
		      struct changes *changes, struct str *why)
{
	char *text, *rest, *to, *line, *next;
	int r;

	(void)add;
	(void)why;
	text = changes_content(changes, root, "etc/words", &r);
	if (!text)
		return r;
	rest = to = calloc(1, strlen(text) + 1);
	for (line = text; *line; line = next) {
		bool ours = false;

		next = strchrnul(line, '\n');
		next += *next != '\0';
		for (size_t i = 0; i < remove->n; i++)
			ours = ours || (strncmp(line, remove->words[i],
						strlen(remove->words[i])) == 0 &&
					line[strlen(remove->words[i])] == '\n');
		if (!ours)
			to = mempcpy(to, line, (size_t)(next - line));
	}
	*to = '\0';
	(void)!changes_put(changes, root, "etc/words", rest, 0644, &r);
	free(rest);
	free(text);
	return r;
}

static const struct bootloader *stand_in(const char *name)
{
	static const struct bootloader words = { .name = "words", .plan = words_plan };

	return strcmp(name, words.name) == 0 ? &words : NULL;
}

static json_object *get(json_object *o, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(o, key, &value) ? value : NULL;
}

static int add_file(struct changes *changes, struct fs *root, json_object *o)
{
	json_object *after = get(o, "after"), *ours = get(o, "ours");
	const char *kind = json_object_get_string(get(o, "kind"));
	struct change *c;
	int r;

	c = changes_put(changes, root, json_object_get_string(get(o, "path")),
			json_object_get_string(after),
			(mode_t)json_object_get_int(get(o, "mode")), &r);
	if (!c)
		return r;
	if (kind)
		c->kind = strcmp(kind, "args") == 0   ? CHANGE_ARGS
			  : strcmp(kind, "conf") == 0 ? CHANGE_CONF
						      : CHANGE_FILE;
	c->owner = json_object_get_string(get(o, "owner"));
	for (size_t i = 0; r == 0 && ours && i < json_object_array_length(ours); i++)
		r = args_add(&c->ours,
			     json_object_get_string(json_object_array_get_idx(ours, i)));
	return r;
}

static const char **words(json_object *array)
{
	const size_t n = array ? json_object_array_length(array) : 0;
	const char **argv = array ? calloc(n + 1, sizeof(*argv)) : NULL;

	for (size_t i = 0; argv && i < n; i++)
		argv[i] = json_object_get_string(json_object_array_get_idx(array, i));
	return argv;
}

static int load(struct changes *changes, struct fs *root, json_object *plan)
{
	json_object *files = get(plan, "files"), *steps = get(plan, "steps");
	int r = 0;

	for (size_t i = 0; r == 0 && files && i < json_object_array_length(files); i++)
		r = add_file(changes, root, json_object_array_get_idx(files, i));
	for (size_t i = 0; r == 0 && steps && i < json_object_array_length(steps); i++) {
		json_object *o = json_object_array_get_idx(steps, i);
		const char **argv = words(get(o, "argv")), **undo = words(get(o, "undo"));

		r = changes_run(changes, json_object_get_string(get(o, "why")), argv,
				undo);
		free(argv);
		free(undo);
	}
	return r;
}

static int append_x(struct fs *root, const char *path)
{
	const int fd = fs_open(root, path, O_WRONLY | O_APPEND, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, "x", 1);
	close(fd);
	return n == 1 ? 0 : -EIO;
}

static int apply(struct fs *root, const char *file, bool stale, struct str *why)
{
	json_object *plan = json_object_from_file(file);
	struct changes changes = { 0 };
	struct journal *journal;
	int r;

	/* from here on tests inject */
	access("/the/test/begins", F_OK);
	r = journal_open(root, true, &journal, why);
	if (r == 0) {
		r = load(&changes, root, plan);
		/* somebody else is faster */
		if (r == 0 && stale)
			r = append_x(root, changes.files[0].path);
		if (r < 0)
			str_join(why, "no plan: ", str_errno(r), NULL);
		else
			r = journal_apply(journal, &changes, why);
		journal_close(journal);
	}
	changes_finish(&changes);
	json_object_put(plan);
	return r;
}

static int undo(struct fs *root, bool carry_out, struct str *why)
{
	char text[8192];
	struct str notes = STR_ON(text);
	struct changes changes = { 0 };
	struct journal *journal;
	int r;

	access("/the/test/begins", F_OK);
	r = journal_open(root, carry_out, &journal, why);
	if (r < 0)
		return r;
	r = journal_plan_undo(journal, &changes, &notes, why);
	fputs(text, stdout);
	if (r == 0 && carry_out)
		r = journal_undo(journal, &changes, why);
	else
		changes_print(&changes, stdout, false);
	changes_finish(&changes);
	journal_close(journal);
	return r;
}

static int state(struct fs *root, struct str *why)
{
	static const char *const names[] = { "none", "applied", "unfinished" };
	struct journal *journal;
	int r;

	r = journal_open(root, false, &journal, why);
	if (r < 0)
		return r;
	puts(names[journal_state(journal)]);
	journal_close(journal);
	return 0;
}

int main(int argc, char **argv)
{
	const bool live = argc > 1 && strcmp(argv[1], "--live") == 0;
	char text[4096];
	struct str why = STR_ON(text);
	struct fs root;
	int r;

	argc -= live;
	argv += live;
	if (argc < 3 || fs_init(&root, argv[2]) < 0)
		return 2;
	root.captured = !live;
	journal_loader = stand_in;
	if (strcmp(argv[1], "apply") == 0 && (argc == 4 || argc == 5))
		r = apply(&root, argv[3], argc == 5, &why);
	else if (strcmp(argv[1], "undo") == 0)
		r = undo(&root, true, &why);
	else if (strcmp(argv[1], "plan-undo") == 0)
		r = undo(&root, false, &why);
	else if (strcmp(argv[1], "state") == 0)
		r = state(&root, &why);
	else
		return 2;
	fs_finish(&root);
	if (r < 0)
		fprintf(stderr, "driver: %s\n", text);
	return r < 0;
}
