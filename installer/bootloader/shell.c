/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "str.h"
#include "text.h"

#define MAX_VALUE (64 * 1024)
#define MAX_STEPS 4096 /* of other variables, for one value */

static void forget(struct shell *shell)
{
	for (size_t i = 0; i < shell->n_assigns; i++) {
		free(shell->assigns[i].name);
		glyphs_finish(&shell->assigns[i].value);
	}
	free(shell->assigns);
	shell->assigns = NULL;
	shell->n_assigns = 0;
	shell->unsure_line = 0;
}

void shell_finish(struct shell *shell)
{
	forget(shell);
	for (size_t i = 0; i < shell->n_files; i++) {
		free(shell->files[i].path);
		free(shell->files[i].before);
		free(shell->files[i].text);
	}
	free(shell->files);
	*shell = (struct shell){ 0 };
}

int shell_add_file(struct shell *shell, const char *path, char *text)
{
	struct shell_file *files, f = { .path = strdup(path), .before = text };

	f.text = strdup(text ? text : "");
	files = reallocarray(shell->files, shell->n_files + 1, sizeof(*files));
	if (files)
		shell->files = files;
	if (!files || !f.path || !f.text) {
		free(f.path);
		free(f.text);
		free(text);
		return -ENOMEM;
	}
	files[shell->n_files++] = f;
	return 0;
}

int shell_parse(struct shell *shell, struct shell_problem *problem)
{
	int r = 0;

	forget(shell);
	for (size_t i = 0; i < shell->n_files && r == 0; i++)
		r = shell_parse_file(shell, i, problem);
	return r;
}

/* The last assignment of a name before `end` that is certain to be reached. */
static size_t last_before(const struct shell *shell, const char *name, size_t len,
			  size_t end)
{
	while (end-- > 0) {
		const struct shell_assign *a = &shell->assigns[end];

		if (!a->nested && strlen(a->name) == len && !memcmp(a->name, name, len))
			return end;
	}
	return SIZE_MAX;
}

static bool is_key(const struct shell *shell, const char *name, size_t len)
{
	for (const char *const *key = shell->keys; *key; key++)
		if (strlen(*key) == len && !memcmp(*key, name, len))
			return true;
	return false;
}

static bool set_somewhere(const struct shell *shell, const char *name, size_t len)
{
	for (size_t i = 0; i < shell->n_assigns; i++)
		if (shell->assigns[i].nested && strlen(shell->assigns[i].name) == len &&
		    !memcmp(shell->assigns[i].name, name, len))
			return true;
	return false;
}

/* The name that a glyph stands for. */
static const char *glyph_name(const struct shell *shell, const struct shell_assign *a,
			      const struct glyph *g, size_t *ret_len)
{
	const char *name = shell->files[a->file].text + g->from + 1;

	*ret_len = g->to - g->from - 1;
	if (*name == '{') {
		name++;
		*ret_len -= 2;
	}
	return name;
}

/*
 * Every variable can be put together from two others: `steps` ends that where the value
 * stays empty, too.
 */
static int evaluate(const struct shell *shell, const char *name, size_t len, size_t end,
		    unsigned *steps, struct str *out)
{
	const size_t at = last_before(shell, name, len, end);
	const struct shell_assign *a;

	if ((*steps)++ == MAX_STEPS)
		return -EFBIG;
	if (!is_key(shell, name, len) && set_somewhere(shell, name, len)) {
		str_add_char(out, '\1');
		return out->cut ? -EFBIG : 0;
	}
	if (at == SIZE_MAX)
		return out->cut ? -EFBIG : 0;
	a = &shell->assigns[at];
	if (a->append && evaluate(shell, name, len, at, steps, out) < 0)
		return -EFBIG;
	for (size_t i = 0; i < a->value.n && !out->cut; i++) {
		const struct glyph *g = &a->value.g[i];
		size_t n;

		if (g->c >= 0) {
			str_add_char(out, (char)g->c);
		} else if (g->c == GLYPH_BLIND) {
			str_add_char(out, '\1');
		} else {
			const char *other = glyph_name(shell, a, g, &n);

			if (evaluate(shell, other, n, at, steps, out) < 0)
				return -EFBIG;
		}
	}
	return out->cut ? -EFBIG : 0;
}

int shell_words(const struct shell *shell, const char *key, struct args *ret)
{
	TEXT_OWNED char *buf = malloc(MAX_VALUE);
	unsigned steps = 0;
	struct str s;
	int r;

	if (!buf)
		return -ENOMEM;
	str_init(&s, buf, MAX_VALUE);
	r = evaluate(shell, key, strlen(key), shell->n_assigns, &steps, &s);
	return r < 0 ? r : args_parse(ret, buf);
}

