/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prompt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "str.h"
#include "text.h"

bool prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* One line without its newline. False at the end of input. */
static bool read_answer(char *answer, size_t size)
{
	fflush(stderr);
	if (!fgets(answer, (int)size, stdin))
		return false;
	answer[strcspn(answer, "\n")] = '\0';
	return true;
}

bool prompt_yes(const char *question)
{
	char answer[64];

	/* TRANSLATORS: the answers are y and yes in every language */
	fprintf(stderr, _("%s [y/N] "), question);
	return read_answer(answer, sizeof(answer)) &&
	       (str_equal(answer, "y") || str_equal(answer, "Y") ||
		str_equal(answer, "yes"));
}

unsigned prompt_number(const char *question, unsigned max, unsigned proposed)
{
	char answer[64];
	const char *p;
	uint64_t number;

	for (;;) {
		if (proposed)
			fprintf(stderr, "%s [%u] ", question, proposed);
		else
			fprintf(stderr, "%s ", question);
		if (!read_answer(answer, sizeof(answer)) || str_equal(answer, "q"))
			return 0;
		if (!*answer && proposed)
			return proposed;
		p = answer;
		if (str_take_uint(&p, max, &number) && !*p && number)
			return (unsigned)number;
		fprintf(stderr, _("A number from 1 to %u, or q.\n"), max);
	}
}
