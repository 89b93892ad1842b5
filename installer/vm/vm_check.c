/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm check DOMAIN: what is wrong with a domain for passthrough; --fix mends
 * what can be mended in its definition.
 */
#include "answer.h"
#include "check.h"
#include "domain.h"
#include "text.h"
#include "vm_commands.h"

static bool fix;

static int refuse(const struct context *context, const char *what)
{
	return answer(context, "refused", what, EXIT_REFUSED);
}

/* What was mended in the tree reaches the domain, or is mended no more. */
static bool save(const struct context *context, struct domain *d, struct check *c,
		 char **ret_backup, struct str *why)
{
	if (!check_count_fixed(c))
		return true;
	if (!context->json) {
		domain_diff(d, stdout, context->colour);
		fputc('\n', stdout);
	}
	if (context->dry_run) {
		check_forget_fixes(c);
		return true;
	}
	return domain_save(d, ret_backup, why);
}

static int report(const struct context *context, const struct domain *d,
		  const struct check *c, const char *backup)
{
	if (context->json) {
		if (check_print_json(c, stdout) < 0)
			return EXIT_REFUSED;
	} else {
		check_print(c, stdout, context->colour);
		if (backup)
			printf(_("What it was is in /%s.\n"), backup);
		if (backup && d->running)
			puts(_("It is running: that takes effect at its next start."));
	}
	return check_count(c, CHECK_PROBLEM) ? EXIT_REFUSED : EXIT_DONE;
}

static int check_domain(const struct context *context, struct domain *d)
{
	TEXT_OWNED char *backup = NULL;
	static struct check c;
	char why[1024];
	struct str s = STR_ON(why);
	int r, status;

	r = check_begin(&c, d->root, d->name, d->node);
	if (r == 0) {
		c.running = d->running;
		c.session = d->session;
		c.fix = fix;
		check_run(&c);
		r = c.error;
	}
	if (r < 0)
		status = refuse(context, str_errno(r));
	else if (!save(context, d, &c, &backup, &s))
		status = refuse(context, why);
	else
		status = report(context, d, &c, backup);
	check_finish(&c);
	return status;
}

static int run(struct context *context)
{
	DOMAIN_OWNED struct domain d = { 0 };
	char why[1024];
	struct str s = STR_ON(why);

	if (context->n_arguments != 1)
		return answer(context, "usage", _("name one domain; see --help"),
			      EXIT_USAGE);
	if (!domain_open(&context->root, context->arguments[0], !fix || context->dry_run,
			 &d, &s))
		return refuse(context, why);
	return check_domain(context, &d);
}

static bool option(int c, const char *value)
{
	(void)value;
	fix = c == 'f';
	return fix;
}

static const struct option options[] = {
	{ "fix", no_argument, NULL, 'f' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command vm_check = {
	.name = "check",
	.summary = N_("What is wrong with a domain, and the mend"),
	.arguments = "DOMAIN",
	.help = N_(
		"Addresses that moved, functions left out, drivers, firmware, memory,\n"
		"files that QEMU may not read, and settings that old guides copied.\n\n"
		"  --fix           mend what can be mended in its definition, which is\n"
		"                  copied to /var/lib/vfio-claim/vm/backup first\n"
		"  --dry-run       with --fix: only show the difference\n"),
	.options = options,
	.option = option,
	.run = run,
};
