/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start.h"

#include <errno.h>

#include "count.h"
#include "driver.h"
#include "kargs.h"
#include "start_report.h"
#include "state.h"

#define CMDLINE_MAX (16 * 1024)

static void read_choice(struct start *start, struct kargs_choice *ret)
{
	char cmdline[CMDLINE_MAX];
	struct str s;
	int r;

	if (start->cmdline)
		r = fs_read_file(start->here, start->cmdline, cmdline, sizeof(cmdline),
				 NULL);
	else
		r = fs_read_text(start->root, "proc/cmdline", cmdline, sizeof(cmdline));
	/* a captured machine may have been captured without it */
	if (r == -ENOENT && start->root->captured && !start->cmdline)
		r = cmdline[0] = '\0';
	if (r == 0) {
		kargs_choose(cmdline, ret);
		return;
	}
	/* it may say off */
	*ret = (struct kargs_choice){ .mode = KARGS_OFF };
	s = STR_ON(ret->detail);
	str_join(&s, "the kernel command line cannot be read: ", str_errno(r), NULL);
}

static int load_conf(struct start *start, struct conf *conf)
{
	const char *path = start->config ? start->config : "/" CONF_PATH;
	struct report *report = &start->state->report;
	struct conf_error err = { 0 };
	struct str s;
	int r;

	if (start->config)
		r = conf_load(start->here, start->config, conf, &err);
	else
		r = conf_load(start->root, CONF_PATH, conf, &err);
	if (r == 0)
		return 0;
	report->reason = REASON_CONFIG_ERROR;
	s = STR_ON(report->detail);
	str_add(&s, path);
	if (err.line) {
		str_add_char(&s, ':');
		str_add_uint(&s, err.line);
	}
	str_join(&s, ": ", err.text, NULL);
	return r;
}

static struct str detail_of(struct plan_claim *claim)
{
	return (struct str){ claim->detail, sizeof(claim->detail), strlen(claim->detail),
			     false };
}

static void act_on(struct start *start, struct plan_claim *claim)
{
	struct act_log *log = &start->state->log;
	struct str detail = detail_of(claim);

	claim->reason = (start->state->hold ? act_hold : act_bind)(
		start->root, &start->loader, log, claim->conf->first, &detail);
}

static void take_back(struct start *start, struct plan_claim *claim)
{
	struct str detail = detail_of(claim);

	if (!act_release(start->root, &start->loader, &start->state->log,
			 claim->conf->first, &detail))
		claim->reason = REASON_BIND_FAILED;
}

static void act(struct start *start, const struct machine *m, struct plan *plan)
{
	struct start_state *state = start->state;
	enum reason reason = REASON_NONE;
	char text[PLAN_DETAIL_LEN];
	struct str detail = STR_ON(text);
	bool again;

	if (!state->hold)
		reason = act_prepare(start->root, &start->loader, &state->log, &detail);
	for (unsigned i = 0; i < plan->n_claims; i++) {
		struct plan_claim *claim = &plan->claims[i];
		struct str s = detail_of(claim);

		if (claim->reason != REASON_NONE)
			continue;
		claim->reason = reason;
		if (reason == REASON_NONE)
			act_on(start, claim);
		else
			str_add(&s, text);
		start_report_claim(state, claim, &state->report.claims[i]);
	}
	/* what could not be claimed may make another claim's group unviable */
	do {
		again = false;
		for (unsigned i = 0; i < plan->n_claims; i++) {
			struct plan_claim *claim = &plan->claims[i];

			if (claim->reason != REASON_NONE ||
			    plan_check_groups(m, plan, claim))
				continue;
			take_back(start, claim);
			start_report_claim(state, claim, &state->report.claims[i]);
			again = true;
		}
	} while (again);
}

static void refuse_dry(struct plan *plan)
{
	for (unsigned i = 0; i < plan->n_claims; i++)
		if (plan->claims[i].reason == REASON_NONE) {
			plan->claims[i].reason = REASON_DRY_RUN;
			str_copy(plan->claims[i].detail, PLAN_DETAIL_LEN,
				 "it would have been claimed");
		}
}

