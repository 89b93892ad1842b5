/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void str_init(struct str *s, char *buf, size_t size)
{
	*s = (struct str){ .buf = buf, .size = size };
	buf[0] = '\0';
}

void str_add_n(struct str *s, const char *text, size_t len)
{
	size_t room = s->size - 1 - s->len;

	if (len > room) {
		len = room;
		s->cut = true;
	}
	memcpy(s->buf + s->len, text, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void str_add_char(struct str *s, char c)
{
	if (s->len + 1 < s->size) {
		s->buf[s->len++] = c;
		s->buf[s->len] = '\0';
	} else {
		s->cut = true;
	}
}

void str_add_uint(struct str *s, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	str_add_n(s, digits + n, sizeof(digits) - n);
}

void str_add_hex(struct str *s, uint64_t v, unsigned digits)
{
	char text[16];

	while (digits < sizeof(text) && v >> (4 * digits))
		digits++;
	str_put_hex(text, v, digits);
	str_add_n(s, text, digits);
}

void str_join(struct str *s, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, s);
	while ((text = va_arg(ap, const char *)))
		str_add(s, text);
	va_end(ap);
}

void str_copy(char *dst, size_t size, const char *src)
{
	struct str s;

	str_init(&s, dst, size);
	str_add(&s, src);
}

/* strerror() would pull musl's whole message table into the binary. */
const char *str_errno(int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{ EPERM, "operation not permitted" },
		{ ENOENT, "no such file" },
		{ EIO, "input/output error" },
		{ ENXIO, "no such device or address" },
		{ ENOEXEC, "not a module of this kernel" },
		{ EAGAIN, "deferred" },
		{ ENOMEM, "out of memory" },
		{ EACCES, "permission denied" },
		{ EBUSY, "device or resource busy" },
		{ EEXIST, "exists already" },
		{ ENODEV, "no such device" },
		{ ENOTDIR, "not a directory" },
		{ EISDIR, "is a directory" },
		{ EINVAL, "invalid argument" },
		{ EFBIG, "too large" },
		{ ENOSPC, "no space left" },
		{ EROFS, "read-only" },
		{ ELOOP, "too many symbolic links" },
		{ ENAMETOOLONG, "name too long" },
		{ ETIMEDOUT, "timed out" },
		{ EPROTO, "malformed content" },
	};

	if (error < 0)
		error = -error;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].error == error)
			return known[i].text;
	return "error";
}

const uint8_t str_hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool str_take_hex(const char **p, unsigned min, unsigned max, uint64_t *ret)
{
	const char *c = *p;
	uint64_t v = 0;
	unsigned n = 0, digit;

	for (; n <= max && (digit = str_hex_value[(uint8_t)*c]); n++, c++)
		v = v << 4 | (digit - 1);
	if (n < min || n > max)
		return false;
	*p = c;
	*ret = v;
	return true;
}

bool str_take_uint(const char **p, uint64_t max, uint64_t *ret)
{
	const char *c = *p;
	uint64_t v = 0;

	if (*c < '0' || *c > '9' || (*c == '0' && c[1] >= '0' && c[1] <= '9'))
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (unsigned)(*c - '0');
	}
	if (v > max)
		return false;
	*p = c;
	*ret = v;
	return true;
}

bool str_take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

bool str_take_text(const char **p, const char *text)
{
	const char *c = *p;

	while (*text)
		if (*c++ != *text++)
			return false;
	*p = c;
	return true;
}

bool str_starts(const char *text, const char *prefix)
{
	return str_take_text(&text, prefix);
}

bool str_equal(const char *a, const char *b)
{
	return !strcmp(a, b);
}

bool str_has_word(const char *list, const char *word, size_t len)
{
	for (size_t n; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, len))
			return true;
	}
	return false;
}
