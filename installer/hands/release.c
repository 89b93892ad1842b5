/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "act.h"
#include "changed.h"
#include "driver.h"
#include "host_users.h"
#include "library.h"
#include "machine.h"
#include "text.h"
#include "turn.h"
#include "users.h"
#include "worker.h"

#define WAIT_MS 5000
#define POLL_MS 100
#define DEADLINE_MS 30000 /* each display may take WAIT_MS */
#define RECOVER_MS 5000

#define CALLS(CALL)                       \
	CALL(kmod_module_new_from_lookup) \
	CALL(kmod_module_unref_list)      \
	CALL(kmod_new)                    \
	CALL(kmod_unref)
LIBRARY_CALLS(calls, CALLS);

struct job {
	struct fs *root;
	const struct conf *conf;
	const struct report *boot;
	const struct report_claim *claim;
	enum release_how how;
	/* what a worker leaves behind */
	struct shared {
		struct act_log log;
		enum verdict verdict;
		bool taken_again;
		char what[768];
	} * shared;
};

/* udev loads what is missing: it knows the blacklists. */
static int load_nothing(struct module_loader *loader, const char *name)
{
	(void)loader;
	(void)name;
	return -EPERM;
}

static bool is_display(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX], class[16];

	pci_device_path(path, sizeof(path), address, "class");
	return fs_read_text(root, path, class, sizeof(class)) == 0 &&
	       str_starts(class, "0x03");
}

/* What the configuration says of a function of this boot, as far as it still does. */
static struct setting wanted(const struct job *job, const struct report_function *f)
{
	const struct conf_claim *c = conf_claim_find(job->conf, job->claim->name);

	for (unsigned i = 0; c && i < c->n; i++) {
		const struct conf_function *line = &job->conf->functions[c->first + i];

		if (!pci_address_compare(line->address, f->configured))
			return setting_merge(&c->setting, &line->setting,
					     is_display(job->root, f->address));
	}
	return (struct setting){ .keys = 0 };
}

/* As when it was plugged in: udev loads the driver that the host has for it. */
static void announce(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), address, "uevent");
	(void)!fs_write_text(root, path, "add");
}

/* False, with that said, if no driver of the host came. */
static bool wait_for_driver(struct fs *root, struct pci_address address, struct str *what)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	char driver[PCI_DRIVER_LEN] = "";

	for (int waited = 0; waited < WAIT_MS; waited += POLL_MS) {
		if (driver_current(root, address, driver) < 0 || driver[0])
			break;
		if (root->captured)
			break;
		nanosleep(&pause, NULL);
	}
	str_add(what, "; ");
	pci_address_add(what, address);
	if (driver[0])
		str_join(what, " is on ", driver, NULL);
	else
		str_add(what, " has no driver of the host");
	return driver[0];
}

/* The modules of the running kernel. */
static int open_modules(struct fs *root)
{
	char path[FS_PATH_MAX], release[MACHINE_RELEASE_LEN];
	struct str s = STR_ON(path);

	machine_release(root, release);
	str_join(&s, "lib/modules/", release, NULL);
	return fs_open(root, path, O_RDONLY | O_DIRECTORY, 0);
}

/*
 * Whether any module of the host says that it drives this, blacklisted or not. Without
 * libkmod, with that said, none does: then the host has it, without a driver.
 */
static bool module_fits(struct fs *root, struct pci_address address, struct str *what)
{
	const char *const no_configuration = NULL;
	char path[FS_PATH_MAX], alias[128], folder[32], text[512];
	struct str why = STR_ON(text);
	struct kmod_list *modules = NULL;
	struct kmod_ctx *kmod;
	bool fits = false;
	int fd;

	pci_device_path(path, sizeof(path), address, "modalias");
	if (fs_read_text(root, path, alias, sizeof(alias)) < 0)
		return false;
	fd = open_modules(root);
	if (fd < 0)
		return false;
	if (library_load(LIBRARY_KMOD, calls, ARRAY_SIZE(calls), &why) < 0) {
		str_join(what, "; ", text, NULL);
		close(fd);
		return false;
	}
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", fd);
	kmod = sym_kmod_new(folder, &no_configuration);
	if (kmod)
		fits = sym_kmod_module_new_from_lookup(kmod, alias, &modules) == 0 &&
		       modules;
	sym_kmod_module_unref_list(modules);
	sym_kmod_unref(kmod);
	close(fd);
	return fits;
}

