/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "driver.h"

#define VFIO_PCI "vfio-pci"
#define HOLD "vfio-claim" /* no driver is called that: nothing takes what is held */
#define TRIES 3 /* of a write that gives something back */
#define PLUG_MS 2000
#define POLL_MS 10

#define for_each_open(e, log, id)                                                      \
	for (struct act_entry *e = (log)->entries; e < (log)->entries + (log)->n; e++) \
		if (e->claim == (id) && !e->kept)

void act_note(struct act_log *log, const char *verb, struct pci_address address)
{
	struct str s = STR_ON(log->step);

	str_join(&s, verb, " ", NULL);
	pci_address_add(&s, address);
}

enum reason act_prepare(struct fs *fs, struct module_loader *loader, struct act_log *log,
			struct str *detail)
{
	struct tune_votes votes = { .on = false };
	struct str s = STR_ON(log->step);
	int r;

	str_add(&s, "loading " VFIO_PCI);
	log->notes.n = 0;
	for (unsigned i = 0; i < log->n; i++)
		tune_vote(&votes, &log->entries[i].want);
	if (driver_present(fs, VFIO_PCI)) {
		tune_check_parameters(fs, &votes, &log->notes);
		return REASON_NONE;
	}
	tune_parameters(&votes, loader);
	r = loader->load(loader, VFIO_PCI);
	if (!driver_present(fs, VFIO_PCI)) {
		str_join(detail, VFIO_PCI " cannot be loaded: ",
			 r < 0 ? str_errno(r) : "it loaded, but its driver is missing",
			 NULL);
		return REASON_MODULE_UNAVAILABLE;
	}
	/* a module option can ask for it */
	if (iommu_unsafe_mode(fs)) {
		str_add(detail, "vfio came up with enable_unsafe_noiommu_mode");
		return REASON_NO_IOMMU_MODE;
	}
	tune_check_parameters(fs, &votes, &log->notes);
	return REASON_NONE;
}

static enum reason failed(struct str *detail, enum reason reason,
			  const struct act_entry *e, const char *what, int r)
{
	pci_address_add(detail, e->address);
	str_join(detail, ": ", what, NULL);
	if (r < 0)
		str_join(detail, ": ", str_errno(r), NULL);
	return reason;
}

static bool bound_elsewhere(const struct act_entry *e)
{
	return e->previous_driver[0] && !str_equal(e->previous_driver, VFIO_PCI);
}

static enum reason override_all(struct fs *fs, struct act_log *log, unsigned claim,
				const char *driver, struct str *detail)
{
	int r;

	for_each_open (e, log, claim) {
		act_note(log, "overriding the driver of", e->address);
		e->override_begun = true;
		r = driver_override_write(fs, e->address, driver);
		if (r < 0)
			return failed(detail, REASON_BIND_FAILED, e,
				      "driver_override cannot be set", r);
	}
	return REASON_NONE;
}

static enum reason unbind_all(struct fs *fs, struct act_log *log, unsigned claim,
			      struct str *detail)
{
	int r;

	for_each_open (e, log, claim) {
		if (bound_elsewhere(e)) {
			act_note(log, "unbinding", e->address);
			r = driver_unbind(fs, e->address, e->previous_driver);
			if (r < 0)
				return failed(detail, REASON_UNBIND_FAILED, e,
					      "its driver does not let go", r);
		}
		/* a host driver may have evicted it since it was seen */
		if (framebuffer_present(fs, &e->framebuffer)) {
			act_note(log, "releasing the firmware framebuffer of",
				 e->address);
			e->release_begun = true;
			r = framebuffer_release(fs, &e->framebuffer);
			if (r < 0)
				return failed(detail, REASON_UNBIND_FAILED, e,
					      "the firmware framebuffer does not let go",
					      r);
		}
	}
	return REASON_NONE;
}

/*
 * A function that is just being plugged in has its uevent before any driver can match it
 * (pci_bus_add_device() sets match_driver).
 */
static int bind(struct fs *fs, const struct act_log *log, const struct act_entry *e)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int r, left = log->plugged ? PLUG_MS : 0;

	while ((r = driver_bind(fs, e->address, VFIO_PCI)) == -ENODEV && left > 0) {
		nanosleep(&pause, NULL);
		left -= POLL_MS;
	}
	return r;
}

