/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

#define INDENT 9 /* columns: the longest word and a blank */
#define WIDTH 80 /* where nobody says */
#define NARROW 40 /* less is no use */

static const struct {
	const char *name; /* for scripts */
	const char *word;
	enum text_style style;
} severities[CHECK_SEVERITIES] = {
	[CHECK_NOTE] = { "note", N_("note"), TEXT_DIM },
	[CHECK_WARNING] = { "warning", N_("warning"), TEXT_WARNING },
	[CHECK_PROBLEM] = { "problem", N_("problem"), TEXT_BAD },
};

static size_t width_of(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return WIDTH;
	return size.ws_col < NARROW ? NARROW : size.ws_col;
}

/* Columns of UTF-8, each character as one. */
static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}

/* Words from column `at` on, in lines that begin at the indent. */
static void wrap(FILE *out, size_t width, size_t at, const char *text)
{
	for (;;) {
		size_t len, wide;

		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (!len)
			break;
		wide = columns(text, len);
		/* one column stays free: some consoles wrap when it is written */
		if (at > INDENT && at + 1 + wide >= width) {
			fprintf(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)len, text);
		at += wide;
		text += len;
	}
	fputc('\n', out);
}

static void print_finding(const struct check_finding *f, FILE *out, bool colour,
			  size_t width)
{
	const char *word = f->fixed ? _("fixed") : _(severities[f->severity].word);
	const char *title = _(f->row->title), *mend = _("Mend:");
	const size_t used = columns(word, strlen(word));

	text_print(out, colour, f->fixed ? TEXT_GOOD : severities[f->severity].style,
		   "%s", word);
	fprintf(out, "%*s", used < INDENT ? (int)(INDENT - used) : 1, "");
	text_print(out, colour, TEXT_BOLD, "%s:", title);
	wrap(out, width, INDENT + columns(title, strlen(title)) + 1, f->detail);
	if (!f->mend || f->fixed)
		return;
	fprintf(out, "%*s", INDENT, "");
	text_print(out, colour, TEXT_BOLD, "%s", mend);
	wrap(out, width, INDENT + columns(mend, strlen(mend)), f->mend);
}

void check_print(const struct check *c, FILE *out, bool colour)
{
	const size_t width = width_of(out), problems = check_count(c, CHECK_PROBLEM),
		     warnings = check_count(c, CHECK_WARNING),
		     notes = check_count(c, CHECK_NOTE);

	/* what keeps it from starting comes first */
	for (int s = CHECK_SEVERITIES - 1; s >= 0; s--)
		for (size_t i = 0; i < c->n; i++)
			if ((int)c->findings[i].severity == s)
				print_finding(&c->findings[i], out, colour, width);
	if (c->n)
		fputc('\n', out);
	fprintf(out, ngettext("%zu problem", "%zu problems", problems), problems);
	fprintf(out, ngettext(", %zu warning", ", %zu warnings", warnings), warnings);
	fprintf(out, ngettext(", %zu note", ", %zu notes", notes), notes);
	if (check_count_fixed(c))
		fprintf(out, _(", %zu fixed"), check_count_fixed(c));
	fputc('\n', out);
}

/* ---- for scripts */

static bool put(json_object *object, const char *key, json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static json_object *finding(const struct check_finding *f)
{
	json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	if (put(o, "code", json_object_new_string(f->row->code)) &&
	    put(o, "severity", json_object_new_string(severities[f->severity].name)) &&
	    put(o, "detail", json_object_new_string(f->detail)) &&
	    (!f->mend || put(o, "mend", json_object_new_string(f->mend))) &&
	    put(o, "fixable", json_object_new_boolean(f->fixable)) &&
	    put(o, "fixed", json_object_new_boolean(f->fixed)))
		return o;
	json_object_put(o);
	return NULL;
}

static bool add_findings(json_object *list, const struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		json_object *o = finding(&c->findings[i]);

		if (!o)
			return false;
		if (json_object_array_add(list, o) < 0) {
			json_object_put(o);
			return false;
		}
	}
	return true;
}

static bool fill(json_object *all, const struct check *c)
{
	json_object *list = json_object_new_array();

	if (!put(all, "version", json_object_new_int(1)) ||
	    !put(all, "domain", json_object_new_string(c->name)) || !list ||
	    json_object_object_add(all, "findings", list) < 0) {
		json_object_put(list);
		return false;
	}
	return add_findings(list, c);
}

int check_print_json(const struct check *c, FILE *out)
{
	json_object *all = json_object_new_object();
	const char *text = NULL;

	if (all && fill(all, c))
		text = json_object_to_json_string_ext(
			all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				     JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(all);
	return text ? 0 : -ENOMEM;
}
