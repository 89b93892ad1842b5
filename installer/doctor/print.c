/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INDENT 9 /* columns: the longest state and a blank */
#define WIDTH 80 /* where nobody says */
#define NARROW 40 /* less is no use */

static const struct {
	const char *name; /* for scripts */
	const char *word;
	enum text_style style;
} states[DOCTOR_STATES] = {
	[DOCTOR_OK] = { "ok", N_("ok"), TEXT_GOOD },
	[DOCTOR_WARNING] = { "warning", N_("warning"), TEXT_WARNING },
	[DOCTOR_PROBLEM] = { "problem", N_("problem"), TEXT_BAD },
	[DOCTOR_UNKNOWN] = { "unknown", N_("unknown"), TEXT_DIM },
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

static void print_finding(const struct doctor_finding *f, FILE *out, bool colour,
			  size_t width)
{
	const char *word = _(states[f->state].word), *title = _(f->check->title);
	const size_t used = columns(word, strlen(word));

	text_print(out, colour, states[f->state].style, "%s", word);
	fprintf(out, "%*s", used < INDENT ? (int)(INDENT - used) : 1, "");
	text_print(out, colour, f->state == DOCTOR_OK ? TEXT_PLAIN : TEXT_BOLD,
		   "%s:", title);
	wrap(out, width, INDENT + columns(title, strlen(title)) + 1, f->evidence);
	if (!f->mend)
		return;
	fprintf(out, "%*s", INDENT, "");
	text_print(out, colour, TEXT_BOLD, "%s", _("Mend:"));
	wrap(out, width, INDENT + columns(_("Mend:"), strlen(_("Mend:"))), f->mend);
}

static void print_summary(const struct doctor *d, FILE *out)
{
	const size_t problems = doctor_count(d, DOCTOR_PROBLEM),
		     warnings = doctor_count(d, DOCTOR_WARNING),
		     unknown = doctor_count(d, DOCTOR_UNKNOWN);

	fputc('\n', out);
	fprintf(out, ngettext("%zu problem", "%zu problems", problems), problems);
	fprintf(out, ngettext(", %zu warning", ", %zu warnings", warnings), warnings);
	fprintf(out, _(", %zu unknown, %zu ok\n"), unknown, doctor_count(d, DOCTOR_OK));
	if (d->denied)
		fputs(_("Root can see more: sudo vfio-claim doctor\n"), out);
}

void doctor_print(const struct doctor *d, FILE *out, bool colour)
{
	const size_t width = width_of(out);

	for (size_t i = 0; i < d->n; i++)
		print_finding(&d->findings[i], out, colour, width);
	print_summary(d, out);
}

/* ---- for scripts */

static bool put(json_object *object, const char *key, json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static json_object *finding(const struct doctor_finding *f)
{
	json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	if (put(o, "id", json_object_new_string(f->check->id)) &&
	    put(o, "title", json_object_new_string(_(f->check->title))) &&
	    put(o, "state", json_object_new_string(states[f->state].name)) &&
	    put(o, "evidence", json_object_new_string(f->evidence)) &&
	    (!f->mend || put(o, "mend", json_object_new_string(f->mend))))
		return o;
	json_object_put(o);
	return NULL;
}

static bool add_findings(json_object *list, const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		json_object *o = finding(&d->findings[i]);

		if (!o)
			return false;
		if (json_object_array_add(list, o) < 0) {
			json_object_put(o);
			return false;
		}
	}
	return true;
}

static bool fill(json_object *all, const struct doctor *d)
{
	json_object *list = json_object_new_array();

	if (!put(all, "version", json_object_new_int(1)) || !list ||
	    json_object_object_add(all, "checks", list) < 0) {
		json_object_put(list);
		return false;
	}
	if (!add_findings(list, d))
		return false;
	for (size_t i = 0; i < DOCTOR_STATES; i++)
		if (!put(all, states[i].name,
			 json_object_new_int64(
				 (int64_t)doctor_count(d, (enum doctor_state)i))))
			return false;
	return true;
}

int doctor_print_json(const struct doctor *d, FILE *out)
{
	json_object *all = json_object_new_object();
	const char *text = NULL;

	if (all && fill(all, d))
		text = json_object_to_json_string_ext(
			all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				     JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(all);
	return text ? 0 : -ENOMEM;
}