/*
 * Until a driver can have it the kernel gives it its resources: what is set before that
 * may be set again. vfio-pci is the driver that proves it.
 */
static void wait_until_added(struct fs *fs, const struct act_log *log,
			     struct act_entry *e)
{
	if (!log->plugged || e->previous_driver[0])
		return;
	e->bind_begun = true;
	/* the kernel, which looks at the override, may have done it before */
	(void)bind(fs, log, e);
	(void)!driver_unbind(fs, e->address, VFIO_PCI);
}

/* What is refused is noted, and the claim goes on. */
static void tune_all(struct fs *fs, struct act_log *log, unsigned claim)
{
	for_each_open (e, log, claim) {
		if (!e->want.keys)
			continue;
		act_note(log, "setting what is wanted of", e->address);
		wait_until_added(fs, log, e);
		tune_before(fs, e->address, &e->want, &e->tuned, &log->notes);
	}
}

static enum reason bind_all(struct fs *fs, struct act_log *log, unsigned claim,
			    struct str *detail)
{
	char driver[PCI_DRIVER_LEN];
	int bound, r;

	for_each_open (e, log, claim) {
		if (!str_equal(e->previous_driver, VFIO_PCI)) {
			act_note(log, "binding", e->address);
			e->bind_begun = true;
			bound = bind(fs, log, e);
		} else {
			bound = 0;
		}
		/*
		 * loading the module may have bound it before: only the driver link
		 * counts
		 */
		r = driver_current(fs, e->address, driver);
		if (r < 0)
			return failed(detail, REASON_BIND_FAILED, e,
				      "its driver cannot be read back", r);
		if (!str_equal(driver, VFIO_PCI))
			return failed(detail, REASON_BIND_FAILED, e,
				      "vfio-pci does not take it", bound);
		tune_after(fs, e->address, &e->want, &log->notes);
	}
	return REASON_NONE;
}

static bool has_driver(struct fs *fs, const struct act_entry *e, const char *driver)
{
	char now[PCI_DRIVER_LEN];
	int r = -EIO;

	for (unsigned i = 0; i < TRIES && r < 0; i++)
		r = driver_current(fs, e->address, now);
	return r == 0 && str_equal(now, driver);
}

/* An answer proves nothing, not even that it was not bound: the link does. */
static void unbind_surely(struct fs *fs, const struct act_entry *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		(void)!driver_unbind(fs, e->address, VFIO_PCI);
		if (!has_driver(fs, e, VFIO_PCI))
			return;
	}
}

static void restore_override(struct fs *fs, const struct act_entry *e)
{
	char now[PCI_DRIVER_LEN];

	for (unsigned i = 0; i < TRIES; i++)
		if (driver_override_write(fs, e->address, e->previous_override) == 0 &&
		    driver_override_read(fs, e->address, now) == 0 &&
		    str_equal(now, e->previous_override))
			return;
}

static bool restore_framebuffer(struct fs *fs, const struct act_entry *e)
{
	for (unsigned i = 0; i < TRIES; i++)
		if (framebuffer_restore(fs, &e->framebuffer) == 0)
			return true;
	return false;
}

/* What had a driver gets it back; what had none is offered to those that are loaded. */
static bool give_back(struct fs *fs, struct module_loader *loader,
		      const struct act_entry *e)
{
	const bool whole = !e->release_begun || restore_framebuffer(fs, e);

	if (!e->previous_driver[0]) {
		for (unsigned i = 0; i < TRIES; i++)
			if (driver_probe(fs, e->address) == 0)
				break;
		return whole && !has_driver(fs, e, VFIO_PCI);
	}
	if (has_driver(fs, e, e->previous_driver))
		return whole;
	if (!driver_present(fs, e->previous_driver))
		(void)loader->load(loader, e->previous_driver);
	for (unsigned i = 0; i < TRIES; i++)
		if (driver_bind(fs, e->address, e->previous_driver) == 0)
			break;
	return whole && has_driver(fs, e, e->previous_driver);
}

/* Begun, and not part of a whole claim. */
static bool is_open(const struct act_entry *e)
{
	return e->override_begun && !e->kept;
}

