/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim args: the kernel arguments of the boot loader in use.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <json.h>

#include "bootloader.h"
#include "change_json.h"
#include "command.h"
#include "journal.h"
#include "text.h"

enum action {
	ACTION_SHOW,
	ACTION_ADD,
	ACTION_REMOVE,
};

struct outcome {
	const char *name; /* of JSON */
	int status;
};

static const struct outcome unchanged = { "unchanged", EXIT_DONE },
			    planned = { "planned", EXIT_DONE },
			    changed = { "changed", EXIT_DONE },
			    unverified = { "unverified", EXIT_REFUSED },
			    refused = { "refused", EXIT_REFUSED };

static char evidence_text[1024], why_text[4096];

static json_object *words_json(const struct args *args)
{
	json_object *all = json_object_new_array();

	for (size_t i = 0; i < args->n; i++)
		json_object_array_add(all, json_object_new_string(args->words[i]));
	return all;
}

static void print_json(json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static json_object *begin_json(const struct bootloader *loader)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "loader",
			       loader ? json_object_new_string(loader->name) : NULL);
	json_object_object_add(o, "evidence", json_object_new_string(evidence_text));
	return o;
}

/* ---- show */

static int running_words(struct fs *root, struct args *ret)
{
	char *text;
	size_t len;
	int r;

	r = change_read(root, "proc/cmdline", &text, &len);
	if (r == 0 && text)
		r = args_parse(ret, text);
	free(text);
	return r;
}

static void show_json(const struct bootloader *loader, const struct args *words,
		      const struct args *running)
{
	json_object *o = begin_json(loader), *all = json_object_new_array();

	for (size_t i = 0; i < words->n; i++) {
		json_object *w = json_object_new_object();

		json_object_object_add(w, "word",
				       json_object_new_string(words->words[i]));
		json_object_object_add(
			w, "running",
			json_object_new_boolean(args_has(running, words->words[i])));
		json_object_array_add(all, w);
	}
	json_object_object_add(o, "arguments", all);
	json_object_object_add(o, "running", words_json(running));
	print_json(o);
}

static void show_text(const struct context *context, const struct bootloader *loader,
		      const struct args *words, const struct args *running)
{
	printf("%s (%s)\n", _(loader->title), evidence_text);
	for (size_t i = 0; i < words->n; i++) {
		const bool runs = args_has(running, words->words[i]);
		char clean[1024];

		text_clean(clean, sizeof(clean), words->words[i]);
		fputs("  ", stdout);
		text_print(stdout, context->colour, runs ? TEXT_GOOD : TEXT_WARNING, "%s",
			   runs ? "*" : "-");
		printf(" %s%s\n", clean, runs ? "" : _("  (not in this boot)"));
	}
	puts(words->n ? _("* the running kernel has it") : _("  (none)"));
}

