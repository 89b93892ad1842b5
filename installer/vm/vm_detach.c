/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm detach DOMAIN: takes a claim's functions out of a domain.
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

static void add_names(const struct attached *a, struct str *s)
{
	for (size_t i = 0; i < a->n_claims; i++)
		str_join(s, i ? ", " : "", a->claims[i].name, NULL);
}

/* The one that was named, or the only one. */
static const struct attached_claim *choose(const struct attached *a, struct str *why)
{
	const struct attached_claim *c;

	if (!a->n_claims) {
		str_add(why, _("the domain uses no claim"));
		return NULL;
	}
	if (!claim_name && a->n_claims == 1)
		return &a->claims[0];
	c = claim_name ? attached_find(a, claim_name) : NULL;
	if (c)
		return c;
	str_add(why, claim_name ? _("the domain does not use that claim; it uses: ")
				: _("say which with --claim; the domain uses: "));
	add_names(a, why);
	return NULL;
}

static size_t take_out(struct domain *d, const struct attached *a,
		       const struct attached_claim *claim)
{
	struct hostdev list[HOSTDEV_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n_hostdevs; i++)
		if (a->of[i].claim == claim - a->claims)
			list[n++] = a->hostdevs[i];
	hostdev_remove(d->node, list, n);
	metadata_remove(d->node, claim->name);
	return n;
}

static int detach(struct context *context, struct domain *d, const struct attached *a)
{
	TEXT_OWNED char *backup = NULL;
	char what[1024];
	struct str s = STR_ON(what);
	const struct attached_claim *claim = choose(a, &s);

	if (!claim)
		return refuse(context, what);
	(void)take_out(d, a, claim);
	if (!context->json)
		domain_diff(d, stdout, context->colour);
	if (!context->dry_run && !domain_save(d, &backup, &s))
		return refuse(context, what);
	str_join(&s, d->name,
		 context->dry_run ? _(" would no longer have the claim ")
				  : _(" no longer has the claim "),
		 claim->name, NULL);
	if (d->running)
		str_add(&s, _("; it is running: that takes effect at its next start"));
	if (backup)
		str_join(&s, _("; what it was is in /"), backup, NULL);
	return answer(context, context->dry_run ? "dry-run" : "detached", what,
		      EXIT_DONE);
}

static int run(struct context *context)
{
	DOMAIN_OWNED struct domain d = { 0 };
	struct attached *a;
	char why[1024];
	struct str s = STR_ON(why);
	int status;

	if (context->n_arguments != 1)
		return answer(context, "usage", _("name one domain; see --help"),
			      EXIT_USAGE);
	if (!domain_open(&context->root, context->arguments[0], context->dry_run, &d, &s))
		return refuse(context, why);
	a = attached_read(&context->root, d.node);
	if (!a)
		return refuse(context, str_errno(ENOMEM));
	status = detach(context, &d, a);
	free(a);
	return status;
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

const struct command vm_detach = {
	.name = "detach",
	.summary = N_("Takes a claim's functions out of a domain"),
	.arguments = "DOMAIN",
	.help = N_("The definition is copied to /var/lib/vfio-claim/vm/backup, and the\n"
		   "difference is shown. Nothing else of the domain is changed, and the\n"
		   "claim stays held.\n\n"
		   "  --claim NAME    which claim, where the domain uses several\n"
		   "  --dry-run       only show the difference\n"),
	.options = options,
	.option = option,
	.run = run,
};
