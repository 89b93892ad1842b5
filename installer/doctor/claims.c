/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration, and what the next boot makes of it.
 */
#include <errno.h>
#include <unistd.h>

#include "doctor.h"

void doctor_conf(struct doctor *d)
{
	const struct next *n = &d->next;

	if (n->conf_missing) {
		doctor_say(d, DOCTOR_OK, _("there is no /%s: nothing is claimed"),
			   CONF_PATH);
		doctor_mend(d, _("\"vfio-claim setup\" makes one"));
	} else if (n->conf_error.text[0] && n->conf_error.line) {
		doctor_say(d, DOCTOR_PROBLEM, "/%s:%u: %s", CONF_PATH, n->conf_error.line,
			   n->conf_error.text);
		doctor_mend(d, _("mend that line, see vfio-claim.conf(5); until then "
				 "nothing is claimed"));
	} else if (n->conf_error.text[0]) {
		const bool denied = str_equal(n->conf_error.text, str_errno(-EACCES));

		doctor_say(d, denied ? DOCTOR_UNKNOWN : DOCTOR_PROBLEM, "/%s: %s",
			   CONF_PATH, n->conf_error.text);
		d->denied |= denied;
	} else if (!n->conf.n_claims) {
		doctor_say(d, DOCTOR_OK, _("/%s has no claim"), CONF_PATH);
	} else {
		doctor_say(d, DOCTOR_OK, _("/%s: claims: %u, functions: %u"), CONF_PATH,
			   n->conf.n_claims, n->conf.n_functions);
	}
}

void doctor_conf_file(struct doctor *d)
{
	struct stat st;
	const int r = doctor_stat(d, CONF_PATH, &st);

	if (r == -ENOENT) {
		doctor_say(d, DOCTOR_OK, _("there is no /%s"), CONF_PATH);
	} else if (r < 0) {
		doctor_say_unreadable(d, CONF_PATH, r);
	} else if (!S_ISREG(st.st_mode)) {
		doctor_say(d, DOCTOR_PROBLEM, _("/%s is no regular file"), CONF_PATH);
	} else if (st.st_uid != 0 && (!d->root->captured || st.st_uid != geteuid())) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("/%s belongs to user %u: early boot refuses it"), CONF_PATH,
			   st.st_uid);
		doctor_mend(d, "chown root:root /%s", CONF_PATH);
	} else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("/%s has mode %04o, so that others may write it: early boot "
			     "refuses it"),
			   CONF_PATH, st.st_mode & 07777);
		doctor_mend(d, "chmod go-w /%s", CONF_PATH);
	} else {
		doctor_say(d, DOCTOR_OK, _("/%s is root's, mode %04o"), CONF_PATH,
			   st.st_mode & 07777);
	}
}

/* Nothing of it is there, and all of it is optional. */
static bool is_awaited(const struct conf *conf, const struct plan_claim *claim)
{
	const struct conf_function *f = &conf->functions[claim->conf->first];

	for (unsigned i = 0; i < claim->conf->n; i++)
		if (!f[i].optional)
			return false;
	return claim->reason == REASON_DEVICE_ABSENT;
}

static void mend_reason(struct doctor *d, enum reason reason)
{
	switch (reason) {
	case REASON_SAFE_MODE:
		doctor_mend(d, _("when the cause is mended: vfio-claim confirm --retry"));
		break;
	case REASON_DEVICE_ABSENT:
	case REASON_DEVICE_CHANGED:
	case REASON_DEVICE_AMBIGUOUS:
		doctor_mend(d, _("name the card anew: vfio-claim setup; \"vfio-claim "
				 "list\" shows what is there"));
		break;
	case REASON_GROUP_NOT_VIABLE:
		doctor_mend(d, _("claim what shares its group, too, or move the card to "
				 "another slot; \"vfio-claim list\" shows the groups"));
		break;
	case REASON_LAST_DISPLAY:
		doctor_mend(d,
			    _("give the host another display, or say require-display "
			      "= no in /%s"),
			    CONF_PATH);
		break;
	case REASON_IOMMU_INACTIVE:
	case REASON_NO_IOMMU_MODE:
		doctor_mend(d, _("see the checks of the IOMMU above"));
		break;
	case REASON_RECORD_UNAVAILABLE:
		doctor_mend(d, _("see record in vfio-claim.conf(5)"));
		break;
	default:
		doctor_mend(d, _("the reasons are explained in vfio-claim-early(8)"));
		break;
	}
}

static void say_claimed(struct doctor *d)
{
	const struct next *n = &d->next;
	const unsigned attempt = n->record.attempts + 1;

	if (n->state == NEXT_CONFIRMED)
		doctor_say(d, DOCTOR_OK,
			   _("claimed, like the last one that was confirmed"));
	else if (n->state == NEXT_TRIAL)
		doctor_say(d, DOCTOR_OK, _("claimed on trial, attempt %u of %u"), attempt,
			   n->conf.max_attempts);
	else if (n->state == NEXT_UNREADABLE) {
		doctor_say(d, DOCTOR_UNKNOWN,
			   _("depends on the record, which only root can read"));
		d->denied = true;
	} else {
		doctor_say(d, DOCTOR_WARNING,
			   _("claimed, and not counted: safe mode cannot help"));
		doctor_mend(d, _("see record in vfio-claim.conf(5)"));
	}
}

void doctor_next_boot(struct doctor *d)
{
	const struct next *n = &d->next;

	if (!n->configured) {
		doctor_say(d, d->machine_error ? DOCTOR_UNKNOWN : DOCTOR_OK,
			   _("the host keeps everything: %s"),
			   n->conf_missing ? _("there is no configuration")
					   : _("the configuration cannot be used"));
		return;
	}
	if (!n->plan.n_claims) {
		doctor_say(d, DOCTOR_OK, _("the host keeps everything: no claim"));
		return;
	}
	if (plan_claims(&n->plan)) {
		say_claimed(d);
	} else if (n->plan.reason != REASON_NONE) {
		doctor_say(d, DOCTOR_PROBLEM, _("the host keeps everything: %s: %s"),
			   reason_name(n->plan.reason), n->plan.detail);
		mend_reason(d, n->plan.reason);
	}
	for (unsigned i = 0; i < n->plan.n_claims; i++) {
		const struct plan_claim *c = &n->plan.claims[i];

		if (c->reason == REASON_NONE || c->reason == n->plan.reason)
			continue;
		if (c->reason == REASON_OFF) {
			doctor_say(d, DOCTOR_OK, _("the host keeps %s: %s"),
				   c->conf->name, c->detail);
			continue;
		}
		if (is_awaited(&n->conf, c)) {
			doctor_say(d, DOCTOR_OK,
				   _("nothing of %s is there, and all of it is "
				     "optional"),
				   c->conf->name);
			continue;
		}
		doctor_say(d, DOCTOR_PROBLEM, _("the host keeps %s: %s: %s"),
			   c->conf->name, reason_name(c->reason), c->detail);
		mend_reason(d, c->reason);
	}
}
