/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim: the command that people use. Results on stdout, diagnostics on stderr.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "str.h"
#include "text.h"

#ifndef VERSION
#error VERSION is set by the Makefile
#endif

static const struct command *const commands[] = {
	&cmd_list,  &cmd_doctor,  &cmd_setup, &cmd_args,     &cmd_status, &cmd_confirm,
	&cmd_claim, &cmd_release, &cmd_undo,  &cmd_snapshot, &cmd_images,
};

static void print_usage(FILE *out)
{
	fputs(_("Usage: vfio-claim COMMAND [OPTION]...\n"
		"\n"
		"Gives a graphics card to virtual machines, and takes it back when in doubt.\n"
		"\n"),
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!commands[i]->hidden)
			fprintf(out, "  %-10s %s\n", commands[i]->name,
				_(commands[i]->summary));
	fputs(_("\n"
		"'vfio-claim COMMAND --help' lists a command's options; see vfio-claim(8).\n"),
	      out);
}

static void print_help(const struct command *command)
{
	printf(_("Usage: vfio-claim %s [OPTION]...%s%s\n\n%s.\n\n%s"
		 "  --root DIR      a captured machine below DIR instead of this one\n"
		 "  --json          for scripts\n"
		 "  --help          this text\n"
		 "\n"
		 "Exit status: 0 done, 1 refused or a problem was found, 2 wrong usage.\n"),
	       command->name, command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", _(command->summary),
	       *command->help ? _(command->help) : "");
}

static int wrong(const char *command)
{
	fprintf(stderr, _("Try 'vfio-claim%s%s --help'.\n"), *command ? " " : "",
		command);
	return EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct context context = { .command = command->name };
	const char *root = "/";
	int c, r;

	/* getopt names the program in its messages */
	argv[0] = (char[]){ "vfio-claim" };
	while ((c = getopt_long(argc, argv, "h", command->options, NULL)) != -1) {
		if (c == 'R') {
			root = optarg;
		} else if (c == 'J') {
			context.json = true;
		} else if (c == 'N') {
			context.dry_run = true;
		} else if (c == 'h') {
			print_help(command);
			return EXIT_DONE;
		} else if (c == '?') {
			return wrong(command->name);
		} else if (!command->option || !command->option(c, optarg)) {
			fprintf(stderr, _("vfio-claim: a wrong value: %s\n"), optarg);
			return wrong(command->name);
		}
	}
	context.arguments = argv + optind;
	context.n_arguments = argc - optind;
	context.colour = !context.json && text_colour(stdout);
	if (context.n_arguments && !command->arguments) {
		fprintf(stderr, _("vfio-claim: unknown argument: %s\n"), argv[optind]);
		return wrong(command->name);
	}
	r = fs_init(&context.root, root);
	if (r < 0) {
		fprintf(stderr, _("vfio-claim: cannot open %s: %s\n"), root,
			str_errno(r));
		return EXIT_USAGE;
	}
	r = command->run(&context);
	fs_finish(&context.root);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs(_("vfio-claim: the output cannot be written\n"), stderr);
		r = EXIT_REFUSED;
	}
	return r;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	setlocale(LC_ALL, "");
	bindtextdomain("vfio-claim", LOCALEDIR);
	textdomain("vfio-claim");
	if (str_equal(name, "--help") || str_equal(name, "-h") ||
	    str_equal(name, "help")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (str_equal(name, "--version")) {
		puts("vfio-claim " VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (str_equal(name, commands[i]->name))
			return run(commands[i], argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, _("vfio-claim: unknown command: %s\n"), name);
	else
		fputs(_("vfio-claim: a command is missing\n"), stderr);
	return wrong("");
}