/* What is held is of no use to anybody who does not know it. */
static void release_held(struct start *start, int error)
{
	struct report *report = &start->state->report;

	for (unsigned i = 0; i < report->n_claims; i++) {
		struct report_claim *c = &report->claims[i];
		struct str s = STR_ON(c->detail);

		if (c->outcome != OUTCOME_HELD)
			continue;
		c->outcome = OUTCOME_KEPT;
		str_join(&s, "/" STATE_PATH " cannot be written: ", str_errno(error),
			 NULL);
		(void)!act_release(start->root, &start->loader, &start->state->log,
				   c->first, &s);
	}
	start_read_back(start);
}

bool start_awaits(struct start_state *state)
{
	bool any = false;

	for (unsigned i = 0; i < state->report.n_claims; i++) {
		const struct report_claim *c = &state->report.claims[i];

		if (c->outcome == OUTCOME_KEPT && c->reason != REASON_DEVICE_ABSENT)
			state->awaits[i] = false;
		any |= state->awaits[i];
	}
	return any;
}

static bool await(struct start *start)
{
	struct start_state *state = start->state;
	const struct conf *conf = &start->work->conf;

	if (start->work->choice.mode != KARGS_ON || state->report.reason != REASON_NONE)
		return false;
	for (unsigned i = 0; i < conf->n_claims; i++)
		for (unsigned k = 0; k < conf->claims[i].n; k++)
			state->awaits[i] |=
				conf->functions[conf->claims[i].first + k].optional;
	if (!start_awaits(state))
		return false;
	state->words = start_words(start);
	/* the file that switches all off is for what comes late, too */
	count_list_partitions(start);
	state->settled = !state->n_partitions;
	return true;
}

static void mark_model(struct start *start, const struct pci_ids *ids)
{
	char path[sizeof(REPORT_AWAITED_MODEL "VVVV:DDDD")];
	struct str s = STR_ON(path);

	str_add(&s, REPORT_AWAITED_MODEL);
	str_add_hex(&s, ids->vendor, 4);
	str_add_char(&s, ':');
	str_add_hex(&s, ids->device, 4);
	for (char *c = path + strlen(REPORT_AWAITED_MODEL); *c; c++)
		if (*c >= 'a')
			*c = (char)(*c - 'a' + 'A');
	(void)!start->root->ops->replace(start->root, path, "", 0, FS_QUICK);
}

/* The models are there before udev asks for them. */
static void mark_awaited(struct start *start)
{
	const struct conf *conf = &start->work->conf;

	for (unsigned i = 0; i < conf->n_claims; i++)
		for (unsigned k = 0; start->state->awaits[i] && k < conf->claims[i].n;
		     k++)
			mark_model(
				start,
				&conf->functions[conf->claims[i].first + k].identity.ids);
	(void)!start->root->ops->replace(start->root, REPORT_AWAITED_PATH, "", 0,
					 FS_QUICK);
}

/*
 * Settle decides about what is held, and may have to give back what is claimed; event
 * takes what comes late.
 */
static void hand_over(struct start *start)
{
	struct start_state *state = start->state;
	bool touched = false, awaited = await(start);
	int r;

	for (unsigned i = 0; i < state->report.n_claims; i++)
		touched |= state->report.claims[i].outcome != OUTCOME_KEPT;
	if (!awaited && (!touched || !state->n_partitions))
		return;
	r = state_save(start->root, state);
	if (r < 0)
		release_held(start, r);
	else if (awaited)
		mark_awaited(start);
}

/* What is to be claimed, as far as that is known: vfio-pci is loaded for all of it. */
static void begin(struct start *start)
{
	struct act_log *log = &start->state->log;
	struct start_work *w = start->work;

	log->n = 0;
	for (unsigned i = 0; i < w->plan.n_claims; i++)
		if (w->plan.claims[i].reason == REASON_NONE)
			act_begin(&w->machine, &w->plan.claims[i], log);
}

