/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include "display.h"
#include "driver.h"

const struct machine_function *plan_functions(const struct machine *machine,
					      const struct plan_claim *claim)
{
	return &machine->functions[claim->conf->first];
}

/* "0000:01:00.0: what and more" */
static bool refuse(struct plan_claim *claim, enum reason reason,
		   const struct pci_address *address, const char *what, const char *more)
{
	struct str s = STR_ON(claim->detail);

	claim->reason = reason;
	if (address) {
		pci_address_add(&s, *address);
		str_add(&s, ": ");
	}
	str_join(&s, what, more, NULL);
	return false;
}

static enum reason match_reason(enum match match)
{
	return match == MATCH_ABSENT	? REASON_DEVICE_ABSENT
	       : match == MATCH_CHANGED ? REASON_DEVICE_CHANGED
					: REASON_DEVICE_AMBIGUOUS;
}

/*
 * Two lines of the configuration that lead to one function: the one that had to search is
 * wrong.
 */
static bool found_twice(const struct machine *m, const struct machine_function *f)
{
	const struct machine_function *other;

	if (f->found.match != MATCH_MOVED)
		return false;
	for (other = m->functions; other < m->functions + m->n_functions; other++)
		if (other != f && machine_function_found(other) &&
		    pci_address_compare(other->found.function.address,
					f->found.function.address) == 0)
			return true;
	return false;
}

static bool judge_function(const struct machine *m, struct plan_claim *claim,
			   const struct machine_function *f)
{
	const struct identity_result *found = &f->found;
	const struct pci_address *at = &found->function.address;
	const struct iommu_group *group;

	if (!machine_function_found(f))
		return refuse(claim, match_reason(found->match), &f->conf->address,
			      found->detail, "");
	if (found_twice(m, f))
		return refuse(claim, REASON_DEVICE_AMBIGUOUS, &f->conf->address,
			      "another function line leads to the same function", "");
	if (pci_is_bridge(&found->function.ids) || found->config.header_type != 0)
		return refuse(claim, REASON_NOT_AN_ENDPOINT, at,
			      "it is a bridge; claim what is behind it", "");
	if (m->iommu_unsafe)
		return refuse(
			claim, REASON_NO_IOMMU_MODE, at,
			"vfio runs with enable_unsafe_noiommu_mode; remove that option",
			"");
	if (!m->iommu_present)
		return refuse(claim, REASON_IOMMU_INACTIVE, NULL,
			      "no IOMMU is active: ", m->iommu_hint);
	group = &m->groups[f->group];
	if (group->proof == IOMMU_E_NO_IOMMU)
		return refuse(claim, REASON_NO_IOMMU_MODE, at, group->detail, "");
	if (group->proof != IOMMU_PROVEN)
		return refuse(claim, REASON_IOMMU_INACTIVE, at, group->detail, "");
	if (f->virtual_functions)
		return refuse(claim, REASON_BIND_FAILED, at,
			      "it has virtual functions (SR-IOV), which vfio-pci refuses",
			      "");
	if (f->override_error)
		return refuse(claim, REASON_BIND_FAILED, at,
			      "its driver_override cannot be read: ",
			      str_errno(f->override_error));
	if (f->framebuffer_error)
		return refuse(
			claim, REASON_UNBIND_FAILED, at,
			"cannot tell whether a firmware framebuffer is in its memory: ",
			str_errno(f->framebuffer_error));
	return true;
}

static bool claims_address(const struct machine *m, const struct plan *plan,
			   struct pci_address address)
{
	const struct plan_claim *c;
	const struct machine_function *f;

	for (c = plan->claims; c < plan->claims + plan->n_claims; c++) {
		if (c->reason != REASON_NONE)
			continue;
		f = plan_functions(m, c);
		for (unsigned i = 0; i < c->conf->n; i++)
			if (machine_function_found(&f[i]) &&
			    pci_address_compare(f[i].found.function.address, address) ==
				    0)
				return true;
	}
	return false;
}

/*
 * What keeps the group of a claim from being given to a guest; NULL if this member does
 * not.
 */
