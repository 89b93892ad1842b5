/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

bool text_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(stream)) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

void text_print(FILE *stream, bool colour, enum text_style style, const char *format, ...)
{
	static const char *const codes[TEXT_COUNT] = {
		[TEXT_BOLD] = "\033[1m",   [TEXT_DIM] = "\033[2m",
		[TEXT_GOOD] = "\033[32m",  [TEXT_WARNING] = "\033[33m",
		[TEXT_BAD] = "\033[1;31m",
	};
	const bool styled = colour && codes[style];
	va_list args;

	if (styled)
		fputs(codes[style], stream);
	va_start(args, format);
	vfprintf(stream, format, args);
	va_end(args);
	if (styled)
		fputs("\033[0m", stream);
}

/* Bytes of the UTF-8 character at `c`; 0 if there is none that may be printed. */
static size_t character(const char *c)
{
	const uint8_t *b = (const uint8_t *)c;
	const size_t len = b[0] < 0x80		   ? 1
			   : (b[0] & 0xe0) == 0xc0 ? 2
			   : (b[0] & 0xf0) == 0xe0 ? 3
			   : (b[0] & 0xf8) == 0xf0 ? 4
						   : 0;
	uint32_t v = len == 1 ? b[0] : b[0] & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (b[i] & 0x3f);
	}
	/* control characters, overlong forms, surrogates, and what turns text around */
	if (v < 0x20 || (v >= 0x7f && v < 0xa0) || (len == 2 && v < 0x80) ||
	    (len == 3 && v < 0x800) || (len == 4 && (v < 0x10000 || v > 0x10ffff)) ||
	    (v >= 0xd800 && v < 0xe000) || (v >= 0x200e && v <= 0x200f) ||
	    (v >= 0x2028 && v <= 0x202e) || (v >= 0x2066 && v <= 0x2069))
		return 0;
	return len;
}

void text_clean(char *dst, size_t size, const char *src)
{
	size_t at = 0;

	while (*src) {
		const size_t len = character(src);
		const size_t takes = len ? len : 1;

		if (at + takes >= size)
			break;
		if (len)
			memcpy(dst + at, src, len);
		else
			dst[at] = '?';
		at += takes;
		src += takes;
	}
	dst[at] = '\0';
}

void text_field(const char *line, unsigned n, char *ret, size_t size)
{
	struct str s;

	for (; n && *line && *line != '\n'; line++)
		n -= *line == ':';
	str_init(&s, ret, size);
	str_add_n(&s, line, strcspn(line, ":\n"));
}

char *text_splice(const char *text, size_t from, size_t to, const char *with)
{
	const size_t len = strlen(text), more = strlen(with);
	char *all = malloc(len - (to - from) + more + 1);

	if (!all)
		return NULL;
	memcpy(all, text, from);
	memcpy(all + from, with, more);
	memcpy(all + from + more, text + to, len - to + 1);
	return all;
}
