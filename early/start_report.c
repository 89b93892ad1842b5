/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start_report.h"

#include "display.h"
#include "driver.h"

#define MOVED "device-moved"

void start_report_function(struct fs *root, const struct machine_function *f,
			   const struct machine *m, struct report_function *ret)
{
	const struct identity_result *found = &f->found;

	*ret = (struct report_function){
		.configured = f->conf->address,
		.optional = f->conf->optional,
		.path = f->conf->identity.path,
		.vendor = f->conf->identity.ids.vendor,
		.device = f->conf->identity.ids.device,
		.match = found->match,
		.group = f->group >= 0 && machine_function_found(f)
				 ? m->groups[f->group].id
				 : -1,
	};
	/* nothing was found where even the address is zero, vendor and all */
	if (!found->function.known)
		return;
	ret->found = true;
	ret->address = found->function.address;
	ret->vendor = found->function.ids.vendor;
	ret->device = found->function.ids.device;
	str_copy(ret->previous_driver, sizeof(ret->previous_driver),
		 found->function.driver);
	str_copy(ret->driver, sizeof(ret->driver), found->function.driver);
	if (found->match == MATCH_MOVED)
		(void)!pci_path_of(root, ret->address, &ret->path);
}

void start_report_claim(const struct start_state *state, const struct plan_claim *claim,
			struct report_claim *ret)
{
	ret->outcome = claim->reason == REASON_NONE ? OUTCOME_CLAIMED : OUTCOME_KEPT;
	ret->reason = claim->reason;
	str_copy(ret->detail, sizeof(ret->detail), claim->detail);
	if (claim->reason == REASON_NONE && state->hold) {
		ret->outcome = OUTCOME_HELD;
		ret->reason = REASON_RECORD_UNAVAILABLE;
		str_copy(ret->detail, sizeof(ret->detail),
			 "held until the record on the boot partition can be read");
	}
}

void start_report_plan(struct start *start, const struct machine *m,
		       const struct plan *plan)
{
	struct report *report = &start->state->report;
	struct report_function *f = report->functions;

	for (unsigned i = 0; i < m->n_functions; i++)
		start_report_function(start->root, &m->functions[i], m, &f[i]);
	report->n_functions = m->n_functions;
	for (unsigned i = 0; i < plan->n_claims; i++) {
		const struct plan_claim *claim = &plan->claims[i];
		struct report_claim *c = &report->claims[i];

		str_copy(c->name, sizeof(c->name), claim->conf->name);
		c->first = claim->conf->first;
		c->n = m->n_functions ? claim->conf->n : 0;
		start_report_claim(start->state, claim, c);
		if (claim->reason == REASON_NONE) {
			c->outcome = OUTCOME_KEPT;
			c->reason = REASON_DEADLINE;
			str_copy(c->detail, sizeof(c->detail), "not finished");
		}
	}
	report->n_claims = plan->n_claims;
	report->reason = plan->reason;
	str_copy(report->detail, sizeof(report->detail), plan->detail);
}

void start_warn_of_move(struct report *report, const struct report_function *f)
{
	char detail[REPORT_DETAIL_LEN];
	struct str s = STR_ON(detail);

	if (f->match != MATCH_MOVED)
		return;
	pci_address_add(&s, f->configured);
	str_add(&s, " is now at ");
	pci_address_add(&s, f->address);
	str_add(&s, ", path ");
	pci_path_add(&s, &f->path);
	str_add(&s, "; bring the configuration up to date");
	report_unwarn(report, MOVED, f->configured);
	report_warn(report, MOVED, detail);
}

/* A whole claim was read back already; what was not begun is as it was scanned. */
void start_read_back(struct start *start)
{
	struct report *report = &start->state->report;
	const struct act_log *log = &start->state->log;

	for (unsigned c = 0; c < report->n_claims; c++)
		for (unsigned i = 0; i < report->claims[c].n; i++) {
			struct report_function *f =
				&report->functions[report->claims[c].first + i];

			if (!f->found)
				continue;
			if (report->claims[c].outcome == OUTCOME_CLAIMED)
				str_copy(f->driver, sizeof(f->driver), "vfio-pci");
			else if (log->n &&
				 driver_current(start->root, f->address, f->driver) < 0)
				f->driver[0] = '\0';
		}
}

void start_list_displays(struct start_state *state, const struct machine *m)
{
	state->n_displays = 0;
	for (size_t i = 0; i < m->list.n; i++) {
		const struct pci_function *f = &m->list.functions[i];
		struct report_display *d = &state->displays[state->n_displays];

		if (!f->known || !display_can_show(&f->ids) ||
		    state->n_displays == REPORT_MAX_DISPLAYS)
			continue;
		d->address = f->address;
		str_copy(d->driver, sizeof(d->driver), f->driver);
		state->n_displays++;
	}
}

static const char *driver_now(const struct report *report, const struct report_display *d)
{
	for (unsigned i = 0; i < report->n_functions; i++)
		if (report->functions[i].found &&
		    pci_address_compare(report->functions[i].address, d->address) == 0)
			return report->functions[i].driver;
	return d->driver;
}

void start_report_displays(struct start_state *state)
{
	struct report *report = &state->report;

	report->n_displays = 0;
	for (unsigned i = 0; i < state->n_displays; i++) {
		const char *driver = driver_now(report, &state->displays[i]);
		struct report_display *d = &report->displays[report->n_displays];

		if (driver_vfio_accepts(driver))
			continue;
		d->address = state->displays[i].address;
		str_copy(d->driver, sizeof(d->driver), driver);
		report->n_displays++;
	}
}

void start_warn_uncounted(struct start_state *state)
{
	char detail[REPORT_DETAIL_LEN];
	struct str s = STR_ON(detail);

	str_join(&s, "this boot is not counted: ", state->uncounted, NULL);
	report_warn(&state->report, reason_name(REASON_RECORD_UNAVAILABLE), detail);
}

void start_warn_settings(struct start_state *state)
{
	struct tune_notes *notes = &state->log.notes;
	char code[32];

	for (unsigned i = 0; i < notes->n; i++) {
		struct str s = STR_ON(code);

		str_join(&s, setting_name(notes->notes[i].key), "-refused", NULL);
		report_warn(&state->report, code, notes->notes[i].text);
	}
	notes->n = 0;
}
