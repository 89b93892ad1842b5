/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "text.h"

#define MAX_DEPTH 64

struct lexer {
	struct shell *shell;
	struct shell_problem *problem;
	size_t file;
	const char *text;
	size_t at;
	unsigned line;
	/* what is open: 'i'f, 'd'o, 'c'ase, { or ( */
	char open[MAX_DEPTH];
	size_t depth;
	bool conditional; /* what comes next follows && or || */
	bool over; /* an exit or return was seen */
	/* the command that is being read */
	size_t first_assign; /* of shell->assigns */
	size_t words; /* that are no assignments */
	bool export;
};

/* What a word was written with last. */
struct ending {
	size_t insert;
	char quote;
};

static int fail(struct lexer *l, const char *reason)
{
	*l->problem =
		(struct shell_problem){ l->shell->files[l->file].path, l->line, reason };
	return -EPROTO;
}

static bool is_name(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (is_name(text[n], n == 0))
		n++;
	return n;
}

/* Moves behind the closing one of (), {} or ``, quotes and nesting minded. */
static int skip_balanced(struct lexer *l, char opening, char closing)
{
	size_t depth = 1;
	char quote = '\0';

	for (; l->text[l->at]; l->at++) {
		const char c = l->text[l->at];

		if (c == '\n')
			l->line++;
		if (c == '\\' && quote != '\'') {
			if (!l->text[++l->at])
				break;
		} else if (quote && closing != '`') {
			if (c == quote)
				quote = '\0';
		} else if (c == closing && --depth == 0) {
			l->at++;
			return 0;
		} else if (c == opening && opening != closing) {
			depth++;
		} else if ((c == '"' || c == '\'') && closing != '`') {
			quote = c;
		}
	}
	return fail(l, _("something is opened and never closed"));
}

static int take_blind(struct lexer *l, struct glyphs *value, size_t skip, char opening,
		      char closing)
{
	const size_t from = l->at;
	int r;

	l->at += skip;
	r = skip_balanced(l, opening, closing);
	return r < 0 ? r : glyphs_add(value, GLYPH_BLIND, from, l->at);
}

static int take_dollar(struct lexer *l, struct glyphs *value)
{
	const char *t = l->text + l->at;
	const size_t from = l->at;
	size_t n = name_length(t + 1);

	if (n) {
		l->at += n + 1;
		return glyphs_add(value, GLYPH_NAME, from, l->at);
	}
	if (t[1] == '(')
		return take_blind(l, value, 2, '(', ')');
	if (t[1] == '{') {
		n = name_length(t + 2);
		if (!n || t[2 + n] != '}')
			return take_blind(l, value, 2, '{', '}');
		l->at += n + 3;
		return glyphs_add(value, GLYPH_NAME, from, l->at);
	}
	l->at++;
	/* $1, $?, $'...' */
	if (t[1] && strchr("0123456789?!@*#$-'\"", t[1]) && t[1] != '"')
		return glyphs_add(value, GLYPH_BLIND, from, ++l->at);
	return glyphs_add(value, '$', from, l->at);
}

/* A backslash, outside of quotes or between double ones. */
static int take_escape(struct lexer *l, struct glyphs *value, bool quoted)
{
	const size_t from = l->at;
	const char c = l->text[l->at + 1];

	if (c == '\n') {
		l->line++;
		l->at += 2;
		return 0;
	}
	if (!c || (quoted && !strchr("$`\"\\", c))) {
		l->at++;
		return glyphs_add(value, '\\', from, l->at);
	}
	l->at += 2;
	return glyphs_add(value, (unsigned char)c, from, l->at);
}

static int take_byte(struct lexer *l, struct glyphs *value)
{
	if (l->text[l->at] == '\n')
		l->line++;
	l->at++;
	return glyphs_add(value, (unsigned char)l->text[l->at - 1], l->at - 1, l->at);
}

static int take_quoted(struct lexer *l, struct glyphs *value, char quote)
{
	int r = 0;

	l->at++;
	while (r == 0 && l->text[l->at] != quote) {
		const char c = l->text[l->at];

		if (!c)
			return fail(l, _("a quote is opened and never closed"));
		if (quote == '"' && c == '\\')
			r = take_escape(l, value, true);
		else if (quote == '"' && c == '$')
			r = take_dollar(l, value);
		else if (quote == '"' && c == '`')
			r = take_blind(l, value, 1, '`', '`');
		else
			r = take_byte(l, value);
	}
	l->at += r == 0;
	return r;
}