static const char *obstacle(const struct machine *m, const struct pci_function *member)
{
	if (!member || !member->known)
		return "which cannot be read";
	if (member->driver[0])
		return driver_vfio_accepts(member->driver) ? NULL : "which is held by ";
	/*
	 * bridges need no driver to be left alone; an endpoint gets one as soon as udev
	 * runs
	 */
	if (m->drivers_may_come && !pci_is_bridge(&member->ids))
		return "which no claim names and a host driver may take";
	return NULL;
}

bool plan_check_groups(const struct machine *machine, struct plan *plan,
		       struct plan_claim *claim)
{
	const struct machine_function *f = plan_functions(machine, claim);
	const struct pci_function *member;
	const struct iommu_group *group;
	const char *why;
	struct str s;

	for (unsigned i = 0; i < claim->conf->n; i++) {
		if (!machine_function_found(&f[i]))
			continue;
		group = &machine->groups[f[i].group];
		for (size_t k = 0; k < group->n; k++) {
			if (claims_address(machine, plan, group->members[k]))
				continue;
			member = pci_find(&machine->list, group->members[k]);
			why = obstacle(machine, member);
			if (!why)
				continue;
			claim->reason = REASON_GROUP_NOT_VIABLE;
			s = STR_ON(claim->detail);
			pci_address_add(&s, f[i].found.function.address);
			str_add(&s, ": its IOMMU group ");
			str_add_uint(&s, (uint64_t)group->id);
			str_add(&s, " also holds ");
			pci_address_add(&s, group->members[k]);
			str_join(&s, ", ", why, member ? member->driver : "", NULL);
			return false;
		}
	}
	return true;
}

/* True if it takes any from the host; how many of them the host can show something on. */
static bool takes_display(const struct machine *m, const struct plan_claim *claim,
			  unsigned *ret_serving)
{
	const struct machine_function *f = plan_functions(m, claim);
	bool takes = false;

	*ret_serving = 0;
	for (unsigned i = 0; i < claim->conf->n; i++) {
		takes = takes || display_is_hosts(&f[i].found.function);
		*ret_serving += display_serves_host(&f[i].found.function);
	}
	return takes;
}

/* What the host has to show something on without any claim. */
static unsigned host_displays(const struct machine *m)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->list.n; i++)
		n += display_serves_host(&m->list.functions[i]);
	return n;
}

/*
 * Claims take displays in the order of the configuration. True if one had to be refused.
 */
static bool check_displays(const struct conf *conf, const struct machine *m,
			   struct plan *plan)
{
	unsigned left = host_displays(m), serving;
	bool last;

	for (struct plan_claim *c = plan->claims; c < plan->claims + plan->n_claims;
	     c++) {
		if (c->reason != REASON_NONE)
			continue;
		last = takes_display(m, c, &serving) && serving == left;
		if (last && conf->require_display) {
			refuse(c, REASON_LAST_DISPLAY, NULL,
			       "the host would have no display left; "
			       "require-display = no allows that",
			       "");
			return true;
		}
		if (last && plan->uncounted && conf->record != CONF_RECORD_NONE) {
			refuse(c, REASON_RECORD_UNAVAILABLE, NULL,
			       "the host would have no display left, and no record can bring it back; "
			       "record = none allows that",
			       "");
			return true;
		}
		left -= serving;
	}
	return false;
}

/* A refusal can make the group of another claim unviable, and give back a display. */
static void check_together(const struct conf *conf, const struct machine *m,
			   struct plan *plan)
{
	bool again;

	do {
		again = false;
		for (unsigned i = 0; i < plan->n_claims; i++)
			if (plan->claims[i].reason == REASON_NONE &&
			    !plan_check_groups(m, plan, &plan->claims[i]))
				again = true;
		if (!again)
			again = check_displays(conf, m, plan);
	} while (again);
}

static void judge_claim(const struct machine *m, const struct kargs_choice *choice,
			struct plan_claim *claim)
{
	const struct machine_function *f = plan_functions(m, claim);
	unsigned awaited = 0;

	if (!kargs_names(choice, claim->conf->name)) {
		refuse(claim, REASON_OFF, NULL, "vfio_claim= does not name it", "");
		return;
	}
	/* a dry run tells of all of them */
	if (claim->conf->named && choice->mode == KARGS_ON && !*choice->names) {
		refuse(claim, REASON_OFF, NULL,
		       "claimed only by a boot with vfio_claim=", claim->conf->name);
		return;
	}
	for (unsigned i = 0; i < claim->conf->n; i++) {
		if (conf_awaits(f[i].conf, &f[i].found))
			awaited++;
		else if (!judge_function(m, claim, &f[i]))
			return;
	}
	if (awaited == claim->conf->n)
		refuse(claim, REASON_DEVICE_ABSENT, &f->conf->address, f->found.detail,
		       "");
}

