/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define CONTEXT 3 /* lines around a change */
/* Cells of the table; what differs in more than that is shown as replaced as a whole. */
#define MAX_CELLS (4 * 1024 * 1024)

struct line {
	const char *text;
	size_t len; /* with its newline, if it has one */
};

struct lines {
	struct line *line;
	size_t n;
};

/* An edit in both files' line numbers, from 0: `removed` lines go, `added` come. */
struct hunk {
	size_t old_at, removed, new_at, added;
};

struct diff {
	struct lines old, new;
	struct hunk *hunks;
	size_t n, allocated;
	bool colour;
	FILE *out;
};

static int split(const char *text, size_t len, struct lines *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	ret->line = calloc(n + 1, sizeof(*ret->line));
	if (!ret->line)
		return -ENOMEM;
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		const size_t takes = end ? (size_t)(end - text) + 1 : len;

		ret->line[ret->n++] = (struct line){ text, takes };
		text += takes;
		len -= takes;
	}
	return 0;
}

static bool same(const struct diff *d, size_t old, size_t new)
{
	const struct line *a = &d->old.line[old], *b = &d->new.line[new];

	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Joins edits that touch. */
static int add_hunk(struct diff *d, struct hunk hunk)
{
	struct hunk *last = d->n ? &d->hunks[d->n - 1] : NULL, *bigger;

	if (last && last->old_at + last->removed == hunk.old_at &&
	    last->new_at + last->added == hunk.new_at) {
		last->removed += hunk.removed;
		last->added += hunk.added;
		return 0;
	}
	if (d->n == d->allocated) {
		d->allocated = d->allocated ? d->allocated * 2 : 16;
		bigger = reallocarray(d->hunks, d->allocated, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		d->hunks = bigger;
	}
	d->hunks[d->n++] = hunk;
	return 0;
}

/*
 * The longest common subsequence of what lies between the equal ends: cell (i, j) holds
 * its length from line i of the old and line j of the new.
 */
static int compare(struct diff *d, size_t begin, size_t old_n, size_t new_n)
{
	const size_t width = new_n + 1;
	size_t i, j;
	uint32_t *cells;
	int r = 0;

	if ((old_n + 1) > MAX_CELLS / width)
		return add_hunk(d, (struct hunk){ begin, old_n, begin, new_n });
	cells = calloc((old_n + 1) * width, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	for (i = old_n; i-- > 0;)
		for (j = new_n; j-- > 0;) {
			const uint32_t *right = &cells[i * width + j + 1];
			const uint32_t *below = &cells[(i + 1) * width + j];

			cells[i * width + j] = same(d, begin + i, begin + j)
						       ? below[1] + 1
					       : *below > *right ? *below
								 : *right;
		}
	for (i = j = 0; r == 0 && (i < old_n || j < new_n);) {
		if (i < old_n && j < new_n && same(d, begin + i, begin + j)) {
			i++;
			j++;
		} else if (j == new_n ||
			   (i < old_n &&
			    cells[(i + 1) * width + j] >= cells[i * width + j + 1])) {
			r = add_hunk(d, (struct hunk){ begin + i++, 1, begin + j, 0 });
		} else {
			r = add_hunk(d, (struct hunk){ begin + i, 0, begin + j++, 1 });
		}
	}
	free(cells);
	return r;
}

static int find_hunks(struct diff *d)
{
	size_t begin = 0, old_n = d->old.n, new_n = d->new.n;

	while (begin < old_n && begin < new_n && same(d, begin, begin))
		begin++;
	while (old_n > begin && new_n > begin && same(d, old_n - 1, new_n - 1)) {
		old_n--;
		new_n--;
	}
	if (begin == old_n && begin == new_n)
		return 0;
	return compare(d, begin, old_n - begin, new_n - begin);
}

/* Tabs stay: they are text, and moving the cursor right harms nobody. */
static void print_clean(struct diff *d, const char *text, size_t len,
			enum text_style style, char mark)
{
	char *copy = malloc(len + 1), *clean = malloc(len + 1);

	if (copy && clean) {
		for (size_t i = 0; i < len; i++)
			copy[i] = text[i] == '\0' ? '?' : text[i];
		copy[len] = '\0';
		for (char *part = copy, *end; part; part = end ? end + 1 : NULL) {
			end = strchr(part, '\t');
			if (end)
				*end = '\0';
			text_clean(clean, len + 1, part);
			text_print(d->out, d->colour, style, "%.*s%s%s", mark != '\0',
				   &mark, clean, end ? "\t" : "");
			mark = '\0';
		}
	}
	free(copy);
	free(clean);
}

static void print_lines(struct diff *d, const struct lines *lines, size_t at, size_t n,
			char mark)
{
	const enum text_style style = mark == '-'   ? TEXT_BAD
				      : mark == '+' ? TEXT_GOOD
						    : TEXT_PLAIN;

	for (const struct line *l = lines->line + at; n-- > 0; l++) {
		const bool whole = l->text[l->len - 1] == '\n';

		print_clean(d, l->text, l->len - whole, style, mark);
		fputs(whole ? "\n" : "\n\\ No newline at end of file\n", d->out);
	}
}

/* "1,3", "4", and for no lines at all the line before them: "0,0" */
static void print_range(struct diff *d, char mark, size_t at, size_t n)
{
	fprintf(d->out, "%c%zu", mark, n ? at + 1 : at);
	if (n != 1)
		fprintf(d->out, ",%zu", n);
}

/* Edits `first` up to `end`, whose contexts touch. */
static void print_group(struct diff *d, const struct hunk *first, const struct hunk *end)
{
	const struct hunk *last = end - 1;
	const size_t before = first->old_at < CONTEXT ? first->old_at : CONTEXT;
	const size_t left = d->old.n - last->old_at - last->removed;
	const size_t after = left < CONTEXT ? left : CONTEXT;
	const size_t old_at = first->old_at - before, new_at = first->new_at - before;
	size_t at = old_at;

	text_print(d->out, d->colour, TEXT_DIM, "@@ ");
	print_range(d, '-', old_at, last->old_at + last->removed + after - old_at);
	fputc(' ', d->out);
	print_range(d, '+', new_at, last->new_at + last->added + after - new_at);
	text_print(d->out, d->colour, TEXT_DIM, " @@");
	fputc('\n', d->out);
	for (const struct hunk *h = first; h < end; h++) {
		print_lines(d, &d->old, at, h->old_at - at, ' ');
		print_lines(d, &d->old, h->old_at, h->removed, '-');
		print_lines(d, &d->new, h->new_at, h->added, '+');
		at = h->old_at + h->removed;
	}
	print_lines(d, &d->old, at, after, ' ');
}

static void print_name(struct diff *d, const char *mark, const char *name)
{
	text_print(d->out, d->colour, TEXT_BOLD, "%s ", mark);
	print_clean(d, name, strlen(name), TEXT_BOLD, '\0');
	fputc('\n', d->out);
}

static void print_all(struct diff *d, const char *old_name, const char *new_name)
{
	const struct hunk *h = d->hunks, *end;

	if (!d->n)
		return;
	print_name(d, "---", old_name);
	print_name(d, "+++", new_name);
	while (h < d->hunks + d->n) {
		for (end = h + 1; end < d->hunks + d->n; end++)
			if (end->old_at - end[-1].old_at - end[-1].removed > 2 * CONTEXT)
				break;
		print_group(d, h, end);
		h = end;
	}
}

int diff_print(FILE *out, const struct diff_side *before, const struct diff_side *after,
	       bool colour)
{
	struct diff d = { .out = out, .colour = colour };
	int r;

	r = split(before->text ? before->text : "", before->text ? before->len : 0,
		  &d.old);
	if (r == 0)
		r = split(after->text ? after->text : "", after->text ? after->len : 0,
			  &d.new);
	if (r == 0)
		r = find_hunks(&d);
	if (r == 0)
		print_all(&d, before->text ? before->name : "/dev/null",
			  after->text ? after->name : "/dev/null");
	free(d.old.line);
	free(d.new.line);
	free(d.hunks);
	return r;
}
