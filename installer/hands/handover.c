/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "handover.h"

#include <errno.h>
#include <sys/mman.h>

#include "act.h"
#include "boot.h"
#include "changed.h"
#include "driver.h"
#include "host_users.h"
#include "now.h"
#include "release.h"
#include "run.h"
#include "text.h"
#include "turn.h"
#include "worker.h"

#define DEADLINE_MS 10000
#define RECOVER_MS 2000

/* What a worker leaves behind. */
struct shared {
	struct act_log log;
	struct holders holders; /* who came in between: nothing was done */
	bool undone; /* recover() has put everything back */
	enum reason reason;
	char detail[REPORT_DETAIL_LEN];
};

struct job {
	struct fs *root;
	struct shared *shared;
	struct module_loader loader;
	const struct plan_claim *claim;
};

const char *handover_name(enum handover result)
{
	static const char *const names[] = {
		[HANDOVER_DONE] = "done",     [HANDOVER_NOTHING] = "nothing",
		[HANDOVER_IN_USE] = "in-use", [HANDOVER_REFUSED] = "refused",
		[HANDOVER_FAILED] = "failed", [HANDOVER_INTERRUPTED] = "interrupted",
	};

	return names[result];
}

static struct conf conf;
static struct machine machine;
static struct plan plan;

static int load_with_modprobe(struct module_loader *loader, const char *name)
{
	const bool vfio = str_equal(name, "vfio-pci");
	char modprobe[] = "modprobe", end[] = "--", module[64];
	char *argv[3 + ARRAY_SIZE(loader->parameters)] = { modprobe, end, module };

	str_copy(module, sizeof(module), name);
	for (size_t i = 0; vfio && loader->parameters[i]; i++)
		argv[3 + i] = (char *)loader->parameters[i];
	return run_program(argv, _("load a module")) == 0 ? 0 : -ENOENT;
}

static void find_holders(struct fs *root, const struct plan_claim *claim,
			 struct holders *ret)
{
	const struct machine_function *f = plan_functions(&machine, claim);
	static struct pci_address addresses[CONF_MAX_FUNCTIONS];
	size_t n = 0;

	for (unsigned i = 0; i < claim->conf->n; i++)
		if (machine_function_found(&f[i]))
			addresses[n++] = f[i].found.function.address;
	*ret = (struct holders){ .n = 0 };
	host_users_find(root, addresses, n, ret);
}

/* Whether nobody may be disturbed; in doubt somebody is. */
static bool held(const struct holders *holders)
{
	return holders->n || holders->unseen;
}

static void take(void *arg)
{
	struct job *job = arg;
	struct shared *shared = job->shared;
	struct str detail = STR_ON(shared->detail);

	turn_let_in();
	shared->reason = act_prepare(job->root, &job->loader, &shared->log, &detail);
	if (shared->reason != REASON_NONE)
		return;
	/* loading takes a while */
	find_holders(job->root, job->claim, &shared->holders);
	if (!held(&shared->holders))
		shared->reason = act_bind(job->root, &job->loader, &shared->log,
					  job->claim->conf->first, &detail);
}

static void recover(void *arg)
{
	struct job *job = arg;
	struct str lost = STR_ON(job->shared->detail);

	turn_let_in();
	job->shared->undone = act_undo(job->root, &job->loader, &job->shared->log, &lost);
}

/* Whose each function is after all. */
static void say_drivers(struct fs *root, const struct plan_claim *claim, struct str *what)
{
	const struct machine_function *f = plan_functions(&machine, claim);
	char driver[PCI_DRIVER_LEN];

	for (unsigned i = 0; i < claim->conf->n; i++) {
		const struct pci_function *found = &f[i].found.function;

		if (!machine_function_found(&f[i]))
			continue;
		str_add(what, "; ");
		pci_address_add(what, found->address);
		if (driver_current(root, found->address, driver) < 0)
			driver[0] = '\0';
		if (str_equal(driver, found->driver))
			str_add(what, _(" is as it was"));
		else
			str_join(what, _(" is on "), *driver ? driver : _("no driver"),
				 NULL);
		if (!*driver && found->driver[0])
			str_join(what, _(" (before: "), found->driver,
				 _("); load that, or reboot"), NULL);
	}
}