static void claim(struct start *start)
{
	struct report *report = &start->state->report;
	struct start_work *w = start->work;
	const bool look = w->choice.mode == KARGS_ON || w->choice.mode == KARGS_DRY_RUN;
	struct str s;
	int r = 0;

	if (look)
		r = machine_inspect(start->root, &w->conf, start->release, &w->machine);
	if (r < 0) {
		report->reason = REASON_DEVICE_ABSENT;
		s = STR_ON(report->detail);
		str_join(&s, "the PCI functions cannot be listed: ", str_errno(r), NULL);
		return;
	}
	plan_make(&w->conf, &w->choice, &w->machine, &w->plan);
	begin(start);
	if (plan_claims(&w->plan))
		count_start(start);
	if (w->choice.mode == KARGS_DRY_RUN)
		refuse_dry(&w->plan);
	start_report_plan(start, &w->machine, &w->plan);
	for (unsigned i = 0; i < report->n_functions; i++)
		start_warn_of_move(report, &report->functions[i]);
	if (w->plan.uncounted)
		start_warn_uncounted(start->state);
	begin(start);
	if (plan_claims(&w->plan))
		act(start, &w->machine, &w->plan);
	start_warn_settings(start->state);
	start_read_back(start);
	start_list_displays(start->state, &w->machine);
	start_report_displays(start->state);
	hand_over(start);
}

int start_read(struct start *start)
{
	read_choice(start, &start->work->choice);
	return load_conf(start, &start->work->conf);
}

uint64_t start_words(const struct start *start)
{
	const struct start_work *w = start->work;
	uint64_t hash =
		record_hash(RECORD_HASH_START, w->conf.text, strlen(w->conf.text) + 1);

	return record_hash(hash, w->choice.names, strlen(w->choice.names));
}

void start_run(struct start *start)
{
	struct report *report = &start->state->report;
	struct start_work *w = start->work;
	int r = start_read(start);

	/* off works whatever else is broken */
	if (r < 0 && w->choice.mode == KARGS_OFF) {
		report->reason = REASON_OFF;
		str_copy(report->detail, sizeof(report->detail), w->choice.detail);
	} else if (r == 0) {
		claim(start);
	}
	report_summarise(report);
}

void start_finish(struct start *start)
{
	machine_finish(&start->work->machine);
}

static bool share_group(const struct report *report, const struct report_claim *a,
			const struct report_claim *b)
{
	const struct report_function *f = report->functions;

	for (unsigned i = a->first; i < a->first + a->n; i++)
		for (unsigned k = b->first; k < b->first + b->n; k++)
			if (f[i].group >= 0 && f[i].group == f[k].group)
				return true;
	return false;
}

static bool refuse_one_shared(struct report *report)
{
	struct report_claim *c, *lost, *end = report->claims + report->n_claims;

	for (lost = report->claims; lost < end; lost++)
		for (c = report->claims; lost->outcome == OUTCOME_KEPT && c < end; c++)
			if (c->outcome == OUTCOME_CLAIMED &&
			    share_group(report, c, lost)) {
				c->outcome = OUTCOME_KEPT;
				c->reason = REASON_GROUP_NOT_VIABLE;
				str_copy(c->detail, sizeof(c->detail),
					 "another claim of its group was not finished");
				return true;
			}
	return false;
}

void start_undo_halves(struct start *start, struct str *lost)
{
	struct report *report = &start->state->report;

	while (refuse_one_shared(report))
		;
	/* the report decides: a claim may be whole without having been reported */
	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].outcome != OUTCOME_CLAIMED)
			act_open(&start->state->log, report->claims[i].first);
	(void)!act_undo(start->root, &start->loader, &start->state->log, lost);
}

void start_recover(struct start *start)
{
	struct report *report = &start->state->report;
	struct str lost = STR_ON(report->detail);

	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].outcome == OUTCOME_HELD) {
			report->claims[i].outcome = OUTCOME_KEPT;
			report->claims[i].reason = REASON_DEADLINE;
		}
	start_undo_halves(start, &lost);
	start_read_back(start);
}
