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
#include "machine.h"
#include "text.h"
#include "users.h"
#include "worker.h"

#define WAIT_MS 5000
#define POLL_MS 100
#define DEADLINE_MS 30000 /* each display may take WAIT_MS */

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
static struct setting wanted(struct fs *root, const struct conf *conf,
			     const struct report_claim *claim,
			     const struct report_function *f)
{
	const struct conf_claim *c = conf_claim_find(conf, claim->name);

	for (unsigned i = 0; c && i < c->n; i++) {
		const struct conf_function *line = &conf->functions[c->first + i];

		if (!pci_address_compare(line->address, f->configured))
			return setting_merge(&c->setting, &line->setting,
					     is_display(root, f->address));
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
static bool wait_for_driver(struct fs *root, struct pci_address address,
			    struct str *what)
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

/* Whether any module of the host says that it drives this, blacklisted or not. */
static bool module_fits(struct fs *root, struct pci_address address)
{
	const char *const no_configuration = NULL;
	char path[FS_PATH_MAX], alias[128], folder[32];
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
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", fd);
	kmod = kmod_new(folder, &no_configuration);
	if (kmod)
		fits = kmod_module_new_from_lookup(kmod, alias, &modules) == 0 && modules;
	kmod_module_unref_list(modules);
	kmod_unref(kmod);
	close(fd);
	return fits;
}

/* As vfio-pci had it: the same transaction as any claim. False, with why. */
static bool take_again(struct fs *root, const struct conf *conf,
		       const struct report *boot, const struct report_claim *claim,
		       struct str *what)
{
	static struct pci_address addresses[CONF_MAX_FUNCTIONS];
	static struct holders holders;
	static struct act_log log;
	struct module_loader loader = { .load = load_nothing };

	holders = (struct holders){ .n = 0 };
	log.n = 0;
	for (unsigned i = 0; i < claim->n; i++) {
		const struct report_function *f = &boot->functions[claim->first + i];
		struct act_entry *e = &log.entries[log.n];

		if (!f->found)
			continue;
		addresses[log.n++] = f->address;
		*e = (struct act_entry){ .address = f->address,
					 .want = wanted(root, conf, claim, f) };
		if (driver_current(root, e->address, e->previous_driver) < 0)
			e->previous_driver[0] = '\0';
	}
	str_add(what, "; ");
	/* some came, and may have been opened */
	host_users_find(root, addresses, log.n, &holders);
	if (!holders.n)
		return act_bind(root, &loader, &log, 0, what) == REASON_NONE;
	holders_say(&holders, what);
	return false;
}

/* After something was left without the driver that the host has for it. */
static enum verdict roll_back(struct fs *root, const struct conf *conf,
			      const struct report *boot, const struct report_claim *claim,
			      struct str *what)
{
	if (take_again(root, conf, boot, claim, what))
		str_join(
			what, claim->name,
			_(" is on vfio-pci again; load the host's driver (modprobe), and "
			  "release it then"),
			NULL);
	else
		str_add(what,
			_("; the host has it; load its driver (modprobe), or reboot"));
	return VERDICT_FAILED;
}

/* As if it were half claimed, and every function found without a driver of vfio's. */
static void begin(struct fs *root, const struct conf *conf, const struct report *boot,
		  const struct report_claim *claim, struct act_log *log)
{
	log->n = 0;
	for (unsigned i = 0; i < claim->n; i++) {
		const struct report_function *f = &boot->functions[claim->first + i];
		struct act_entry *e = &log->entries[log->n];

		if (!f->found)
			continue;
		log->n++;
		*e = (struct act_entry){ .address = f->address,
					 .override_begun = true,
					 .want = wanted(root, conf, claim, f) };
		/* what an old guide gave to vfio-pci before us goes to the host, too */
		if (!driver_vfio_accepts(f->previous_driver))
			str_copy(e->previous_driver, PCI_DRIVER_LEN, f->previous_driver);
	}
}

static enum verdict release(struct fs *root, const struct report *boot,
			    const struct report_claim *claim, enum release_how how,
			    struct str *what)
{
	static struct conf conf;
	static struct act_log log;
	struct conf_error error;
	struct module_loader loader = { .load = load_nothing };
	char text[512];
	struct str lost = STR_ON(text);
	bool missing = false;

	/* without one nothing is known to have been set */
	if (conf_load(root, CONF_PATH, &conf, &error) < 0)
		conf.n_claims = 0;
	begin(root, &conf, boot, claim, &log);
	for (unsigned i = 0; i < log.n; i++)
		tune_default(root, log.entries[i].address, &log.entries[i].want, &lost);
	if (!act_undo(root, &loader, &log, &lost)) {
		str_join(what, claim->name, _(" is not the host's as a whole"), text,
			 NULL);
		return how == RELEASE_WHOLE ? roll_back(root, &conf, boot, claim, what)
					    : VERDICT_FAILED;
	}
	str_join(what, claim->name, " was given back", text, NULL);
	for (unsigned i = 0; i < log.n; i++)
		announce(root, log.entries[i].address);
	for (unsigned i = 0; i < log.n; i++) {
		const struct act_entry *e = &log.entries[i];

		if (is_display(root, e->address) &&
		    !wait_for_driver(root, e->address, what))
			missing = missing || e->previous_driver[0] ||
				  module_fits(root, e->address);
	}
	if (!missing || how == RELEASE_SURELY)
		return VERDICT_RELEASED;
	str_add(what,
		_(" (offered to the drivers that are loaded, and to udev for 5 s)"));
	return roll_back(root, &conf, boot, claim, what);
}

struct job {
	struct fs *root;
	const struct report *boot;
	const struct report_claim *claim;
	enum release_how how;
	struct shared {
		enum verdict verdict;
		char what[768];
	} * shared;
};

static void work(void *arg)
{
	struct job *job = arg;
	struct str what = STR_ON(job->shared->what);

	job->shared->verdict = release(job->root, job->boot, job->claim, job->how, &what);
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
	struct job job = { .root = root, .boot = boot, .claim = claim, .how = how };
	enum verdict verdict = VERDICT_FAILED;

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
	if (worker_run(work, &job, DEADLINE_MS) == WORKER_DONE) {
		str_add(what, job.shared->what);
		verdict = job.shared->verdict;
	} else {
		str_join(what, claim->name,
			 " was NOT given back: its driver does not let go; reboot", NULL);
	}
	munmap(job.shared, sizeof(*job.shared));
	if (verdict == VERDICT_RELEASED)
		changed_note(root, claim->name, CHANGED_RELEASED);
	return verdict;
}

enum verdict release_all(struct fs *root, const struct report *boot, struct str *what)
{
	enum verdict worst = VERDICT_RELEASED, verdict;
	const size_t begin = what->len;
	struct holders holders;

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
	return worst;
}