const struct shell_assign *shell_last(const struct shell *shell, const char *key)
{
	const size_t at = last_before(shell, key, strlen(key), shell->n_assigns);

	return at == SIZE_MAX ? NULL : &shell->assigns[at];
}

static bool continues(const struct shell *shell, const struct shell_assign *a)
{
	size_t n;

	for (size_t i = 0; i < a->value.n; i++) {
		const char *name;

		if (a->value.g[i].c != GLYPH_NAME)
			continue;
		name = glyph_name(shell, a, &a->value.g[i], &n);
		if (n == strlen(a->name) && !memcmp(name, a->name, n))
			return true;
	}
	return a->append;
}

static int refuse(const struct shell *shell, size_t file, unsigned line,
		  const char *reason, struct shell_problem *problem)
{
	*problem = (struct shell_problem){ shell->files[file].path, line, reason };
	return -EINVAL;
}

/* Whether a file may be edited for this key. */
static int check_file(const struct shell *shell, size_t file, const char *key,
		      struct shell_problem *problem)
{
	if (shell->unsure_line && shell->unsure_file == file)
		return refuse(shell, file, shell->unsure_line,
			      _("a command here may set anything"), problem);
	for (size_t i = 0; i < shell->n_assigns; i++) {
		const struct shell_assign *a = &shell->assigns[i];

		if (a->nested && a->file == file && str_equal(a->name, key))
			return refuse(shell, file, a->line,
				      _("it is set here under a condition, in a function "
					"or by a command"),
				      problem);
	}
	return 0;
}

static int check_assign(const struct shell *shell, const struct shell_assign *a,
			struct shell_problem *problem)
{
	const char *reason = NULL;

	for (size_t i = 0; i < a->value.n && !reason; i++) {
		if (a->value.g[i].c == GLYPH_BLIND)
			reason = _("the value comes from a command or an expression");
		else if (a->value.g[i].c == '\r')
			reason = _("lines end as on Windows (CRLF)");
		else if (a->value.g[i].c == '\n')
			reason = _("there is a line break in the value");
	}
	if (reason)
		return refuse(shell, a->file, a->line, reason, problem);
	return check_file(shell, a->file, a->name, problem);
}

static int splice(struct shell *shell, size_t file, size_t from, size_t to,
		  const char *with, struct shell_problem *problem)
{
	char *all = text_splice(shell->files[file].text, from, to, with);

	if (!all)
		return -ENOMEM;
	free(shell->files[file].text);
	shell->files[file].text = all;
	return shell_parse(shell, problem);
}

/* The words must be what was meant, and nothing else. */
static int check_words(const struct shell *shell, const char *key,
		       const struct args *wanted, size_t file, unsigned line,
		       struct shell_problem *problem)
{
	ARGS_OWNED struct args words = { 0 };
	int r;

	r = shell_words(shell, key, &words);
	if (r == 0 && !args_equal(&words, wanted))
		r = refuse(shell, file, line,
			   _("it is put together from other variables"), problem);
	return r;
}

/* A line of ours that has lost its last word goes. */
static int drop_empty(struct shell *shell, const struct shell_assign *a,
		      struct shell_problem *problem)
{
	const char *text = shell->files[a->file].text;
	const char *end = strchrnul(text + a->begin, '\n');
	const size_t len = (size_t)(end - (text + a->begin));
	size_t from = a->begin, to = (size_t)(end - text);
	char line[256];

	snprintf(line, sizeof(line), "%s=\"\" # " SHELL_MARK, a->name);
	if (strlen(line) != len || memcmp(text + a->begin, line, len) != 0)
		return 0;
	if (*end)
		to++;
	else if (from)
		from--; /* the newline that we put before it */
	return splice(shell, a->file, from, to, "", problem);
}

/* One word less. 1, 0 if there is none, or a negative errno. */
static int remove_one(struct shell *shell, const char *key, const struct args *remove,
		      struct shell_problem *problem)
{
	size_t at = last_before(shell, key, strlen(key), shell->n_assigns), from, to;
	int r;

	while (at != SIZE_MAX) {
		const struct shell_assign *a = &shell->assigns[at];

		r = glyphs_find(&a->value, remove, &from, &to);
		if (r == -EINVAL)
			return refuse(shell, a->file, a->line,
				      _("the word is put together from pieces"), problem);
		if (r == 1) {
			r = check_assign(shell, a, problem);
			if (r == 0)
				r = splice(shell, a->file, from, to, "", problem);
			if (r == 0)
				r = drop_empty(shell, &shell->assigns[at], problem);
			return r < 0 ? r : 1;
		}
		if (r < 0 || !continues(shell, a))
			return r;
		at = last_before(shell, key, strlen(key), at);
	}
	return 0;
}