static enum handover take_bounded(struct job *job, struct str *what)
{
	struct shared *shared = job->shared;
	const enum worker_end end = worker_run(take, job, DEADLINE_MS);

	if (end == WORKER_DONE) {
		if (shared->reason == REASON_NONE)
			return held(&shared->holders) ? HANDOVER_IN_USE : HANDOVER_DONE;
		str_join(what, reason_name(shared->reason), ": ", shared->detail, NULL);
		say_drivers(job->root, job->claim, what);
		return HANDOVER_FAILED;
	}
	str_join(what,
		 end == WORKER_LATE ? _("no end after 10 s, at: ")
				    : _("it ended unexpectedly, at: "),
		 shared->log.step, NULL);
	shared->detail[0] = '\0';
	if (worker_run(recover, job, RECOVER_MS) != WORKER_DONE) {
		str_add(what, _("; that could not be taken back: reboot"));
		return HANDOVER_FAILED;
	}
	str_join(what, shared->undone ? _("; it was taken back") : "", shared->detail,
		 NULL);
	if (!shared->undone)
		say_drivers(job->root, job->claim, what);
	return HANDOVER_FAILED;
}

/* Settings that were refused. */
static void add_notes(const struct tune_notes *notes, struct str *what)
{
	for (unsigned i = 0; i < notes->n; i++)
		str_join(what, notes->notes[i].text, "; ", NULL);
}

static enum handover take_claim(struct fs *root, const struct plan_claim *claim,
				struct holders *holders, struct str *what)
{
	struct job job = {
		.root = root,
		.loader = { .load = load_with_modprobe },
		.claim = claim,
	};
	enum handover result;

	job.shared = mmap(NULL, sizeof(*job.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.shared == MAP_FAILED) {
		str_add(what, str_errno(ENOMEM));
		return HANDOVER_FAILED;
	}
	act_begin(&machine, claim, &job.shared->log);
	result = take_bounded(&job, what);
	if (result == HANDOVER_IN_USE)
		*holders = job.shared->holders;
	if (result == HANDOVER_DONE)
		add_notes(&job.shared->log.notes, what);
	munmap(job.shared, sizeof(*job.shared));
	return result;
}

/* False, with why, if that cannot be waited for. */
static bool keep_out(struct fs *root, bool dry_run, struct str *what)
{
	if (dry_run || turn_keep_out(root) != -EBUSY)
		return true;
	str_add(what, _("what was plugged in is being claimed just now; try again"));
	return false;
}

/* ---- what a name stands for */

/* The machine as it is now, with this claim alone. NULL, with why, if there is none. */
static const struct plan_claim *plan_named(const char *name, struct str *what)
{
	const struct conf_claim *claim = now_claim(&conf, name, what);
	static struct kargs_choice choice;

	if (!claim)
		return NULL;
	choice = (struct kargs_choice){ .mode = KARGS_ON };
	str_copy(choice.names, sizeof(choice.names), name);
	plan_make(&conf, &choice, &machine, &plan);
	return &plan.claims[claim - conf.claims];
}

static enum handover in_use(const char *name, const struct holders *holders,
			    struct str *what)
{
	if (holders->n) {
		str_join(what, name, _(" is in use: "), NULL);
		holders_say(holders, what);
		holders_advise(holders, what);
	} else {
		str_add_uint(what, holders->unseen);
		str_add(what, _(" processes cannot be looked at, so nobody knows whether "
				"they use it; run it as root"));
	}
	str_add(what, _("; --when-free waits for it, and the next boot claims it, too"));
	return HANDOVER_IN_USE;
}

static enum handover would_claim(const char *name, const struct holders *holders,
				 struct str *what)
{
	str_join(what, _("would claim "), name, NULL);
	if (holders->unseen) {
		str_add(what, _(", unless one of the "));
		str_add_uint(what, holders->unseen);
		str_add(what, _(" processes uses it that only root can look at"));
	}
	for (unsigned i = 0; i < holders->n_notes; i++)
		str_join(what, "; ", holders->notes[i], NULL);
	return HANDOVER_DONE;
}

static enum handover claim(struct fs *root, const char *name, bool dry_run,
			   struct holders *holders, struct str *what)
{
	const struct plan_claim *named = plan_named(name, what);
	enum handover result;

