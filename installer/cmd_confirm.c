/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim confirm: this boot is good, or what it claimed goes back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "boot.h"
#include "health.h"
#include "keep.h"
#include "notice.h"
#include "release.h"
#include "resume.h"
#include "text.h"
#include "turn.h"

static struct {
	unsigned wait_s;
	bool trial;
	bool retry;
	bool resume;
} chosen;

static struct report boot;
static struct conf conf;

static bool option(int c, const char *value)
{
	uint64_t seconds;

	if (c == 't')
		chosen.trial = true;
	else if (c == 'r')
		chosen.retry = true;
	else if (c == 's')
		chosen.resume = true;
	else if (!str_take_uint(&value, 3600, &seconds) || *value)
		return false;
	else
		chosen.wait_s = (unsigned)seconds;
	return true;
}

static int finish(const struct context *context, enum verdict verdict, const char *detail,
		  int status)
{
	return answer(context, verdict_name(verdict), detail, status);
}

static int save(struct context *context, enum verdict verdict, const char *detail)
{
	struct confirmation c = { .verdict = verdict };
	int r;

	if (context->dry_run)
		return 0;
	str_copy(c.detail, sizeof(c.detail), detail);
	r = boot_save_confirmation(&context->root, &c);
	if (r < 0)
		fprintf(stderr, "vfio-claim: /" CONFIRM_PATH " cannot be written: %s\n",
			str_errno(r));
	return r;
}

typedef void change_fn(struct record_table *table, uint64_t fingerprint);

/* Mounts for reading first: what stands there already is not written again. */
static int change_record(struct context *context, const struct record *where,
			 change_fn *change, bool damaged_too)
{
	struct record_table table, before;
	struct store store;
	bool damaged;
	int r;

	r = keep_open(&context->root, where, false, &store);
	if (r < 0)
		return r;
	r = store_read(&store, &before);
	store_finish(&store);
	damaged = r == -EBADMSG && damaged_too;
	if (damaged)
		before = (struct record_table){ 0 };
	else if (r < 0)
		return r;
	table = before;
	change(&table, where->fingerprint);
	if (context->dry_run || (!damaged && record_equal(&before, &table)))
		return 0;
	r = keep_open(&context->root, where, true, &store);
	if (r < 0)
		return r;
	r = store_write(&store, &table);
	store_finish(&store);
	return r;
}

static void forget_attempts(struct record_table *table, uint64_t fingerprint)
{
	(void)fingerprint;
	for (struct record_slot *s = table->slots; s < table->slots + RECORD_SLOTS; s++)
		if (!s->confirmed)
			*s = (struct record_slot){ 0 };
}

static int record_failed(struct str *s, const struct record *where, int r)
{
	str_add(s, "the record (");
	keep_describe(s, where);
	str_join(s, ") cannot be written: ",
		 r == -EBADMSG ? "it is damaged; \"vfio-claim confirm --retry\" starts a "
				 "new one"
			       : str_errno(r),
		 NULL);
	return EXIT_REFUSED;
}

static int retry(struct context *context)
{
	char text[512];
	struct str s = STR_ON(text);
	struct record where;
	int r;

	keep_locate(&context->root, &conf, &boot.record, &where);
	if (where.kind == RECORD_NONE) {
		str_add(&s,
			_("boots are not counted here: there is no record to change"));
		return finish(context, VERDICT_NONE, text, EXIT_REFUSED);
	}
	r = change_record(context, &where, forget_attempts, true);
	if (r < 0)
		return finish(context, VERDICT_NONE, text, record_failed(&s, &where, r));
	if (!context->dry_run)
		notice_clear(&context->root);
	str_add(&s, context->dry_run ? "would forget the failed attempts"
				     : "the failed attempts are forgotten; the next boot "
				       "tries the claim again");
	return finish(context, VERDICT_NONE, text, EXIT_DONE);
}

/* vfio-claim-early event writes another when something comes or goes. */
static void look_anew(struct context *context)
{
	static struct report now;

	if (boot_load(&context->root, &now) == 0)
		boot = now;
}

/* Nothing was claimed: why, and whether that is what the owner asked for. */
static int nothing_claimed(struct context *context)
{
	const bool asked = boot.reason == REASON_OFF || boot.reason == REASON_DRY_RUN ||
			   boot_only_awaits(&boot);
	char text[1024];
	struct str s = STR_ON(text);

	str_join(&s, "nothing was claimed in this boot: ", reason_name(boot.reason), ": ",
		 boot.detail, NULL);
	if (asked)
		return finish(context, VERDICT_NONE, text, EXIT_DONE);
	if (!context->dry_run)
		notice_post(&context->root, text);
	return context->json ? finish(context, VERDICT_NONE, text, EXIT_REFUSED)
			     : EXIT_REFUSED;
}