bool act_undo(struct fs *fs, struct module_loader *loader, struct act_log *log,
	      struct str *lost)
{
	struct act_entry *e, *end = log->entries + log->n;
	bool whole = true;

	for (e = log->entries; e < end; e++) {
		if (!is_open(e))
			continue;
		/* loading the module may have bound what was only overridden */
		if (!str_equal(e->previous_driver, VFIO_PCI) &&
		    (e->bind_begun || has_driver(fs, e, VFIO_PCI))) {
			act_note(log, "unbinding", e->address);
			unbind_surely(fs, e);
		}
		act_note(log, "giving back", e->address);
		(void)!tune_restore(fs, e->address, &e->tuned, lost);
		restore_override(fs, e);
	}
	for (e = log->entries; e < end; e++) {
		if (!is_open(e))
			continue;
		act_note(log, "giving back", e->address);
		if (!give_back(fs, loader, e) && whole) {
			whole = false;
			str_add(lost, "; NOT given back: ");
			pci_address_add(lost, e->address);
		}
		e->override_begun = false;
	}
	return whole;
}

void act_open(struct act_log *log, unsigned claim)
{
	for (unsigned i = 0; i < log->n; i++)
		if (log->entries[i].claim == claim)
			log->entries[i].kept = false;
}

bool act_has(const struct act_log *log, struct pci_address address)
{
	for (unsigned i = 0; i < log->n; i++)
		if (pci_address_compare(log->entries[i].address, address) == 0)
			return true;
	return false;
}

bool act_forget(struct act_log *log, struct pci_address address)
{
	for (unsigned i = 0; i < log->n; i++)
		if (pci_address_compare(log->entries[i].address, address) == 0) {
			log->entries[i] = log->entries[--log->n];
			return true;
		}
	return false;
}

void act_begin(const struct machine *machine, const struct plan_claim *claim,
	       struct act_log *log)
{
	const struct machine_function *f = plan_functions(machine, claim);
	const struct conf_claim *conf = claim->conf;

	for (unsigned i = 0; i < conf->n; i++) {
		struct act_entry *e = &log->entries[log->n];

		if (!machine_function_found(&f[i]) ||
		    act_has(log, f[i].found.function.address))
			continue;
		log->n++;
		*e = (struct act_entry){
			.claim = conf->first,
			.address = f[i].found.function.address,
			.framebuffer = f[i].framebuffer,
			.want = setting_merge(&conf->setting, &f[i].conf->setting,
					      pci_is_display(&f[i].found.function.ids)),
		};
		str_copy(e->previous_driver, sizeof(e->previous_driver),
			 f[i].found.function.driver);
		str_copy(e->previous_override, sizeof(e->previous_override),
			 f[i].override);
	}
}

static enum reason end_claim(struct fs *fs, struct module_loader *loader,
			     struct act_log *log, unsigned claim, enum reason reason,
			     struct str *detail)
{
	if (reason != REASON_NONE)
		return act_undo(fs, loader, log, detail) ? reason : REASON_BIND_FAILED;
	for_each_open (e, log, claim)
		e->kept = true;
	return REASON_NONE;
}

enum reason act_hold(struct fs *fs, struct module_loader *loader, struct act_log *log,
		     unsigned claim, struct str *detail)
{
	return end_claim(fs, loader, log, claim,
			 override_all(fs, log, claim, HOLD, detail), detail);
}

enum reason act_bind(struct fs *fs, struct module_loader *loader, struct act_log *log,
		     unsigned claim, struct str *detail)
{
	enum reason reason;

	reason = override_all(fs, log, claim, VFIO_PCI, detail);
	if (reason == REASON_NONE)
		reason = unbind_all(fs, log, claim, detail);
	if (reason == REASON_NONE) {
		tune_all(fs, log, claim);
		reason = bind_all(fs, log, claim, detail);
	}
	return end_claim(fs, loader, log, claim, reason, detail);
}

bool act_release(struct fs *fs, struct module_loader *loader, struct act_log *log,
		 unsigned claim, struct str *detail)
{
	act_open(log, claim);
	return act_undo(fs, loader, log, detail);
}
