/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include "finding.h"

static const struct {
	const char *name; /* for scripts */
	const char *word;
	enum text_style style;
} severities[CHECK_SEVERITIES] = {
	[CHECK_NOTE] = { "note", N_("note"), TEXT_DIM },
	[CHECK_WARNING] = { "warning", N_("warning"), TEXT_WARNING },
	[CHECK_PROBLEM] = { "problem", N_("problem"), TEXT_BAD },
};

static void print_finding(const struct check_finding *f, FILE *out, bool colour)
{
	const struct finding_text text = {
		.word = f->fixed ? _("fixed") : _(severities[f->severity].word),
		.style = f->fixed ? TEXT_GOOD : severities[f->severity].style,
		.title = _(f->row->title),
		.detail = f->detail,
		.mend = f->fixed ? NULL : f->mend,
	};

	finding_print(out, colour, &text);
}

void check_print(const struct check *c, FILE *out, bool colour)
{
	const size_t problems = check_count(c, CHECK_PROBLEM),
		     warnings = check_count(c, CHECK_WARNING),
		     notes = check_count(c, CHECK_NOTE);

	/* what keeps it from starting comes first */
	for (int s = CHECK_SEVERITIES - 1; s >= 0; s--)
		for (size_t i = 0; i < c->n; i++)
			if ((int)c->findings[i].severity == s)
				print_finding(&c->findings[i], out, colour);
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

static json_object *finding(const struct check_finding *f)
{
	json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	if (finding_put(o, "code", json_object_new_string(f->row->code)) &&
	    finding_put(o, "severity",
			json_object_new_string(severities[f->severity].name)) &&
	    finding_put(o, "detail", json_object_new_string(f->detail)) &&
	    (!f->mend || finding_put(o, "mend", json_object_new_string(f->mend))) &&
	    finding_put(o, "fixable", json_object_new_boolean(f->fixable)) &&
	    finding_put(o, "fixed", json_object_new_boolean(f->fixed)))
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

	if (!finding_put(all, "version", json_object_new_int(1)) ||
	    !finding_put(all, "domain", json_object_new_string(c->name)) || !list ||
	    json_object_object_add(all, "findings", list) < 0) {
		json_object_put(list);
		return false;
	}
	return add_findings(list, c);
}

int check_print_json(const struct check *c, FILE *out)
{
	json_object *all = json_object_new_object();

	return finding_print_json(out, all, all && fill(all, c));
}