	if (!named)
		return HANDOVER_REFUSED;
	if (changed_is_taken(plan_functions(&machine, named), named->conf->n)) {
		str_join(what, name, _(" is on vfio-pci already"), NULL);
		return HANDOVER_NOTHING;
	}
	if (named->reason != REASON_NONE) {
		str_join(what, reason_name(named->reason), ": ", named->detail, NULL);
		return HANDOVER_REFUSED;
	}
	find_holders(root, named, holders);
	if (dry_run && !holders->n)
		return would_claim(name, holders, what);
	if (held(holders))
		return in_use(name, holders, what);
	result = take_claim(root, named, holders, what);
	if (result == HANDOVER_IN_USE)
		return in_use(name, holders, what);
	if (result == HANDOVER_DONE) {
		changed_note(root, name, CHANGED_CLAIMED);
		str_join(what, name, _(" is claimed, until the next boot decides anew"),
			 NULL);
	}
	return result;
}

enum handover handover_claim(struct fs *root, const char *name, bool dry_run,
			     struct holders *holders, struct str *what)
{
	enum handover result = HANDOVER_REFUSED;

	*holders = (struct holders){ .n = 0 };
	if (!keep_out(root, dry_run, what))
		return HANDOVER_IN_USE;
	if (now_load(root, &conf, &machine, what)) {
		result = claim(root, name, dry_run, holders, what);
		machine_finish(&machine);
	}
	turn_let_in();
	return result;
}

/* ---- giving it back */

static bool on_vfio(struct fs *root, const struct report *boot,
		    const struct report_claim *claim)
{
	char driver[PCI_DRIVER_LEN];

	for (unsigned i = claim->first; i < claim->first + claim->n; i++)
		if (boot->functions[i].found &&
		    driver_current(root, boot->functions[i].address, driver) == 0 &&
		    str_equal(driver, "vfio-pci"))
			return true;
	return false;
}

static enum handover release(struct fs *root, const char *name, bool dry_run,
			     struct holders *holders, struct str *what)
{
	static struct report boot, now;
	const struct report_claim *claim = &now.claims[0];

	if (boot_load(root, &boot) < 0)
		boot.n_claims = 0;
	if (!now_claimed(root, &boot, name, &now, what))
		return HANDOVER_REFUSED;
	if (!on_vfio(root, &now, claim)) {
		str_join(what, _("the host has "), name, _(" already"), NULL);
		return HANDOVER_NOTHING;
	}
	if (dry_run && !release_held(root, &now, claim, holders, what)) {
		str_join(what, _("would give back "), name, NULL);
		return HANDOVER_DONE;
	}
	if (dry_run)
		return HANDOVER_IN_USE;
	switch (release_claim(root, &now, claim, RELEASE_WHOLE, holders, what)) {
	case VERDICT_RELEASED:
		return HANDOVER_DONE;
	case VERDICT_IN_USE:
		return HANDOVER_IN_USE;
	default:
		return HANDOVER_FAILED;
	}
}

enum handover handover_release(struct fs *root, const char *name, bool dry_run,
			       struct holders *holders, struct str *what)
{
	enum handover result;

	*holders = (struct holders){ .n = 0 };
	if (!keep_out(root, dry_run, what))
		return HANDOVER_IN_USE;
	result = release(root, name, dry_run, holders, what);
	turn_let_in();
	return result;
}