static bool unknown_name(const struct conf *conf, const struct kargs_choice *choice)
{
	unsigned named = choice->names[0] != '\0', known = 0;

	for (const char *c = choice->names; *c; c++)
		named += *c == ',';
	for (unsigned i = 0; named && i < conf->n_claims; i++)
		known += kargs_names(choice, conf->claims[i].name);
	return named != known;
}

void plan_refuse(struct plan *plan, enum reason reason, const char *detail)
{
	struct str s = STR_ON(plan->detail);

	plan->reason = reason;
	str_add(&s, detail);
	for (unsigned i = 0; i < plan->n_claims; i++)
		if (plan->claims[i].reason == REASON_NONE)
			refuse(&plan->claims[i], reason, NULL, detail, "");
}

void plan_make(const struct conf *conf, const struct kargs_choice *choice,
	       const struct machine *machine, struct plan *ret)
{
	*ret = (struct plan){ .n_claims = conf->n_claims };
	for (unsigned i = 0; i < conf->n_claims; i++)
		ret->claims[i].conf = &conf->claims[i];

	if (choice->mode == KARGS_OFF)
		return plan_refuse(ret, REASON_OFF, choice->detail);
	if (choice->mode == KARGS_BAD)
		return plan_refuse(ret, REASON_CONFIG_ERROR, choice->detail);
	if (conf->n_claims == 0)
		return plan_refuse(ret, REASON_CONFIG_ERROR,
				   "the configuration has no [claim]");
	if (unknown_name(conf, choice))
		return plan_refuse(
			ret, REASON_CONFIG_ERROR,
			"vfio_claim= names a claim that the configuration does not have");
	for (unsigned i = 0; i < conf->n_claims; i++)
		judge_claim(machine, choice, &ret->claims[i]);
	check_together(conf, machine, ret);
}

bool plan_claims(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->n_claims; i++)
		if (plan->claims[i].reason == REASON_NONE)
			return true;
	return false;
}

/* What it is and where. Numbers without padding; nobody else's machine reads them. */
static uint64_t hash_function(uint64_t hash, const struct pci_function *f)
{
	const uint32_t words[] = {
		f->address.domain,
		(uint32_t)f->address.bus << 8 | f->address.devfn,
		(uint32_t)f->ids.vendor << 16 | f->ids.device,
		(uint32_t)f->ids.subvendor << 16 | f->ids.subdevice,
		f->ids.class,
	};

	return record_hash(hash, words, sizeof(words));
}

uint64_t plan_fingerprint(const struct conf *conf, const struct machine *machine,
			  const struct plan *plan)
{
	uint64_t hash = RECORD_HASH_START;
	const struct machine_function *f;

	hash = record_hash(hash, machine->release, strlen(machine->release) + 1);
	hash = record_hash(hash, conf->text, strlen(conf->text) + 1);
	for (size_t i = 0; i < machine->list.n; i++)
		if (machine->list.functions[i].known &&
		    pci_is_display(&machine->list.functions[i].ids))
			hash = hash_function(hash, &machine->list.functions[i]);
	for (const struct plan_claim *c = plan->claims; c < plan->claims + plan->n_claims;
	     c++) {
		if (c->reason != REASON_NONE)
			continue;
		hash = record_hash(hash, c->conf->name, strlen(c->conf->name) + 1);
		f = plan_functions(machine, c);
		for (unsigned i = 0; i < c->conf->n; i++)
			hash = hash_function(hash, &f[i].found.function);
	}
	return hash;
}

void plan_record(const struct conf *conf, const struct machine *machine,
		 const struct record *record, struct plan *plan)
{
	plan->uncounted = record->kind == RECORD_NONE;
	if (plan->uncounted)
		check_together(conf, machine, plan);
	else if (!record->confirmed && record->attempts >= conf->max_attempts)
		plan_refuse(plan, REASON_SAFE_MODE, PLAN_SAFE_MODE_DETAIL);
}