static int take_word(struct lexer *l, struct glyphs *value, struct ending *ret)
{
	int r = 0;

	*ret = (struct ending){ .insert = l->at };
	while (r == 0 && l->text[l->at] && !strchr(" \t\n;&|<>()", l->text[l->at])) {
		const char c = l->text[l->at];

		ret->quote = '\0';
		if (c == '"' || c == '\'') {
			r = take_quoted(l, value, c);
			*ret = (struct ending){ l->at - 1, c };
			continue;
		}
		if (c == '\\')
			r = take_escape(l, value, false);
		else if (c == '$')
			r = take_dollar(l, value);
		else if (c == '`')
			r = take_blind(l, value, 1, '`', '`');
		else
			r = take_byte(l, value);
		ret->insert = l->at;
	}
	return r;
}

static int add_assign(struct lexer *l, const char *name, size_t len,
		      struct shell_assign *a)
{
	struct shell *s = l->shell;
	struct shell_assign *all;

	all = reallocarray(s->assigns, s->n_assigns + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	s->assigns = all;
	a->name = strndup(name, len);
	if (!a->name)
		return -ENOMEM;
	a->file = l->file;
	all[s->n_assigns++] = *a;
	return 0;
}

/* NAME=VALUE or NAME+=VALUE at the lexer. 1 if it was one, 0, or a negative errno. */
static int take_assign(struct lexer *l)
{
	const char *t = l->text + l->at;
	const size_t n = name_length(t);
	struct shell_assign a = { .line = l->line, .begin = l->at };
	struct ending ending;
	int r;

	a.append = n && t[n] == '+' && t[n + 1] == '=' && l->shell->bash;
	if (!n || (t[n] != '=' && !a.append))
		return 0;
	l->at += n + 1 + a.append;
	r = take_word(l, &a.value, &ending);
	a.insert = ending.insert;
	a.quote = ending.quote;
	if (r == 0 && l->text[l->at] == '(')
		r = fail(l, _("an array is assigned"));
	if (r == 0)
		r = add_assign(l, t, n, &a);
	if (r < 0)
		glyphs_finish(&a.value);
	return r < 0 ? r : 1;
}

/* A word that says the name of a key without reading it. */
static int note_mentions(struct lexer *l, size_t from)
{
	const char *t = l->text;

	for (const char *const *key = l->shell->keys; *key; key++) {
		const size_t n = strlen(*key);

		for (size_t i = from; i + n <= l->at; i++) {
			struct shell_assign a = { .line = l->line,
						  .begin = from,
						  .nested = true };
			int r;

			if (memcmp(t + i, *key, n) != 0 || is_name(t[i + n], false))
				continue;
			if (i > 0 && (is_name(t[i - 1], false) || t[i - 1] == '$' ||
				      t[i - 1] == '{'))
				continue;
			r = add_assign(l, *key, n, &a);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is(const char *word, size_t len, const char *list)
{
	for (; *list; list += strcspn(list, " "), list += *list == ' ')
		if (strcspn(list, " ") == len && !memcmp(list, word, len))
			return true;
	return false;
}

static int open_block(struct lexer *l, char what)
{
	if (l->depth == MAX_DEPTH)
		return fail(l, _("it is nested too deeply"));
	l->open[l->depth++] = what;
	return 0;
}

static int close_block(struct lexer *l, char what)
{
	if (!l->depth || l->open[l->depth - 1] != what)
		return fail(l, _("this closes nothing"));
	l->depth--;
	return 0;
}

/* 1 if the word is one of the shell's own and a command may follow. */
static int take_keyword(struct lexer *l, const char *word, size_t len)
{
	int r = 0;

	if (is(word, len, "if"))
		r = open_block(l, 'i');
	else if (is(word, len, "while until"))
		r = open_block(l, 'd');
	else if (is(word, len, "{"))
		r = open_block(l, '{');
	else if (!is(word, len, "then else elif do !"))
		return 0;
	return r < 0 ? r : 1;
}

/* The first word of a command. */
static int begin_command(struct lexer *l, const char *word, size_t len)
{
	if (is(word, len, "for select"))
		return open_block(l, 'd');
	if (is(word, len, "case"))
		return open_block(l, 'c');
	if (is(word, len, "fi"))
		return close_block(l, 'i');
	if (is(word, len, "done"))
		return close_block(l, 'd');
	if (is(word, len, "esac"))
		return close_block(l, 'c');
	if (is(word, len, "}"))
		return close_block(l, '{');
	if (is(word, len, "exit return"))
		l->over = true;
	if (is(word, len, "export"))
		l->export = true;
	if (is(word, len, ". source eval") && !l->shell->unsure_line) {
		l->shell->unsure_file = l->file;
		l->shell->unsure_line = l->line;
	}
	return 0;
}

static int take_plain(struct lexer *l)
{
	struct glyphs ignored = { 0 };
	struct ending ending;
	const size_t from = l->at;
	const char *word = l->text + from;
	int r;

	r = take_word(l, &ignored, &ending);
	glyphs_finish(&ignored);
	if (r < 0)
		return r;
	if (l->words == 0) {
		r = take_keyword(l, word, l->at - from);
		if (r != 0)
			return r < 0 ? r : 0;
		r = begin_command(l, word, l->at - from);
	}
	l->words++;
	/* "export NAME" changes nothing */
	if (r == 0 && !(l->export && name_length(word) == l->at - from))
		r = note_mentions(l, from);
	return r;
}

static void end_command(struct lexer *l, bool conditional)
{
	const bool prefix = l->words && !l->export;

	for (size_t i = l->first_assign; i < l->shell->n_assigns; i++)
		if (prefix || conditional || l->conditional || l->depth || l->over)
			l->shell->assigns[i].nested = true;
	l->first_assign = l->shell->n_assigns;
	l->words = 0;
	l->export = false;
	l->conditional = false;
}

static int take_paren(struct lexer *l)
{
	const char c = l->text[l->at++];
	int r = 0;

	if (c == '(' && l->words == 0) {
		r = open_block(l, '(');
	} else if (c == '(' && l->words == 1 && l->text[l->at] == ')') {
		l->at++; /* a function; its { opens a block */
		l->words = 0;
	} else if (c == '(') {
		r = fail(l, _("a bracket where none belongs"));
	} else if (l->depth && l->open[l->depth - 1] == 'c') {
		end_command(l, true); /* a pattern of case */
	} else {
		end_command(l, true);
		r = close_block(l, '(');
		l->words = 1;
	}
	return r;
}

static int take_redirection(struct lexer *l)
{
	struct glyphs ignored = { 0 };
	struct ending ending;
	int r;

	if (l->text[l->at] == '<' && l->text[l->at + 1] == '<')
		return fail(l, _("a here-document"));
	l->at += strspn(l->text + l->at, "<>&|-");
	l->at += strspn(l->text + l->at, " \t");
	r = take_word(l, &ignored, &ending);
	glyphs_finish(&ignored);
	return r;
}

static int take_operator(struct lexer *l, char c)
{
	const bool twice = l->text[l->at + 1] == c;

	if (c == '(' || c == ')')
		return take_paren(l);
	if (c == '<' || c == '>')
		return take_redirection(l);
	l->at += twice ? 2 : 1;
	if (c == '\n') {
		l->at -= twice;
		l->line++;
	}
	end_command(l, c == '&' || c == '|');
	l->conditional = c == '|' || (c == '&' && twice);
	return 0;
}

static int take_one(struct lexer *l)
{
	const char c = l->text[l->at];
	int r;

	if (c == ' ' || c == '\t') {
		l->at++;
		return 0;
	}
	if (c == '\\' && l->text[l->at + 1] == '\n') {
		l->at += 2;
		l->line++;
		return 0;
	}
	if (c == '#') {
		l->at += strcspn(l->text + l->at, "\n");
		return 0;
	}
	if (strchr("\n;&|<>()", c))
		return take_operator(l, c);
	if (l->words == 0 || l->export) {
		r = take_assign(l);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return take_plain(l);
}

int shell_parse_file(struct shell *shell, size_t file, struct shell_problem *problem)
{
	struct lexer l = { .shell = shell,
			   .problem = problem,
			   .file = file,
			   .text = shell->files[file].text,
			   .line = 1,
			   .first_assign = shell->n_assigns };
	int r = 0;

	while (r == 0 && l.text[l.at])
		r = take_one(&l);
	end_command(&l, false);
	if (r == 0 && l.depth)
		r = fail(&l, _("something is opened and never closed"));
	return r;
}