/* As vfio-pci had it: the same transaction as any claim. False, with why. */
static bool take_again(const struct job *job, struct str *what)
{
	static struct pci_address addresses[CONF_MAX_FUNCTIONS];
	static struct holders holders;
	struct act_log *log = &job->shared->log;
	struct module_loader loader = { .load = load_nothing };

	holders = (struct holders){ .n = 0 };
	log->n = 0;
	for (unsigned i = 0; i < job->claim->n; i++) {
		const struct report_function *f =
			&job->boot->functions[job->claim->first + i];
		struct act_entry *e = &log->entries[log->n];

		if (!f->found)
			continue;
		addresses[log->n++] = f->address;
		*e = (struct act_entry){ .address = f->address, .want = wanted(job, f) };
		if (driver_current(job->root, e->address, e->previous_driver) < 0)
			e->previous_driver[0] = '\0';
	}
	str_add(what, "; ");
	/* some came, and may have been opened */
	host_users_find(job->root, addresses, log->n, &holders);
	if (!holders.n)
		return act_bind(job->root, &loader, log, 0, what) == REASON_NONE;
	holders_say(&holders, what);
	return false;
}

/* After something was left without the driver that the host has for it. */
static enum verdict roll_back(const struct job *job, struct str *what)
{
	if (take_again(job, what))
		str_join(
			what, job->claim->name,
			_(" is on vfio-pci again; load the host's driver (modprobe), and "
			  "release it then"),
			NULL);
	else
		str_add(what,
			_("; the host has it; load its driver (modprobe), or reboot"));
	return VERDICT_FAILED;
}

/* As if it were half claimed, and every function found without a driver of vfio's. */
static void begin(const struct job *job)
{
	struct act_log *log = &job->shared->log;

	log->n = 0;
	for (unsigned i = 0; i < job->claim->n; i++) {
		const struct report_function *f =
			&job->boot->functions[job->claim->first + i];
		struct act_entry *e = &log->entries[log->n];

		if (!f->found)
			continue;
		log->n++;
		*e = (struct act_entry){ .address = f->address,
					 .override_begun = true,
					 .want = wanted(job, f) };
		/* what an old guide gave to vfio-pci before us goes to the host, too */
		if (!driver_vfio_accepts(f->previous_driver))
			str_copy(e->previous_driver, PCI_DRIVER_LEN, f->previous_driver);
	}
}

/* True if every display that the host has a driver for is on it. */
static bool offer_to_host(const struct job *job, struct str *what)
{
	struct act_log *log = &job->shared->log;
	bool missing = false;

	for (unsigned i = 0; i < log->n; i++) {
		act_note(log, "announcing", log->entries[i].address);
		announce(job->root, log->entries[i].address);
	}
	for (unsigned i = 0; i < log->n; i++) {
		const struct act_entry *e = &log->entries[i];

		act_note(log, "waiting for the driver of", e->address);
		if (is_display(job->root, e->address) &&
		    !wait_for_driver(job->root, e->address, what))
			missing = missing || e->previous_driver[0] ||
				  module_fits(job->root, e->address, what);
	}
	return !missing;
}

static enum verdict release(const struct job *job, struct str *what)
{
	struct act_log *log = &job->shared->log;
	struct module_loader loader = { .load = load_nothing };
	char text[512];
	struct str lost = STR_ON(text);

	begin(job);
	for (unsigned i = 0; i < log->n; i++) {
		const struct act_entry *e = &log->entries[i];

		act_note(log, "undoing the settings of", e->address);
		tune_default(job->root, e->address, &e->want, &lost);
	}
	if (!act_undo(job->root, &loader, log, &lost)) {
		str_join(what, job->claim->name, _(" is not the host's as a whole"), text,
			 NULL);
		return job->how == RELEASE_WHOLE ? roll_back(job, what) : VERDICT_FAILED;
	}
	str_join(what, job->claim->name, " was given back", text, NULL);
	if (offer_to_host(job, what) || job->how == RELEASE_SURELY)
		return VERDICT_RELEASED;
	str_add(what,
		_(" (offered to the drivers that are loaded, and to udev for 5 s)"));
	return roll_back(job, what);
}

static void work(void *arg)
{
	struct job *job = arg;
	struct str what = STR_ON(job->shared->what);

	turn_let_in();
	job->shared->verdict = release(job, &what);
}

