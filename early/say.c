/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "say.h"

#include <string.h>
#include <unistd.h>

#define LINE_LEN 900

void say_line(struct fs *root, unsigned level, const char *text)
{
	char line[LINE_LEN + 32];
	struct str s = STR_ON(line);

	if (!root->captured) {
		str_add_char(&s, '<');
		str_add_uint(&s, level);
		str_add_char(&s, '>');
	}
	str_add(&s, "vfio-claim: ");
	/*
	 * names come from a file that anybody may have written: nothing reaches a
	 * terminal as is
	 */
	for (; *text; text++)
		str_add_char(&s,
			     (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	if (!s.cut)
		str_add_char(&s, '\n');
	if (root->captured)
		(void)!write(STDERR_FILENO, s.buf, s.len);
	else
		(void)!fs_write_text(root, "dev/kmsg", line);
}

static unsigned level_of(enum reason reason, const char *detail)
{
	if (reason == REASON_NONE)
		return 6;
	if (reason == REASON_OFF || reason == REASON_DRY_RUN)
		return 5;
	return strstr(detail, "NOT given back") ? 3 : 4;
}

static void say_claim(struct fs *root, const struct report *report,
		      const struct report_claim *c)
{
	char text[LINE_LEN];
	struct str s = STR_ON(text);

	str_join(&s, c->name, ": ", NULL);
	if (c->outcome == OUTCOME_CLAIMED) {
		str_add(&s, "claimed for vfio-pci:");
		for (unsigned i = 0; i < c->n && s.len < LINE_LEN - PCI_ADDRESS_LEN - 8;
		     i++) {
			if (!report->functions[c->first + i].found)
				continue;
			str_add_char(&s, ' ');
			pci_address_add(&s, report->functions[c->first + i].address);
		}
	} else {
		str_join(&s, "the host keeps it: ", reason_name(c->reason), ": ",
			 c->detail, NULL);
	}
	say_line(root, level_of(c->reason, c->detail), text);
}

void say_report(struct fs *root, const struct report *report)
{
	char text[LINE_LEN];
	struct str s = STR_ON(text);
	unsigned shown = report->n_claims;

	/* a reason that holds for everything needs no line for each claim */
	if (report->n_claims == 0 || report->reason == REASON_OFF) {
		str_join(&s, "the host keeps everything: ", reason_name(report->reason),
			 ": ", report->detail, NULL);
		say_line(root, level_of(report->reason, report->detail), text);
		return;
	}
	/* leaves one for "more claims" and one for "the report cannot be written" */
	if (shown > SAY_MAX_LINES - 1)
		shown = SAY_MAX_LINES - 2;
	for (unsigned i = 0; i < shown; i++)
		say_claim(root, report, &report->claims[i]);
	if (shown < report->n_claims) {
		str_add_uint(&s, report->n_claims - shown);
		str_add(&s, " more claims: see /" REPORT_PATH);
		say_line(root, 5, text);
	}
}