int shell_remove(struct shell *shell, const char *key, const struct args *remove,
		 struct shell_problem *problem)
{
	ARGS_OWNED struct args words = { 0 }, wanted = { 0 };
	const struct shell_assign *last = shell_last(shell, key);
	const size_t file = last ? last->file : 0;
	const unsigned line = last ? last->line : 0;
	int r;

	r = shell_words(shell, key, &words);
	if (r == 0)
		r = args_without(&wanted, &words, remove);
	if (r < 0 || wanted.n == words.n)
		return r;
	do
		r = remove_one(shell, key, remove, problem);
	while (r == 1);
	if (r == 0)
		r = check_words(shell, key, &wanted, file, line, problem);
	return r;
}

/* As it is written there. NULL if it cannot be, or without memory. */
static char *encode(const struct args *add, char quote, bool separate)
{
	TEXT_OWNED char *words = args_join(add);
	char *out = words ? malloc(2 * strlen(words) + 3) : NULL, *at = out;
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";

	if (!out)
		return NULL;
	if (separate && !quote)
		*at++ = '\\';
	if (separate)
		*at++ = ' ';
	for (const char *c = words; *c; c++) {
		if (quote == '"' ? strchr("\"$`\\", *c) != NULL
				 : !quote && !strchr(plain, *c))
			*at++ = '\\';
		*at++ = *c;
	}
	*at = '\0';
	return out;
}

static int append_line(struct shell *shell, const char *key, size_t file,
		       const struct args *add, struct shell_problem *problem)
{
	TEXT_OWNED char *value = encode(add, '"', false), *line = NULL;
	const size_t len = strlen(shell->files[file].text);
	const bool whole = !len || shell->files[file].text[len - 1] == '\n';

	if (!value || asprintf(&line, "%s%s=\"%s\" # " SHELL_MARK "%s", whole ? "" : "\n",
			       key, value, whole ? "\n" : "") < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return splice(shell, file, len, len, line, problem);
}

static int append_value(struct shell *shell, const struct shell_assign *a,
			const struct args *add, struct shell_problem *problem)
{
	TEXT_OWNED char *text = NULL;
	int r;

	r = check_assign(shell, a, problem);
	if (r < 0)
		return r;
	for (size_t i = 0; i < add->n && a->quote == '\''; i++)
		if (strchr(add->words[i], '\''))
			return refuse(shell, a->file, a->line,
				      _("a word cannot be written in these quotes"),
				      problem);
	text = encode(add, a->quote, a->value.n > 0 || a->append);
	if (!text)
		return -ENOMEM;
	return splice(shell, a->file, a->insert, a->insert, text, problem);
}

/* The last one in a file that is certain to be reached. */
static const struct shell_assign *last_in(const struct shell *shell, const char *key,
					  size_t file)
{
	size_t at = shell->n_assigns;

	while ((at = last_before(shell, key, strlen(key), at)) != SIZE_MAX)
		if (shell->assigns[at].file == file)
			return &shell->assigns[at];
	return NULL;
}

/* What is read after the place of the edit may append, too: the words can be anywhere. */
int shell_compare(const struct shell *shell, const char *key, const struct args *before,
		  const struct args *add, struct shell_problem *problem)
{
	ARGS_OWNED struct args words = { 0 }, others = { 0 };
	const struct shell_assign *last = shell_last(shell, key);
	int r;

	r = shell_words(shell, key, &words);
	if (r == 0)
		r = args_without(&others, &words, add);
	if (r < 0 || (args_has_all(&words, add) && args_equal(&others, before)))
		return r;
	return refuse(shell, last ? last->file : 0, last ? last->line : 0,
		      _("this comes later and replaces it, or puts it together in "
			"another way"),
		      problem);
}

int shell_append(struct shell *shell, const char *key, size_t file,
		 const struct args *add, struct shell_problem *problem)
{
	ARGS_OWNED struct args words = { 0 }, before = { 0 };
	const struct shell_assign *last = shell_last(shell, key);
	const struct shell_assign *here = last_in(shell, key, file);
	int r;

	if (last && !here)
		return refuse(shell, last->file, last->line, _("it is set here, too"),
			      problem);
	r = shell_words(shell, key, &words);
	if (r == 0)
		r = args_without(&before, &words, add);
	if (r == 0 && args_has(&words, "--"))
		r = refuse(shell, file, last ? last->line : 0,
			   _("it has a \"--\": what follows goes to init"), problem);
	if (r == 0)
		r = check_file(shell, file, key, problem);
	if (r == 0)
		r = here ? append_value(shell, here, add, problem)
			 : append_line(shell, key, file, add, problem);
	return r < 0 ? r : shell_compare(shell, key, &before, add, problem);
}