static int give_back(struct context *context, const char *why)
{
	enum verdict verdict;
	char text[1024];
	struct str s = STR_ON(text);

	str_join(&s, why, ": ", NULL);
	if (context->dry_run) {
		str_add(&s, _("would give everything back to the host"));
		return finish(context, VERDICT_RELEASED, text, EXIT_REFUSED);
	}
	/* first: a machine that dies now must not claim for ever */
	if (boot.record.kind != RECORD_NONE)
		(void)change_record(context, &boot.record, record_revoke, false);
	look_anew(context);
	verdict = release_all(&context->root, &boot, &s);
	(void)save(context, verdict, text);
	str_add(&s, _("; \"vfio-claim status\" says what the next boot will do"));
	notice_post(&context->root, text);
	return context->json ? finish(context, verdict, text, EXIT_REFUSED)
			     : EXIT_REFUSED;
}

typedef bool check_fn(struct fs *root, const struct report *report, bool require_display,
		      struct str *why);

static bool passes(struct context *context, check_fn *check, struct str *why)
{
	const struct timespec pause = { .tv_sec = 1 };
	char text[512];
	bool good;

	for (unsigned waited = 0;; waited++) {
		struct str s = STR_ON(text);

		good = check(&context->root, &boot, conf.require_display, &s);
		if (good || waited >= chosen.wait_s)
			break;
		if (waited == 2)
			fprintf(stderr, _("vfio-claim: waiting up to %u s: %s\n"),
				chosen.wait_s, text);
		nanosleep(&pause, NULL);
		look_anew(context);
	}
	str_add(why, text);
	return good;
}

static int confirm(struct context *context)
{
	char text[512];
	struct str s = STR_ON(text);
	int r = 0;

	if (!passes(context, health_check, &s))
		return give_back(context, text);
	s = STR_ON(text);
	if (boot.record.kind != RECORD_NONE)
		r = change_record(context, &boot.record, record_confirm, false);
	if (r < 0)
		return finish(context, VERDICT_NONE, text,
			      record_failed(&s, &boot.record, r));
	if (context->dry_run)
		str_add(&s, _("would confirm this boot: it is good"));
	else if (boot.record.kind == RECORD_NONE)
		str_add(&s, _("this boot is good; boots are not counted here"));
	else
		str_add(&s,
			_("this boot is confirmed: until the kernel, the configuration "
			  "or the devices change it is claimed without being counted"));
	(void)save(context, VERDICT_CONFIRMED, text);
	if (!context->dry_run)
		notice_clear(&context->root);
	return finish(context, VERDICT_CONFIRMED, text, EXIT_DONE);
}

static int judge(struct context *context)
{
	struct confirmation before;
	char text[640];
	struct str s = STR_ON(text);

	look_anew(context);
	boot_load_confirmation(&context->root, &before);
	if (before.verdict == VERDICT_RELEASED || before.verdict == VERDICT_FAILED) {
		str_join(&s, "there is nothing to confirm any more: ", before.detail,
			 NULL);
		return finish(context, before.verdict, text, EXIT_REFUSED);
	}
	if (boot.outcome == OUTCOME_HELD)
		return give_back(context, "early boot held the functions and never "
					  "settled what becomes of them");
	if (boot.outcome == OUTCOME_KEPT)
		return nothing_claimed(context);
	return confirm(context);
}

/* After the machine slept. */
static int look_again(struct context *context)
{
	const enum outcome outcome = resume_applies(&context->root, &boot);
	struct resume before, now = { .known = true };
	char text[512];
	struct str s = STR_ON(text);

	if (outcome == OUTCOME_HELD)
		return answer(context, "nothing",
			      _("nothing is claimed now, but functions are held; "
				"\"vfio-claim confirm\" gives them back"),
			      EXIT_DONE);
	if (outcome == OUTCOME_KEPT)
		return answer(context, "nothing", _("nothing is claimed now"), EXIT_DONE);
	now.holds = passes(context, resume_check, &s);
	if (now.holds)
		str_add(&s, _("the claim holds after the machine slept"));
	else
		str_add(&s,
			_("; found when the machine woke up, nothing was changed; "
			  "\"vfio-claim claim NAME\" takes a claim again, or reboot"));
	resume_load(&context->root, &before);
	str_copy(now.detail, sizeof(now.detail), text);
	if (!context->dry_run) {
		if (resume_save(&context->root, &now) < 0)
			fprintf(stderr, _("vfio-claim: /%s cannot be written\n"),
				RESUME_PATH);
		if (!now.holds)
			notice_post(&context->root, text);
		else if (before.known && !before.holds)
			notice_clear(&context->root);
	}
	if (now.holds || context->json || context->dry_run)
		return answer(context, now.holds ? "holds" : "lost", text,
			      now.holds ? EXIT_DONE : EXIT_REFUSED);
	return EXIT_REFUSED;
}

