/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim undo: every file as it was before setup.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "change_json.h"
#include "command.h"
#include "conf.h"
#include "initramfs.h"
#include "journal.h"
#include "text.h"

static bool yes;

static bool option(int c, const char *value)
{
	(void)value;
	yes = c == 'y';
	return yes;
}

static json_object *notes_json(const struct str *notes)
{
	json_object *all = json_object_new_array();
	const char *line = notes->buf;

	while (*line) {
		const char *end = strchrnul(line, '\n');

		json_object_array_add(
			all, json_object_new_string_len(line, (int)(end - line)));
		line = *end ? end + 1 : end;
	}
	return all;
}

static int finish(const struct context *context, const struct changes *changes,
		  const struct str *notes, const char *outcome, const char *detail,
		  int status)
{
	json_object *o;

	if (!context->json) {
		fprintf(status == EXIT_DONE ? stdout : stderr, "%s%s\n",
			status == EXIT_DONE ? "" : "vfio-claim: ", detail);
		return status;
	}
	o = json_object_new_object();
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "outcome", json_object_new_string(outcome));
	json_object_object_add(o, "detail", json_object_new_string(detail));
	changes_add_json(o, changes);
	json_object_object_add(o, "notes", notes_json(notes));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return status;
}

static bool agreed(void)
{
	char answer[16];

	fputs(_("Undo all of this? [y/N] "), stderr);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static void print_plan(const struct context *context, const struct changes *changes,
		       const struct str *notes)
{
	if (context->json)
		return;
	if (notes->len)
		text_print(stdout, context->colour, TEXT_WARNING, "%s\n", notes->buf);
	changes_print(changes, stdout, context->colour);
	fflush(stdout);
}

/* A configuration that was there before comes back, and may have claims of its own. */
static bool claims_are_left(struct context *context)
{
	static struct conf conf;
	struct conf_error error;

	return conf_load(&context->root, CONF_PATH, &conf, &error) == 0 &&
	       conf.n_claims > 0;
}

static int carry_out(struct context *context, struct journal *journal,
		     const struct changes *changes, const struct str *notes)
{
	char text[2048];
	struct str why = STR_ON(text);

	print_plan(context, changes, notes);
	if (context->dry_run)
		return finish(context, changes, notes, "planned",
			      _("nothing was changed: this was a dry run"), EXIT_DONE);
	if (!yes && (context->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)))
		return finish(context, changes, notes, "refused",
			      _("there is no terminal to ask on, so nothing was changed; "
				"\"vfio-claim undo --yes\" does it"),
			      EXIT_REFUSED);
	if (!yes && !agreed())
		return finish(context, changes, notes, "refused",
			      _("nothing was changed"), EXIT_REFUSED);
	if (journal_undo(journal, changes, &why) < 0)
		return finish(context, changes, notes, "failed", text, EXIT_REFUSED);
	return finish(context, changes, notes, "done",
		      claims_are_left(context)
			      ? _("everything is undone; the claims in /" CONF_PATH
				  " were there before, and the next boot makes them")
			      : _("everything is undone; the next boot leaves the GPU to "
				  "the host"),
		      EXIT_DONE);
}

/* Another generator may have come since. */
static void plan_images(struct fs *root, struct changes *changes, struct str *notes)
{
	char text[1024];
	struct str why = STR_ON(text);

	if (initramfs_plan_again(root, changes, &why) < 0)
		str_join(notes, notes->len ? "\n" : "",
			 _("the initramfs images may still hold the claim: "), text,
			 NULL);
}

static int run(struct context *context)
{
	char text[2048], lines[16384];
	struct str why = STR_ON(text), notes = STR_ON(lines);
	struct changes changes = { 0 };
	struct journal *journal;
	int r;

	if (!context->root.captured && !context->dry_run && geteuid() != 0)
		return finish(
			context, &changes, &notes, "refused",
			_("only root may do that; \"vfio-claim undo\" needs sudo or a "
			  "root shell"),
			EXIT_REFUSED);
	r = journal_open(&context->root, !context->dry_run, &journal, &why);
	if (r < 0)
		return finish(context, &changes, &notes, "refused", text, EXIT_REFUSED);
	if (journal_state(journal) == JOURNAL_NONE) {
		r = finish(
			context, &changes, &notes, "nothing",
			_("there is nothing to undo: vfio-claim has changed nothing here"),
			EXIT_DONE);
	} else {
		r = journal_plan_undo(journal, &changes, &notes, &why);
		if (r == 0)
			plan_images(&context->root, &changes, &notes);
		r = r < 0 ? finish(context, &changes, &notes, "refused", text,
				   EXIT_REFUSED)
			  : carry_out(context, journal, &changes, &notes);
	}
	changes_finish(&changes);
	journal_close(journal);
	return r;
}

static const struct option options[] = {
	{ "yes", no_argument, NULL, 'y' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command cmd_undo = {
	.name = "undo",
	.summary = "Puts back every file that setup and args have changed",
	.help = "A file that nobody edited since comes back byte for byte. Of one that was\n"
		"edited only our own words are taken out, or a copy of it is kept.\n\n"
		"  --yes           do not ask\n"
		"  --dry-run       only say what would be done\n",
	.options = options,
	.option = option,
	.run = run,
};
