/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command is one file that ends in one const struct command; main.c has the table,
 * installer/vm/main.c that of "vfio-claim vm".
 */
#pragma once

#include <getopt.h>

#include "fs.h"

/* Exit statuses. */
enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1, /* or a problem was found */
	EXIT_USAGE = 2,
};

struct context {
	struct fs root;
	const char *command; /* for messages */
	char **arguments; /* what is no option */
	int n_arguments;
	bool json;
	bool dry_run;
	bool colour; /* of stdout */
};

/* What every command takes, for the end of its table of options. */
#define COMMON_OPTIONS                                                                \
	{ "root", required_argument, NULL, 'R' }, { "json", no_argument, NULL, 'J' }, \
		{ "help", no_argument, NULL, 'h' },                                   \
	{                                                                             \
		NULL, 0, NULL, 0                                                      \
	}

struct command {
	const char *name;
	const char *summary;
	const char *arguments; /* "[FUNCTION]...", for its usage; NULL: it takes none */
	const char *help; /* its options */
	const struct option *options;
	/* One that is not common; false if its value is wrong. May be NULL. */
	bool (*option)(int option, const char *value);
	int (*run)(struct context *context);
	bool hidden; /* for our own hooks: not in the usage */
	/*
	 * A program of its own, that this one becomes; then run is NULL. Returns an exit
	 * status.
	 */
	int (*become)(int argc, char **argv);
};

struct commands {
	const char *program; /* "vfio-claim", for messages */
	const char *about;
	const char *manual; /* "vfio-claim(8)" */
	const struct command *const *table;
	size_t n;
};

/* What main() does: finds the command, reads its options, runs it. */
int command_main(const struct commands *commands, int argc, char **argv)
	__attribute__((nonnull, warn_unused_result));

extern const struct command cmd_args, cmd_claim, cmd_confirm, cmd_doctor, cmd_entries,
	cmd_images, cmd_list, cmd_release, cmd_setup, cmd_snapshot, cmd_status, cmd_undo,
	cmd_vm;