/* Seconds since power-on, sleep included. */
static long uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static bool is_confirmed(struct context *context)
{
	struct confirmation c;

	boot_load_confirmation(&context->root, &c);
	return c.verdict == VERDICT_CONFIRMED || c.verdict == VERDICT_RELEASED;
}

/* Waits for somebody else's confirmation. True if it did not come. */
static bool trial_fails(struct context *context)
{
	const long end = (long)conf.trial_minutes * 60;
	const struct timespec pause = { .tv_sec = 2 };
	struct fs *root = &context->root;

	if (boot.outcome == OUTCOME_KEPT || boot.record.confirmed)
		return false;
	if (context->dry_run)
		return !is_confirmed(context);
	(void)!root->ops->replace(root, TRIAL_PATH, "", 0, FS_QUICK);
	while (uptime() < end && !is_confirmed(context))
		nanosleep(&pause, NULL);
	(void)!root->ops->remove(root, TRIAL_PATH);
	return !is_confirmed(context);
}

static int end_trial(struct context *context)
{
	char text[128];
	struct str s = STR_ON(text);

	if (is_confirmed(context))
		return EXIT_DONE;
	str_add(&s, _("this boot was not confirmed within "));
	str_add_uint(&s, conf.trial_minutes);
	str_add(&s, conf.trial_minutes == 1 ? " minute" : " minutes");
	return give_back(context, text);
}

static void load_conf(struct context *context)
{
	struct conf_error err;

	if (conf_load(&context->root, CONF_PATH, &conf, &err) == 0)
		return;
	/* the strictest: early boot has judged by the copy in its image */
	conf = (struct conf){ .require_display = true, .trial_minutes = 10 };
	fprintf(stderr,
		"vfio-claim: /" CONF_PATH " cannot be used (%s); taking the defaults\n",
		err.text);
}

static int run(struct context *context)
{
	char text[256];
	struct str s = STR_ON(text);
	int turn = -EPERM, r;

	if (!context->root.captured && geteuid() != 0 && !context->dry_run) {
		str_add(&s, _("only root may do that"));
		return finish(context, VERDICT_NONE, text, EXIT_REFUSED);
	}
	load_conf(context);
	r = boot_load(&context->root, &boot);
	if (chosen.retry)
		return retry(context);
	if (r < 0) {
		str_join(&s, "/" REPORT_PATH ": ",
			 r == -ENOENT ? "early boot left no report; is vfio-claim in the "
					"initramfs?"
				      : str_errno(r),
			 NULL);
		return finish(context, VERDICT_NONE, text, EXIT_REFUSED);
	}
	if (chosen.resume)
		return look_again(context);
	if (chosen.trial && !trial_fails(context))
		return EXIT_DONE;
	if (!context->root.captured && !context->dry_run)
		turn = turn_take(&context->root, true);
	r = chosen.trial ? end_trial(context) : judge(context);
	if (turn >= 0)
		close(turn);
	return r;
}

static const struct option options[] = {
	{ "wait", required_argument, NULL, 'w' }, { "trial", no_argument, NULL, 't' },
	{ "retry", no_argument, NULL, 'r' },	  { "resume", no_argument, NULL, 's' },
	{ "dry-run", no_argument, NULL, 'N' },	  COMMON_OPTIONS,
};

const struct command cmd_confirm = {
	.name = "confirm",
	.summary = N_("Marks this boot good, or gives back what it claimed"),
	.help = N_(
		"A boot is good while the claim holds and, with require-display = yes, the\n"
		"host has a display. A service runs this once the system is up.\n\n"
		"  --wait SECONDS  give the display that long to come (default 0)\n"
		"  --trial         wait for the end of the trial (trial-timeout) and give\n"
		"                  everything back unless the boot was confirmed\n"
		"  --retry         forget failed attempts: the next boot tries again\n"
		"  --resume        after the machine slept: only look whether the claim holds,\n"
		"                  and say so; nothing is given back\n"
		"  --dry-run       only say what would be done\n"),
	.options = options,
	.option = option,
	.run = run,
};
