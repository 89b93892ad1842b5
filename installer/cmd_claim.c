/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim claim NAME: takes a claim's functions from the host without a reboot.
 */
#include "answer.h"
#include "boot.h"
#include "patience.h"
#include "str.h"
#include "text.h"

/* What the owner gave back and takes again is no longer given back. */
static void forget_release(struct fs *root)
{
	struct confirmation c;

	boot_load_confirmation(root, &c);
	if (c.by_owner)
		(void)root->ops->remove(root, CONFIRM_PATH);
}

static struct patience patience;

static bool option(int letter, const char *value)
{
	return patience_option(&patience, letter, value);
}

static int run(struct context *context)
{
	char what[1024];
	struct str s = STR_ON(what);
	static struct holders holders;
	enum handover result;
	int status;

	if (!answer_one_claim(context, &status))
		return status;
	result = patience_run(context, &patience, handover_claim, &holders, &s);
	if (result == HANDOVER_DONE && !context->dry_run)
		forget_release(&context->root);
	return answer_with(context, handover_name(result), what, holders_json(&holders),
			   result <= HANDOVER_NOTHING ? EXIT_DONE : EXIT_REFUSED);
}

static const struct option options[] = {
	PATIENCE_OPTIONS,
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command cmd_claim = {
	.name = "claim",
	.summary = N_("Takes a claim's functions from the host without a reboot"),
	.arguments = "NAME",
	.help = N_(
		"NAME is that of a [claim NAME] in /etc/vfio-claim.conf. Refused while\n"
		"anything on the host uses one of its functions, and by all that would\n"
		"refuse it at boot. It lasts until the next boot, which decides anew.\n\n"
		"  --when-free     wait until nobody holds them any more, and say who does\n"
		"  --timeout SECONDS  the same, for at most that long\n"
		"  --dry-run       only say what would be done\n"),
	.options = options,
	.option = option,
	.run = run,
};
