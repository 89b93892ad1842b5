/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What boots this machine: the boot loader, and the images that it starts.
 */
#include <errno.h>
#include <unistd.h>

#include "bootloader.h"
#include "doctor.h"

#define LOADER_INFO \
	"sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static void mend_menu(struct doctor *d, const struct bootloader *loader)
{
	struct changes changes = { .n_files = 0 };
	char text[512];
	struct str s = STR_ON(text);

	if (loader->menu(d->root, &changes) == 0 && changes.n_steps)
		for (char **word = changes.steps[0].argv; *word; word++)
			str_join(&s, s.len ? " " : "", *word, NULL);
	if (s.len)
		doctor_mend(d, "%s", text);
	changes_finish(&changes);
}

/* Who chooses one boots into config-error. */
static void find_stale(struct doctor *d, const struct bootloader *loader)
{
	ARGS_OWNED struct args names = { 0 };
	const struct conf_claim *c;

	if (loader->list_entries(d->root, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		c = d->next.conf_missing ? NULL
					 : conf_claim_find(&d->next.conf, names.words[i]);
		if (c && c->named)
			continue;
		doctor_say(
			d, DOCTOR_WARNING,
			c ? _("the boot menu has an entry for %s, which every boot claims")
			  : _("the boot menu has an entry for %s, which is no claim any "
			      "more"),
			names.words[i]);
		mend_menu(d, loader);
	}
}

/* The menu may be for root's eyes only. */
static void find_entries(struct doctor *d, const struct bootloader *loader)
{
	const struct next *n = &d->next;

	if ((!n->configured && !n->conf_missing) || !loader->has_entry ||
	    (!d->root->captured && geteuid() != 0))
		return;
	find_stale(d, loader);
	for (unsigned i = 0; n->configured && i < n->conf.n_claims; i++) {
		const struct conf_claim *c = &n->conf.claims[i];

		if (!c->named || loader->has_entry(d->root, c->name))
			continue;
		doctor_say(
			d, DOCTOR_WARNING,
			_("%s has boot = named, and the boot menu has no entry for it"),
			c->name);
		doctor_mend(d, "vfio-claim setup --entry %s", c->name);
	}
}

void doctor_boot_loader(struct doctor *d)
{
	char evidence[512], why[1024];
	struct str e = STR_ON(evidence), w = STR_ON(why);
	const struct bootloader *loader = bootloader_find(d->root, &e, &w);

	if (loader) {
		doctor_say(d, DOCTOR_OK, "%s: %s%s", _(loader->title), evidence,
			   doctor_exists(d, LOADER_INFO) ? _(" (LoaderInfo)") : "");
		find_entries(d, loader);
		return;
	}
	doctor_say(d, DOCTOR_WARNING, "%s", why);
	doctor_mend(d,
		    _("vfio-claim args cannot change the kernel's arguments here: do it "
		      "by hand"));
}

void doctor_initramfs(struct doctor *d)
{
	char evidence[512], why[1024];
	struct str e = STR_ON(evidence), w = STR_ON(why);
	const struct initramfs *generator = initramfs_find(d->root, &e, &w);
	struct changes changes = { 0 };
	int r = 0;

	if (generator)
		r = generator->plan(d->root, &changes, &w);
	changes_finish(&changes);
	if (generator && r == 0) {
		doctor_say(d, DOCTOR_OK, "%s: %s", generator->name, evidence);
		return;
	}
	/* nothing is claimed without an image that has us in it */
	doctor_say(d, d->next.conf_missing ? DOCTOR_WARNING : DOCTOR_PROBLEM, "%s%s%s",
		   generator ? generator->name : "", generator ? ": " : "", why);
	doctor_mend(d,
		    _("see \"On a real machine\" in the README for what is supported"));
}

/* "PROBLEM; type: COMMAND", or "PROBLEM; WHAT TO DO": cut in two. NULL: no mend. */
static const char *split_mend(char *why)
{
	const char *const type = _("; type: ");
	char *at = strstr(why, type), *mend;

	if (at) {
		mend = at + strlen(type);
	} else {
		at = memrchr(why, ';', strlen(why));
		if (!at)
			return NULL;
		mend = at + 1 + strspn(at + 1, " ");
	}
	*at = '\0';
	return mend;
}

/* True if it is as it should be; otherwise that has been said. */
static bool judge_image(struct doctor *d, const struct initramfs *generator,
			const char *release)
{
	const bool wanted = !d->next.conf_missing;
	char why[2304];
	struct str w = STR_ON(why);
	const int r = initramfs_check(d->root, generator, release, wanted, &w);
	const char *mend;
	enum doctor_state state;

	if (r == 0)
		return true;
	if (!w.len)
		str_add(&w, str_errno(r));
	mend = split_mend(why);
	/* whoever boots a damaged one gets nowhere */
	if (r == -ESTALE || r == -EBADMSG)
		state = wanted ? DOCTOR_PROBLEM : DOCTOR_WARNING;
	else
		state = DOCTOR_UNKNOWN;
	doctor_say(d, state, _("kernel %s: %s"), release, why);
	if (mend || state != DOCTOR_UNKNOWN)
		doctor_mend(d, "%s", mend ? mend : doctor_rebuild(d));
	d->denied |= r == -EACCES || r == -EPERM;
	return false;
}

void doctor_images(struct doctor *d)
{
	char evidence[512], why[1024], good[1024];
	struct str e = STR_ON(evidence), w = STR_ON(why), g = STR_ON(good);
	const struct initramfs *generator = initramfs_find(d->root, &e, &w);
	const size_t before = d->n;

	for (size_t i = 0; generator && i < d->kernels.n; i++) {
		const char *release = d->kernels.release[i];

		if (initramfs_boots(d->root, release) &&
		    judge_image(d, generator, release))
			str_join(&g, g.len ? ", " : "", release, NULL);
	}
	if (g.len)
		doctor_say(d, DOCTOR_OK,
			   d->next.conf_missing
				   ? _("nothing of vfio-claim is in those of %s")
				   : _("those of these kernels hold what the next boot "
				       "needs: %s"),
			   good);
	else if (d->n == before)
		doctor_say(d, generator ? DOCTOR_OK : DOCTOR_UNKNOWN,
			   generator ? _("no kernel in /boot has modules in /lib/modules")
				     : _("which program builds them is not known"));
}
