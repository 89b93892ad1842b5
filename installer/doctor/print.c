/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor.h"

#include "finding.h"

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

static void print_finding(const struct doctor_finding *f, FILE *out, bool colour)
{
	const struct finding_text text = {
		.word = _(states[f->state].word),
		.style = states[f->state].style,
		.plain = f->state == DOCTOR_OK,
		.title = _(f->check->title),
		.detail = f->evidence,
		.mend = f->mend,
	};

	finding_print(out, colour, &text);
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
	for (size_t i = 0; i < d->n; i++)
		print_finding(&d->findings[i], out, colour);
	print_summary(d, out);
}

/* ---- for scripts */

static json_object *finding(const struct doctor_finding *f)
{
	json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	if (finding_put(o, "id", json_object_new_string(f->check->id)) &&
	    finding_put(o, "title", json_object_new_string(_(f->check->title))) &&
	    finding_put(o, "state", json_object_new_string(states[f->state].name)) &&
	    finding_put(o, "evidence", json_object_new_string(f->evidence)) &&
	    (!f->mend || finding_put(o, "mend", json_object_new_string(f->mend))))
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

	if (!finding_put(all, "version", json_object_new_int(1)) || !list ||
	    json_object_object_add(all, "checks", list) < 0) {
		json_object_put(list);
		return false;
	}
	if (!add_findings(list, d))
		return false;
	for (size_t i = 0; i < DOCTOR_STATES; i++)
		if (!finding_put(all, states[i].name,
				 json_object_new_int64(
					 (int64_t)doctor_count(d, (enum doctor_state)i))))
			return false;
	return true;
}

int doctor_print_json(const struct doctor *d, FILE *out)
{
	json_object *all = json_object_new_object();

	return finding_print_json(out, all, all && fill(all, d));
}
