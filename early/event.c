/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event.h"

#include "count.h"
#include "driver.h"
#include "in_use.h"
#include "say.h"
#include "start_report.h"
#include "state.h"

#define REMOVED "device-removed"
#define KEPT "late-arrival"
#define LOOKS 2

/* In the report, and in the kernel log. */
static void warn(struct start *start, const char *code, struct pci_address address,
		 const char *what, const char *more)
{
	struct report *report = &start->state->report;
	char detail[REPORT_DETAIL_LEN];
	struct str s = STR_ON(detail);

	pci_address_add(&s, address);
	str_join(&s, what, more, NULL);
	for (unsigned i = 0; i < report->n_warnings; i++)
		if (str_equal(report->warnings[i].detail, detail))
			return;
	report_unwarn(report, code, address);
	report_warn(report, code, detail);
	say_line(start->root, 4, detail);
}

static void end_waiting(struct start *start)
{
	(void)!start->root->ops->remove(start->root, REPORT_AWAITED_PATH);
}

/* ---- what went */

static bool has_any(const struct act_log *log, unsigned claim)
{
	for (unsigned i = 0; i < log->n; i++)
		if (log->entries[i].claim == claim)
			return true;
	return false;
}

static void forget(struct start *start, unsigned claim, struct report_function *f)
{
	struct report_claim *c = &start->state->report.claims[claim];
	struct act_log *log = &start->state->log;
	struct str detail;

	f->found = false;
	f->match = MATCH_ABSENT;
	f->group = -1;
	f->driver[0] = f->previous_driver[0] = '\0';
	if (!act_forget(log, start->address))
		return;
	warn(start, REMOVED, start->address, " was removed",
	     start->state->awaits[claim] ? "; it is claimed again when it is back" : "");
	if (has_any(log, c->first))
		return;
	c->outcome = OUTCOME_KEPT;
	c->reason = REASON_DEVICE_ABSENT;
	detail = STR_ON(c->detail);
	pci_address_add(&detail, f->configured);
	str_add(&detail, ": it was removed");
}

/* Nothing is fought: a guest that uses it has lost it. */
static bool see_off(struct start *start)
{
	struct start_state *state = start->state;
	struct report *report = &state->report;
	bool news = false;

	for (unsigned i = 0; i < report->n_claims; i++)
		for (unsigned k = 0; k < report->claims[i].n; k++) {
			struct report_function *f =
				&report->functions[report->claims[i].first + k];

			if (!f->found || pci_address_compare(f->address, start->address))
				continue;
			forget(start, i, f);
			news = true;
		}
	for (unsigned i = 0; news && i < state->n_displays; i++)
		if (!pci_address_compare(state->displays[i].address, start->address))
			state->displays[i] = state->displays[--state->n_displays];
	return news;
}

/* ---- what came */

static bool same_boot(struct start *start)
{
	if (start_read(start) == 0 && start->work->choice.mode == KARGS_ON &&
	    start_words(start) == start->state->words)
		return true;
	say_line(start->root, 4,
		 "late arrivals stay with the host: configuration or command line are "
		 "not those of this boot any more");
	end_waiting(start);
	return false;
}

/* By its ids alone: most of what comes at boot is nobody's, and looking is dear. */
static bool may_be_awaited(struct start *start)
{
	const struct conf *conf = &start->work->conf;
	struct pci_function came;

	if (act_has(&start->state->log, start->address) ||
	    pci_read(start->root, start->address, &came) < 0)
		return false;
	for (unsigned i = 0; i < conf->n_claims; i++) {
		const struct conf_claim *c = &conf->claims[i];

		for (unsigned k = 0; start->state->awaits[i] && k < c->n; k++) {
			const struct pci_ids *ids =
				&conf->functions[c->first + k].identity.ids;

			if (ids->vendor == came.ids.vendor &&
			    ids->device == came.ids.device)
				return true;
		}
	}
	return false;
}

static bool is_new(const struct start *start, const struct machine_function *f)
{
	return machine_function_found(f) &&
	       !act_has(&start->state->log, f->found.function.address);
}

static bool has_new(const struct start *start, const struct plan_claim *claim)
{
	const struct machine_function *f = plan_functions(&start->work->machine, claim);

	for (unsigned i = 0; i < claim->conf->n; i++)
		if (is_new(start, &f[i]))
			return true;
	return false;
}

/*
 * What the boot refused stays refused. Where settle has yet to decide, nothing that comes
 * late may change what becomes of the claims that are held.
 */
static void plan(struct start *start)
{
	const struct record none = { .kind = RECORD_NONE };
	struct start_state *state = start->state;
	struct start_work *w = start->work;
	struct plan_claim *c, *end, *held = NULL;

	plan_make(&w->conf, &w->choice, &w->machine, &w->plan);
	end = w->plan.claims + w->plan.n_claims;
	for (c = w->plan.claims; c < end; c++) {
		const unsigned i = (unsigned)(c - w->plan.claims);

		if (state->report.claims[i].outcome == OUTCOME_HELD && c->reason)
			held = c;
		if (state->report.claims[i].outcome == OUTCOME_KEPT && !state->awaits[i])
			c->reason = REASON_OFF;
	}
	if (!state->hold)
		plan_record(&w->conf, &w->machine, &none, &w->plan);
	else
		count_mark_needs(start);
	for (c = w->plan.claims; held && c < end; c++)
		if (c->reason == REASON_NONE) {
			c->reason = held->reason;
			str_copy(c->detail, sizeof(c->detail), held->detail);
		}
}

