/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot loader's shell file: words go in and come out again, byte for byte; what is
 * refused stays as it is.
 */
#include "shell.h"

#include <errno.h>

#include "fuzz.h"
#include "str.h"

#define KEY "GRUB_CMDLINE_LINUX"

static const char *const keys[] = { KEY, NULL };

static int parse(struct shell *shell, bool bash, const char *text)
{
	struct shell_problem problem = { 0 };

	*shell = (struct shell){ .keys = keys, .bash = bash };
	CHECK(shell_add_file(shell, "grub", strdup(text)) == 0);
	return shell_parse(shell, &problem);
}

static void check_there_and_back(bool bash, const char *text, const struct args *words,
				 const struct args *ours)
{
	SHELL_OWNED struct shell shell = { 0 }, again = { 0 };
	ARGS_OWNED struct args now = { 0 }, afresh = { 0 }, others = { 0 };
	struct shell_problem problem = { 0 };

	CHECK(parse(&shell, bash, text) == 0);
	if (shell_append(&shell, KEY, 0, ours, &problem) < 0) {
		CHECK(problem.path && problem.reason);
		return;
	}
	CHECK(shell_words(&shell, KEY, &now) == 0 && args_has_all(&now, ours));
	CHECK(args_without(&others, &now, ours) == 0 && args_equal(&others, words));
	CHECK(parse(&again, bash, shell.files[0].text) == 0);
	CHECK(shell_words(&again, KEY, &afresh) == 0 && args_equal(&afresh, &now));
	CHECK(shell_remove(&again, KEY, ours, &problem) == 0);
	CHECK(strcmp(again.files[0].text, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SHELL_OWNED struct shell shell = { 0 };
	ARGS_OWNED struct args words = { 0 }, ours = { 0 };
	char *text = fuzz_text(data, size);
	const bool bash = size % 2;
	int r;

	CHECK(args_add(&ours, "intel_iommu=on") == 0);
	CHECK(args_add(&ours, "memmap=\"1M$4G 2\"") == 0);
	r = parse(&shell, bash, text);
	if (r == 0)
		r = shell_words(&shell, KEY, &words);
	if (r == 0 && !args_has(&words, ours.words[0]) &&
	    !args_has(&words, ours.words[1]))
		check_there_and_back(bash, text, &words, &ours);
	free(text);
	return 0;
}
