/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm attach DOMAIN --claim C: gives a claim's functions to a domain that
 * exists.
 */
#include <errno.h>

#include "answer.h"
#include "attached.h"
#include "domain.h"
#include "text.h"
#include "vm_commands.h"

static const char *claim_name;

static int refuse(const struct context *context, const char *what)
{
	return answer(context, "refused", what, EXIT_REFUSED);
}

/* Whether the domain may get them: it has none, and the claim is ready. */
static bool may_have(struct fs *root, const struct domain *d,
		     const struct claimed *claimed, struct str *why)
{
	struct attached *a;
	bool has = false;

	if (!claimed_ready(claimed, why))
		return false;
	a = attached_read(root, d->node);
	if (!a) {
		str_add(why, str_errno(ENOMEM));
		return false;
	}
	for (size_t i = 0; !has && i < claimed->n; i++) {
		const struct pci_address at = claimed->functions[i].function.address;

		has = hostdev_find(a->hostdevs, a->n_hostdevs, at) != NULL;
		if (has)
			pci_address_add(why, at);
	}
	if (has)
		str_join(why, _(" is in the domain already; \"vfio-claim vm check "),
			 d->name, _("\" says whether it is so as it should be"), NULL);
	else if ((has = attached_find(a, claimed->conf->name) != NULL))
		str_join(why,
			 _("the domain uses this claim already; \"vfio-claim vm "
			   "check "),
			 d->name, _(" --fix\" follows what has moved"), NULL);
	free(a);
	return !has;
}

static size_t functions_of(const struct claimed *claimed, unsigned device)
{
	size_t n = 0;

	for (size_t i = 0; i < claimed->n; i++)
		n += claimed->functions[i].device == device;
	return n;
}

static bool add_device(xmlNode *domain, const struct claimed *claimed, unsigned device,
		       struct str *why)
{
	const bool several = functions_of(claimed, device) > 1;
	struct pci_address slot;
	int r = hostdev_new_slot(domain, &slot);

	if (r < 0) {
		str_add(why, _("the domain has no place for one more device: "));
		str_add(why, str_errno(r));
		return false;
	}
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];

		if (f->device == device &&
		    !hostdev_add(domain, f->function.address, slot, f->number, several)) {
			str_add(why, str_errno(ENOMEM));
			return false;
		}
	}
	return true;
}

static bool change(struct domain *d, const struct claimed *claimed, struct str *why)
{
	for (unsigned i = 0; i < claimed->n_devices; i++)
		if (!add_device(d->node, claimed, i, why))
			return false;
	if (metadata_write(d->node, claimed))
		return true;
	str_add(why, str_errno(ENOMEM));
	return false;
}

static void say_done(const struct context *context, const struct domain *d,
		     const struct claimed *claimed, const char *backup, struct str *s)
{
	str_join(s, d->name,
		 context->dry_run ? _(" would get the claim ") : _(" has the claim "),
		 claimed->conf->name, NULL);
	if (d->running)
		str_add(s, _("; it is running: that takes effect at its next start"));
	if (!hostdev_express(d->node))
		str_add(s, _("; its machine has no PCI Express (i440fx): many drivers of "
			     "graphics cards want q35"));
	if (backup)
		str_join(s, _("; what it was is in /"), backup, NULL);
}

static int attach(struct context *context, struct domain *d)
{
	static struct claimed claimed;
	TEXT_OWNED char *backup = NULL;
	char what[1024];
	struct str s = STR_ON(what);

	if (claimed_find(&context->root, claim_name, &claimed, &s) < 0 ||
	    !may_have(&context->root, d, &claimed, &s) || !change(d, &claimed, &s))
		return refuse(context, what);
	if (!context->json)
		domain_diff(d, stdout, context->colour);
	if (!context->dry_run && !domain_save(d, &backup, &s))
		return refuse(context, what);
	say_done(context, d, &claimed, backup, &s);
	return answer(context, context->dry_run ? "dry-run" : "attached", what,
		      EXIT_DONE);
}

static int run(struct context *context)
{
	DOMAIN_OWNED struct domain d = { 0 };
	char why[1024];
	struct str s = STR_ON(why);

	if (context->n_arguments != 1 || !claim_name)
		return answer(context, "usage",
			      _("name one domain and --claim; see --help"), EXIT_USAGE);
	if (!domain_open(&context->root, context->arguments[0], context->dry_run, &d, &s))
		return refuse(context, why);
	return attach(context, &d);
}

static bool option(int c, const char *value)
{
	(void)c;
	claim_name = value;
	return conf_name_ok(value);
}

static const struct option options[] = {
	{ "claim", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command vm_attach = {
	.name = "attach",
	.summary = N_("Gives a claim's functions to a domain that exists"),
	.arguments = "DOMAIN",
	.help = N_("DOMAIN is one of libvirt's, made by virt-manager or by hand. Its\n"
		   "definition is copied to /var/lib/vfio-claim/vm/backup, and the\n"
		   "difference is shown. Refused while the claim is not held.\n\n"
		   "  --claim NAME    which claim\n"
		   "  --dry-run       only show the difference\n"),
	.options = options,
	.option = option,
	.run = run,
};