/* A driver that was loaded before was faster, and somebody uses the function by now. */
static bool is_used(const struct start *start, struct plan_claim *claim)
{
	const struct machine_function *f = plan_functions(&start->work->machine, claim);

	for (unsigned i = 0; i < claim->conf->n; i++) {
		const struct pci_function *found = &f[i].found.function;
		struct str detail = STR_ON(claim->detail);

		if (!is_new(start, &f[i]) || !found->driver[0] ||
		    driver_vfio_accepts(found->driver) || !in_use(start->root, found))
			continue;
		claim->reason = REASON_UNBIND_FAILED;
		pci_address_add(&detail, found->address);
		str_join(&detail, ": ", found->driver,
			 " has it already, and it is in use; later \"vfio-claim claim ",
			 claim->conf->name, "\" takes it", NULL);
		return true;
	}
	return false;
}

static void act(struct start *start, struct plan_claim *claim)
{
	struct act_log *log = &start->state->log;
	struct str detail = STR_ON(claim->detail);
	const unsigned before = log->n;

	if (!start->state->hold)
		claim->reason = act_prepare(start->root, &start->loader, log, &detail);
	if (claim->reason != REASON_NONE)
		return;
	act_begin(&start->work->machine, claim, log);
	log->plugged = true;
	claim->reason = (start->state->hold ? act_hold : act_bind)(
		start->root, &start->loader, log, claim->conf->first, &detail);
	if (claim->reason != REASON_NONE)
		log->n = before;
}

/* `kept`: the claim is not claimed, and its reason says the rest. */
static void report_new(struct start *start, const struct plan_claim *claim,
		       const struct machine_function *f, bool kept)
{
	struct report *report = &start->state->report;
	struct report_function *ret =
		&report->functions[f - start->work->machine.functions];
	char text[PLAN_DETAIL_LEN + 32];
	struct str s = STR_ON(text);

	report_unwarn(report, REMOVED, ret->address); /* where it was */
	start_report_function(start->root, f, &start->work->machine, ret);
	start_warn_of_move(report, ret);
	if (driver_current(start->root, ret->address, ret->driver) < 0)
		ret->driver[0] = '\0';
	str_join(&s, reason_name(claim->reason), ": ", claim->detail, NULL);
	if (claim->reason == REASON_NONE || kept)
		report_unwarn(report, KEPT, ret->address);
	else
		warn(start, KEPT, ret->address,
		     " came late and stays with the host: ", text);
}

/* True if there was anything new of the claim. */
static bool receive(struct start *start, unsigned i)
{
	struct start_work *w = start->work;
	struct plan_claim *claim = &w->plan.claims[i];
	struct report_claim *c = &start->state->report.claims[i];
	const struct machine_function *f = plan_functions(&w->machine, claim);
	bool new[CONF_MAX_FUNCTIONS];

	if (!start->state->awaits[i] || !has_new(start, claim))
		return false;
	for (unsigned k = 0; k < claim->conf->n; k++)
		new[k] = is_new(start, &f[k]);
	if (claim->reason == REASON_NONE && !is_used(start, claim))
		act(start, claim);
	for (unsigned k = 0; k < claim->conf->n; k++)
		if (new[k])
			report_new(start, claim, &f[k], c->outcome == OUTCOME_KEPT);
	/* a claim that goes without it is whole */
	if (claim->reason == REASON_NONE || c->outcome == OUTCOME_KEPT)
		start_report_claim(start->state, claim, c);
	return true;
}

/* True if a driver was faster than we were: that is to be looked at anew. */
static bool was_overtaken(const struct start *start)
{
	const struct machine *m = &start->work->machine;
	char driver[PCI_DRIVER_LEN];

	for (unsigned i = 0; i < m->n_functions; i++) {
		const struct pci_function *seen = &m->functions[i].found.function;

		if (is_new(start, &m->functions[i]) &&
		    driver_current(start->root, seen->address, driver) == 0 &&
		    !str_equal(driver, seen->driver))
			return true;
	}
	return false;
}

static bool look(struct start *start)
{
	struct start_work *w = start->work;
	bool news = false, again = true;

	for (unsigned looks = 0; again && looks < LOOKS; looks++) {
		if (machine_inspect(start->root, &w->conf, start->release, &w->machine) <
		    0)
			return news;
		plan(start);
		for (unsigned i = 0; i < w->plan.n_claims; i++)
			news |= receive(start, i);
		start_list_displays(start->state, &w->machine);
		again = was_overtaken(start);
		machine_finish(&w->machine);
	}
	return news;
}

static bool welcome(struct start *start)
{
	return same_boot(start) && may_be_awaited(start) && look(start);
}

void event_run(struct start *start)
{
	struct start_state *state = start->state;
	struct fs *root = start->root;
	int r;

	state->nothing_new = true;
	if (!state->words || root->ops->exists(root, REPORT_AWAITED_PATH) < 0)
		return;
	state->report.reason = REASON_NONE;
	state->report.detail[0] = '\0';
	state->nothing_new = !(start->removed ? see_off(start) : welcome(start));
	if (state->nothing_new)
		return;
	start_warn_settings(state);
	r = state_save(root, state);
	if (r < 0) {
		event_recover(start);
		report_warn(&state->report, KEPT, "/" STATE_PATH " cannot be written");
	}
	start_report_displays(state);
	report_summarise(&state->report);
}

void event_recover(struct start *start)
{
	struct start_state *state = start->state;
	char text[REPORT_DETAIL_LEN];
	struct str lost = STR_ON(text);

	for (unsigned i = state->known; i < state->log.n; i++)
		state->log.entries[i].kept = false;
	(void)!act_undo(start->root, &start->loader, &state->log, &lost);
	end_waiting(start);
	/* as if it had not come */
	state->report = *start->before;
	state->report.stage = "event";
	state->report.reason = REASON_NONE;
	str_copy(state->report.detail, sizeof(state->report.detail), text);
}
