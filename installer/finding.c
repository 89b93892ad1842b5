/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "finding.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INDENT 9 /* columns: the longest word and a blank */
#define WIDTH 80 /* where nobody says */
#define NARROW 40 /* less is no use */
#define SAID_MAX 2048 /* bytes of a detail or a mend */

static size_t width_of(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return WIDTH;
	return size.ws_col < NARROW ? NARROW : size.ws_col;
}

/* Columns of UTF-8, each character as one. */
static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}

/* Words from column `at` on, in lines that begin at the indent. */
static void wrap(FILE *out, size_t width, size_t at, const char *text)
{
	for (;;) {
		size_t len, wide;

		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (!len)
			break;
		wide = columns(text, len);
		/* one column stays free: some consoles wrap when it is written */
		if (at > INDENT && at + 1 + wide >= width) {
			fprintf(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)len, text);
		at += wide;
		text += len;
	}
	fputc('\n', out);
}

void finding_print(FILE *out, bool colour, const struct finding_text *finding)
{
	const char *mend = _("Mend:");
	const size_t used = columns(finding->word, strlen(finding->word)),
		     title = columns(finding->title, strlen(finding->title)),
		     width = width_of(out);

	text_print(out, colour, finding->style, "%s", finding->word);
	fprintf(out, "%*s", used < INDENT ? (int)(INDENT - used) : 1, "");
	text_print(out, colour, finding->plain ? TEXT_PLAIN : TEXT_BOLD,
		   "%s:", finding->title);
	wrap(out, width, INDENT + title + 1, finding->detail);
	if (!finding->mend)
		return;
	fprintf(out, "%*s", INDENT, "");
	text_print(out, colour, TEXT_BOLD, "%s", mend);
	wrap(out, width, INDENT + columns(mend, strlen(mend)), finding->mend);
}

char *finding_format(const char *format, va_list arguments)
{
	char text[SAID_MAX], clean[SAID_MAX];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	text_clean(clean, sizeof(clean), text);
	return strdup(clean);
}

bool finding_put(json_object *object, const char *key, json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

int finding_print_json(FILE *out, json_object *all, bool built)
{
	const char *text = NULL;

	if (built)
		text = json_object_to_json_string_ext(
			all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				     JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(all);
	return text ? 0 : -ENOMEM;
}
