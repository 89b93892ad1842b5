/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act.h"

#include <errno.h>
#include <string.h>

#include "driver.h"

#define VFIO_PCI "vfio-pci"
#define TRIES 3 /* of a write that gives something back */

static void note_step(struct act_log *log, const char *verb, const struct act_entry *e)
{
	struct str s = STR_ON(log->step);

	str_join(&s, verb, " ", NULL);
	pci_address_add(&s, e->address);
}

enum reason act_prepare(struct fs *fs, struct module_loader *loader, struct act_log *log,
			const char **ret_detail)
{
	struct str s = STR_ON(log->step);
	int r;

	str_add(&s, "loading " VFIO_PCI);
	if (!driver_present(fs, VFIO_PCI)) {
		r = loader->load(loader, VFIO_PCI);
		if (!driver_present(fs, VFIO_PCI)) {
			*ret_detail = r < 0 ? str_errno(r)
					    : "it loaded, but its driver is missing";
			return REASON_MODULE_UNAVAILABLE;
		}
		/* a module option can ask for it */
		if (iommu_unsafe_mode(fs)) {
			*ret_detail = "vfio came up with enable_unsafe_noiommu_mode";
			return REASON_NO_IOMMU_MODE;
		}
	}
	return REASON_NONE;
}

static enum reason failed(struct plan_claim *claim, enum reason reason,
			  const struct act_entry *e, const char *what, int r)
{
	struct str s = STR_ON(claim->detail);

	pci_address_add(&s, e->address);
	str_join(&s, ": ", what, NULL);
	if (r < 0)
		str_join(&s, ": ", str_errno(r), NULL);
	return reason;
}

static bool bound_elsewhere(const struct act_entry *e)
{
	return e->previous_driver[0] && !str_equal(e->previous_driver, VFIO_PCI);
}

static enum reason override_all(struct fs *fs, struct plan_claim *claim,
				struct act_log *log, unsigned first)
{
	int r;

	for (unsigned i = first; i < log->n; i++) {
		struct act_entry *e = &log->entries[i];

		note_step(log, "overriding the driver of", e);
		e->override_begun = true;
		r = driver_override_write(fs, e->address, VFIO_PCI);
		if (r < 0)
			return failed(claim, REASON_BIND_FAILED, e,
				      "driver_override cannot be set", r);
	}
	return REASON_NONE;
}

static enum reason unbind_all(struct fs *fs, struct plan_claim *claim,
			      struct act_log *log, unsigned first)
{
	int r;

	for (unsigned i = first; i < log->n; i++) {
		struct act_entry *e = &log->entries[i];

		if (bound_elsewhere(e)) {
			note_step(log, "unbinding", e);
			r = driver_unbind(fs, e->address, e->previous_driver);
			if (r < 0)
				return failed(claim, REASON_UNBIND_FAILED, e,
					      "its driver does not let go", r);
		}
		if (e->framebuffer.device[0]) {
			note_step(log, "releasing the firmware framebuffer of", e);
			e->release_begun = true;
			r = framebuffer_release(fs, &e->framebuffer);
			if (r < 0)
				return failed(claim, REASON_UNBIND_FAILED, e,
					      "the firmware framebuffer does not let go",
					      r);
		}
	}
	return REASON_NONE;
}

static enum reason bind_all(struct fs *fs, struct plan_claim *claim, struct act_log *log,
			    unsigned first)
{
	char driver[PCI_DRIVER_LEN];
	int bound, r;

	for (unsigned i = first; i < log->n; i++) {
		struct act_entry *e = &log->entries[i];

		if (!str_equal(e->previous_driver, VFIO_PCI)) {
			note_step(log, "binding", e);
			e->bind_begun = true;
			bound = driver_bind(fs, e->address, VFIO_PCI);
		} else {
			bound = 0;
		}
		/*
		 * loading the module may have bound it before: only the driver link
		 * counts
		 */
		r = driver_current(fs, e->address, driver);
		if (r < 0)
			return failed(claim, REASON_BIND_FAILED, e,
				      "its driver cannot be read back", r);
		if (!str_equal(driver, VFIO_PCI))
			return failed(claim, REASON_BIND_FAILED, e,
				      "vfio-pci does not take it", bound);
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
		note_step(log, "giving back", e);
		/* loading the module may have bound what was only overridden */
		if (!str_equal(e->previous_driver, VFIO_PCI) &&
		    (e->bind_begun || has_driver(fs, e, VFIO_PCI)))
			unbind_surely(fs, e);
		restore_override(fs, e);
	}
	for (e = log->entries; e < end; e++) {
		if (!is_open(e))
			continue;
		note_step(log, "giving back", e);
		if (!give_back(fs, loader, e) && whole) {
			whole = false;
			str_add(lost, "; NOT given back: ");
			pci_address_add(lost, e->address);
		}
		e->override_begun = false;
	}
	return whole;
}

static void undo_claim(struct fs *fs, struct module_loader *loader,
		       struct plan_claim *claim, struct act_log *log)
{
	struct str s = { claim->detail, sizeof(claim->detail), strlen(claim->detail),
			 false };

	if (!act_undo(fs, loader, log, &s))
		claim->reason = REASON_BIND_FAILED;
}

static void keep_entries(struct act_log *log, unsigned claim, bool keep)
{
	for (unsigned i = 0; i < log->n; i++)
		if (log->entries[i].claim == claim)
			log->entries[i].kept = keep;
}

void act_open(struct act_log *log, unsigned claim)
{
	keep_entries(log, claim, false);
}

static unsigned append_entries(const struct machine *machine,
			       const struct plan_claim *claim, struct act_log *log)
{
	const struct machine_function *f = plan_functions(machine, claim);
	unsigned first = log->n;

	for (unsigned i = 0; i < claim->conf->n; i++) {
		struct act_entry *e = &log->entries[first + i];

		*e = (struct act_entry){
			.claim = claim->conf->first,
			.address = f[i].found.function.address,
			.framebuffer = f[i].framebuffer,
		};
		str_copy(e->previous_driver, sizeof(e->previous_driver),
			 f[i].found.function.driver);
		str_copy(e->previous_override, sizeof(e->previous_override),
			 f[i].override);
		log->n++;
	}
	return first;
}

void act_claim(struct fs *fs, struct module_loader *loader, const struct machine *machine,
	       struct plan_claim *claim, struct act_log *log)
{
	unsigned first = append_entries(machine, claim, log);

	claim->reason = override_all(fs, claim, log, first);
	if (claim->reason == REASON_NONE)
		claim->reason = unbind_all(fs, claim, log, first);
	if (claim->reason == REASON_NONE)
		claim->reason = bind_all(fs, claim, log, first);
	if (claim->reason == REASON_NONE)
		keep_entries(log, claim->conf->first, true);
	else
		undo_claim(fs, loader, claim, log);
}

void act_release(struct fs *fs, struct module_loader *loader, struct plan_claim *claim,
		 struct act_log *log)
{
	act_open(log, claim->conf->first);
	undo_claim(fs, loader, claim, log);
}
