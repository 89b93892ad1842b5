/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "next.h"

#include <errno.h>

#include "driver.h"
#include "entries.h"
#include "keep.h"

/* A reboot takes away what is claimed now: early boot finds it without a driver. */
static void forget_driver(struct pci_function *f)
{
	if (driver_vfio_accepts(f->driver))
		f->driver[0] = '\0';
}

static void before_boot(struct machine *m)
{
	for (unsigned i = 0; i < m->n_functions; i++) {
		struct pci_function *found = &m->functions[i].found.function;

		if (!machine_function_found(&m->functions[i]))
			continue;
		forget_driver(found);
		for (size_t k = 0; k < m->list.n; k++)
			if (pci_address_compare(m->list.functions[k].address,
						found->address) == 0)
				forget_driver(&m->list.functions[k]);
	}
}

static void consult_record(struct fs *root, const struct report *boot,
			   const struct machine *m, struct next *n)
{
	const uint64_t fingerprint = plan_fingerprint(&n->conf, m, &n->plan);
	struct record_table table;
	struct record_slot slot;
	struct store store;

	keep_locate(root, &n->conf, &boot->record, &n->record);
	n->record.fingerprint = fingerprint;
	n->state = NEXT_NO_RECORD;
	if (n->record.kind == RECORD_NONE)
		return;
	n->state = NEXT_UNREADABLE;
	n->error = keep_open(root, &n->record, false, &store);
	if (n->error < 0)
		return;
	n->error = store_read(&store, &table);
	store_finish(&store);
	if (n->error < 0)
		return;
	slot = record_find(&table, fingerprint);
	n->record.attempts = slot.attempts;
	n->record.confirmed = slot.confirmed;
	n->state = slot.confirmed			   ? NEXT_CONFIRMED
		   : slot.attempts >= n->conf.max_attempts ? NEXT_SAFE_MODE
							   : NEXT_TRIAL;
}

bool next_configure(struct fs *root, struct next *ret)
{
	int r = conf_load(root, CONF_PATH, &ret->conf, &ret->conf_error);

	ret->conf_missing = r == -ENOENT;
	return r == 0;
}

void next_plan(const char *entry, struct machine *machine, struct next *ret)
{
	const struct conf_claim *claim =
		entry ? conf_claim_find(&ret->conf, entry) : NULL;
	struct kargs_choice choice = { .mode = KARGS_ON };

	if (claim)
		entries_choose(&ret->conf, claim, &choice);
	ret->configured = true;
	before_boot(machine);
	plan_make(&ret->conf, &choice, machine, &ret->plan);
}

void next_decide(struct fs *root, const struct report *boot, const char *entry,
		 struct machine *machine, struct next *ret)
{
	next_plan(entry, machine, ret);
	if (!plan_claims(&ret->plan))
		return;
	consult_record(root, boot, machine, ret);
	if (ret->state == NEXT_UNREADABLE && ret->error != -EPERM)
		plan_refuse(&ret->plan, REASON_RECORD_UNAVAILABLE,
			    ret->error == -EBADMSG ? "the record is damaged"
						   : "the record cannot be read");
	else if (ret->state != NEXT_UNREADABLE)
		plan_record(&ret->conf, machine, &ret->record, &ret->plan);
}

void next_predict(struct fs *root, const struct report *boot, const char *entry,
		  struct next *ret)
{
	static struct machine machine;
	char release[MACHINE_RELEASE_LEN];
	int r;

	if (!next_configure(root, ret))
		return;
	machine_release(root, release);
	r = machine_inspect(root, &ret->conf, release, &machine);
	if (r < 0) {
		struct str s = STR_ON(ret->conf_error.text);

		str_join(&s, "the PCI functions cannot be listed: ", str_errno(r), NULL);
		return;
	}
	next_decide(root, boot, entry, &machine, ret);
	machine_finish(&machine);
}
