/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What claims want set before binding, and what the devices offer.
 */
#include "doctor.h"
#include "offered.h"

static void say(void *arg, enum tune result, const char *text)
{
	struct doctor *d = arg;

	if (result == TUNE_E_UNREADABLE) {
		doctor_say(d, DOCTOR_UNKNOWN, "%s", text);
		doctor_mend(d, _("run \"vfio-claim doctor\" as root"));
		return;
	}
	doctor_say(d, DOCTOR_WARNING, "%s", text);
	doctor_mend(d,
		    _("write into /%s what the device offers, or take the key out: until "
		      "then it is left as it is; see \"Before binding\" in "
		      "vfio-claim.conf(5)"),
		    CONF_PATH);
}

void doctor_settings(struct doctor *d)
{
	const size_t before = d->n;
	unsigned said = 0;

	if (d->next.configured && d->machine_error == 0)
		said = offered_check(d->root, &d->next.conf, &d->machine, say, d);
	if (d->n != before)
		return;
	if (said)
		doctor_say(d, DOCTOR_OK, _("the devices offer all %u"), said);
	else
		doctor_say(d, DOCTOR_OK, _("no claim sets anything"));
}
