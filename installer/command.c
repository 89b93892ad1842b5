/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "text.h"

#ifndef VERSION
#error VERSION is set by the Makefile
#endif

static const struct commands *commands;

static void print_usage(FILE *out)
{
	fprintf(out, _("Usage: %s COMMAND [OPTION]...\n\n%s\n\n"), commands->program,
		_(commands->about));
	for (size_t i = 0; i < commands->n; i++)
		if (!commands->table[i]->hidden)
			fprintf(out, "  %-10s %s\n", commands->table[i]->name,
				_(commands->table[i]->summary));
	fprintf(out, _("\n'%s COMMAND --help' lists a command's options; see %s.\n"),
		commands->program, commands->manual);
}

static void print_help(const struct command *command)
{
	printf(_("Usage: %s %s [OPTION]...%s%s\n\n%s.\n\n%s"
		 "  --root DIR      a captured machine below DIR instead of this one\n"
		 "  --json          for scripts\n"
		 "  --help          this text\n"
		 "\n"
		 "Exit status: 0 done, 1 refused or a problem was found, 2 wrong usage.\n"),
	       commands->program, command->name, command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", _(command->summary),
	       *command->help ? _(command->help) : "");
}

static int wrong(const char *command)
{
	fprintf(stderr, _("Try '%s%s%s --help'.\n"), commands->program,
		*command ? " " : "", command);
	return EXIT_USAGE;
}

static int wrong_value(const struct command *command, int option, const char *value)
{
	char clean[256];

	text_clean(clean, sizeof(clean), value ? value : "");
	fprintf(stderr, _("vfio-claim: a wrong value for --%s: '%s'\n"),
		command->options[option].name, clean);
	return wrong(command->name);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct context context = { .command = command->name };
	const char *root = "/";
	int c, r, option = 0;

	/* getopt names the program in its messages */
	argv[0] = (char[]){ "vfio-claim" };
	while ((c = getopt_long(argc, argv, "h", command->options, &option)) != -1) {
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
			return wrong_value(command, option, optarg);
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

/* The two that we use: the other ten would be 40 system calls more. */
static void speak(void)
{
	setlocale(LC_CTYPE, "");
	setlocale(LC_MESSAGES, "");
	bindtextdomain("vfio-claim", LOCALEDIR);
	textdomain("vfio-claim");
}

int command_main(const struct commands *all, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	commands = all;
	if (str_equal(name, "--version")) {
		puts("vfio-claim " VERSION);
		return EXIT_DONE;
	}
	speak();
	if (str_equal(name, "--help") || str_equal(name, "-h") ||
	    str_equal(name, "help")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < all->n; i++)
		if (str_equal(name, all->table[i]->name))
			return all->table[i]->become
				       ? all->table[i]->become(argc - 1, argv + 1)
				       : run(all->table[i], argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, _("vfio-claim: unknown command: %s\n"), name);
	else
		fputs(_("vfio-claim: a command is missing\n"), stderr);
	return wrong("");
}