static int show(struct context *context, const struct bootloader *loader)
{
	struct args words = { 0 }, running = { 0 };
	int r;

	r = loader->show(&context->root, &words);
	if (r < 0) {
		fprintf(stderr,
			_("vfio-claim: the arguments of %s cannot be read: %s%s\n"),
			_(loader->title), str_errno(r),
			r == -EACCES ? _("; try again as root") : "");
	} else {
		(void)running_words(&context->root, &running);
		if (context->json)
			show_json(loader, &words, &running);
		else
			show_text(context, loader, &words, &running);
	}
	args_finish(&words);
	args_finish(&running);
	return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- add, remove */

static int finish(const struct context *context, const struct bootloader *loader,
		  const struct changes *changes, const struct outcome *outcome)
{
	json_object *o;

	if (!context->json) {
		if (*why_text)
			fprintf(stderr, "vfio-claim: %s\n", why_text);
		return outcome->status;
	}
	o = begin_json(loader);
	json_object_object_add(o, "outcome", json_object_new_string(outcome->name));
	if (*why_text)
		json_object_object_add(o, "detail", json_object_new_string(why_text));
	changes_add_json(o, changes);
	print_json(o);
	return outcome->status;
}

static int apply(struct context *context, const struct changes *changes)
{
	struct str why = STR_ON(why_text);
	struct journal *journal;
	int r;

	/* programs write to stdout, too */
	fflush(stdout);
	r = journal_open(&context->root, true, &journal, &why);
	if (r < 0)
		return r;
	r = journal_apply(journal, changes, &why);
	journal_close(journal);
	return r;
}

/* What the loader will really use. */
static const struct outcome *verify(struct context *context,
				    const struct bootloader *loader,
				    const struct changes *changes, const struct args *add,
				    const struct args *remove)
{
	char reason[1024];
	struct str why = STR_ON(why_text), s = STR_ON(reason);
	int r;

	/* nobody has run what writes it */
	if (context->root.captured && changes->n_steps)
		return &changed;
	r = loader->verify(&context->root, add, remove, &s);
	if (r == 0)
		return &changed;
	if (r != -ESTALE) {
		str_join(&why, _("it was changed, but could not be read back: "), reason,
			 NULL);
		return &changed;
	}
	str_join(&why, _("it was changed, but the next boot would not see all of it: "),
		 reason, _("; 'vfio-claim undo' takes it back"), NULL);
	return &unverified;
}

static int change(struct context *context, const struct bootloader *loader,
		  const struct args *add, const struct args *remove)
{
	struct str why = STR_ON(why_text);
	struct changes changes = { 0 };
	const struct outcome *outcome = &refused;
	int r;

	r = loader->plan(&context->root, add, remove, &changes, &why);
	if (r < 0 && !why.len)
		str_add(&why, str_errno(r));
	if (r == 0 && !changes.n_files && !changes.n_steps) {
		if (!context->json)
			puts(_("Nothing to do."));
		outcome = &unchanged;
	} else if (r == 0) {
		if (!context->json)
			changes_print(&changes, stdout, context->colour);
		outcome = &planned;
		if (!context->dry_run)
			outcome =
				apply(context, &changes) < 0
					? &refused
					: verify(context, loader, &changes, add, remove);
		if (outcome == &changed && !context->json)
			puts(_("Done. It counts from the next boot on."));
	}
	r = finish(context, loader, &changes, outcome);
	changes_finish(&changes);
	return r;
}

static int usage(const char *message, const char *word)
{
	char clean[256];

	text_clean(clean, sizeof(clean), word);
	fprintf(stderr, "vfio-claim: %s: '%s'\n", message, clean);
	fputs("Try 'vfio-claim args --help'.\n", stderr);
	return EXIT_USAGE;
}

/* The words of the command line, each once. EXIT_DONE, or the status to exit with. */
static int take_words(const struct context *context, struct args *ret)
{
	for (int i = 1; i < context->n_arguments; i++) {
		const char *word = context->arguments[i];
		struct args one = { 0 };
		int r = args_add(&one, word);

		if (r == 0)
			r = args_copy(ret, &one);
		args_finish(&one);
		if (r == -EINVAL)
			return usage(_("not one kernel argument (no blanks outside of "
				       "double quotes, no control characters)"),
				     word);
		if (r < 0) {
			fprintf(stderr, "vfio-claim: %s\n", str_errno(r));
			return EXIT_REFUSED;
		}
	}
	return EXIT_DONE;
}

static int act(struct context *context, enum action action, const struct args *words)
{
	struct str evidence = STR_ON(evidence_text), why = STR_ON(why_text);
	const struct args none = { 0 };
	const struct bootloader *loader;

	if (action != ACTION_SHOW && !context->dry_run && !context->root.captured &&
	    geteuid() != 0) {
		str_add(&why, _("only root may change the kernel's arguments; --dry-run "
				"shows what would be done"));
		return finish(context, NULL, NULL, &refused);
	}
	loader = bootloader_find(&context->root, &evidence, &why);
	if (!loader)
		return finish(context, NULL, NULL, &refused);
	if (action == ACTION_SHOW)
		return show(context, loader);
	return change(context, loader, action == ACTION_ADD ? words : &none,
		      action == ACTION_REMOVE ? words : &none);
}

static int run(struct context *context)
{
	static const char *const names[] = { "show", "add", "remove" };
	const char *name = context->n_arguments ? context->arguments[0] : "";
	struct args words = { 0 };
	size_t action = 0;
	int r;

	while (action < ARRAY_SIZE(names) && !str_equal(name, names[action]))
		action++;
	if (action == ARRAY_SIZE(names))
		return usage(_("show, add or remove is expected"), name);
	if ((action == ACTION_SHOW) != (context->n_arguments == 1))
		return usage(action == ACTION_SHOW ? _("show takes no arguments")
						   : _("kernel arguments are missing"),
			     name);
	r = take_words(context, &words);
	if (r == EXIT_DONE)
		r = act(context, (enum action)action, &words);
	args_finish(&words);
	return r;
}

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command cmd_args = {
	.name = "args",
	.summary = N_("Shows or changes the kernel arguments of the boot loader in use"),
	.arguments = "show | add ARG... | remove ARG...",
	.help = N_("An argument is matched as a whole: 'remove iommu' leaves iommu=pt "
		   "alone. As to\nthe kernel, - and _ are the same in its name.\n\n"
		   "  --dry-run       only print what would be done\n"),
	.options = options,
	.run = run,
};