static void recover(void *arg)
{
	struct job *job = arg;
	struct str what = STR_ON(job->shared->what);
	char override[PCI_DRIVER_LEN];

	turn_let_in();
	/*
	 * Waits for whoever is stuck in a driver, before anything is touched:
	 * driver_override_show() takes the device's lock.
	 */
	for (unsigned i = 0; i < job->claim->n; i++) {
		const struct report_function *f =
			&job->boot->functions[job->claim->first + i];

		if (f->found)
			(void)!driver_override_read(job->root, f->address, override);
	}
	job->shared->taken_again = take_again(job, &what);
}

static enum verdict release_bounded(struct job *job, struct str *what)
{
	struct shared *shared = job->shared;
	const enum worker_end end = worker_run(work, job, DEADLINE_MS);

	if (end == WORKER_DONE) {
		str_add(what, shared->what);
		return shared->verdict;
	}
	str_join(what, job->claim->name, _(" was NOT given back as a whole: "),
		 end == WORKER_LATE ? _("no end after 30 s, at: ")
				    : _("it ended unexpectedly, at: "),
		 shared->log.step, NULL);
	if (job->how != RELEASE_WHOLE) {
		str_add(what, _("; reboot"));
		return VERDICT_FAILED;
	}
	shared->what[0] = '\0';
	if (worker_run(recover, job, RECOVER_MS) != WORKER_DONE)
		str_add(what, _("; vfio-pci could not get it again: reboot"));
	else if (!shared->taken_again)
		str_join(what, shared->what, _("; reboot"), NULL);
	else
		str_add(what, _("; vfio-pci has all of it again"));
	return VERDICT_FAILED;
}

bool release_held(struct fs *root, const struct report *boot,
		  const struct report_claim *claim, struct holders *ret, struct str *what)
{
	static struct pci_address addresses[CONF_MAX_FUNCTIONS];
	size_t n = 0;

	for (unsigned i = 0; i < claim->n; i++)
		if (boot->functions[claim->first + i].found)
			addresses[n++] = boot->functions[claim->first + i].address;
	*ret = (struct holders){ .n = 0 };
	users_find(root, addresses, n, ret);
	if (!ret->n)
		return false;
	str_join(what, claim->name, _(" is in use: "), NULL);
	holders_say(ret, what);
	holders_advise(ret, what);
	return true;
}

enum verdict release_claim(struct fs *root, const struct report *boot,
			   const struct report_claim *claim, enum release_how how,
			   struct holders *ret, struct str *what)
{
	static struct conf conf;
	struct conf_error error;
	struct job job = {
		.root = root, .conf = &conf, .boot = boot, .claim = claim, .how = how
	};
	enum verdict verdict;

	if (release_held(root, boot, claim, ret, what)) {
		str_join(what, "; ", claim->name, " was NOT given back", NULL);
		return VERDICT_IN_USE;
	}
	/* or it would be claimed again as soon as it is announced */
	(void)!root->ops->remove(root, REPORT_AWAITED_PATH);
	job.shared = mmap(NULL, sizeof(*job.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.shared == MAP_FAILED) {
		str_join(what, claim->name, " was NOT given back: out of memory", NULL);
		return VERDICT_FAILED;
	}
	/* without one nothing is known to have been set */
	if (conf_load(root, CONF_PATH, &conf, &error) < 0)
		conf.n_claims = 0;
	verdict = release_bounded(&job, what);
	munmap(job.shared, sizeof(*job.shared));
	if (verdict == VERDICT_RELEASED)
		changed_note(root, claim->name, CHANGED_RELEASED);
	return verdict;
}

enum verdict release_all(struct fs *root, const struct report *boot, struct str *what)
{
	enum verdict worst = VERDICT_RELEASED, verdict;
	struct holders holders;
	size_t begin;

	/* the host's screen is worth more than what comes late */
	if (turn_keep_out(root) == -EBUSY)
		str_add(what, _("what was plugged in is still being claimed, and may "
				"stay so; "));
	begin = what->len;
	for (unsigned i = 0; i < boot->n_claims; i++) {
		const struct report_claim *claim = &boot->claims[i];

		if (claim->outcome != OUTCOME_CLAIMED && claim->outcome != OUTCOME_HELD)
			continue;
		if (what->len > begin)
			str_add(what, "; ");
		verdict =
			release_claim(root, boot, claim, RELEASE_SURELY, &holders, what);
		if (verdict > worst)
			worst = verdict;
	}
	turn_let_in();
	return worst;
}
