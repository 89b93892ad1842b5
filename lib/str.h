/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings of a fixed size, and strict number parsing.
 *
 * A struct str appends to memory that its owner provides. It is always NUL terminated;
 * what does not fit is left out and remembered in `cut`. There is no printf here: it
 * would be half of the early binary's instructions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct str {
	char *buf;
	size_t size;
	size_t len;
	bool cut;
};

/* Starts an empty string in `buf`; `size` bytes, at least 1, the terminator included. */
void str_init(struct str *s, char *buf, size_t size) __attribute__((nonnull));

/* A struct str over a char array. */
#define STR_ON(array) \
	((struct str){ .buf = ((array)[0] = '\0', (array)), .size = sizeof(array) })

void str_add_n(struct str *s, const char *text, size_t len) __attribute__((nonnull));

/* Inline: the length of a literal is known when it is compiled. */
static inline void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_char(struct str *s, char c) __attribute__((nonnull));
void str_add_uint(struct str *s, uint64_t v) __attribute__((nonnull));

/* Writes exactly `digits` lower-case hex digits to `p`, and returns what is behind them. */
static inline char *str_put_hex(char *p, uint64_t v, unsigned digits)
{
#pragma GCC unroll 4
	for (unsigned i = digits; i-- > 0; v >>= 4)
		p[i] = "0123456789abcdef"[v & 15];
	return p + digits;
}

/* Lower-case hex, at least `digits` wide (1 to 16). */
void str_add_hex(struct str *s, uint64_t v, unsigned digits) __attribute__((nonnull));

/* Appends every argument up to a NULL. */
void str_join(struct str *s, ...) __attribute__((nonnull(1), sentinel));

/* Copies with truncation; for names that were checked before. */
void str_copy(char *dst, size_t size, const char *src) __attribute__((nonnull));

/*
 * A static text for an errno value of either sign, "error" for those that we do not know.
 */
const char *str_errno(int error) __attribute__((returns_nonnull));

/* Value + 1 of a hex digit, 0 of anything else. */
extern const uint8_t str_hex_value[256];

/*
 * Reads hex digits at *p, at least `min` and at most `max` of them (max <= 16), and moves
 * *p behind them. False, with *p and *ret untouched, if there are fewer; a further hex
 * digit is an error, too.
 */
bool str_take_hex(const char **p, unsigned min, unsigned max, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* As str_take_hex, for exactly `n` digits; inline, for what is read by the thousand. */
static inline __attribute__((warn_unused_result)) bool str_take_digits(const char **p,
								       unsigned n,
								       unsigned *ret)
{
	const uint8_t *c = (const uint8_t *)*p;
	unsigned v = 0, digit;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		digit = str_hex_value[c[i]];
		if (!digit)
			return false;
		v = v << 4 | (digit - 1);
	}
	if (str_hex_value[c[n]])
		return false;
	*p += n;
	*ret = v;
	return true;
}

/* As str_take_hex, for decimal digits without a leading zero; fails above `max`. */
bool str_take_uint(const char **p, uint64_t max, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* Moves *p over the character c. False if it is another one. */
bool str_take_char(const char **p, char c) __attribute__((nonnull, warn_unused_result));

/* Moves *p over `text`. False if something else stands there. */
bool str_take_text(const char **p, const char *text)
	__attribute__((nonnull, warn_unused_result));

bool str_starts(const char *text, const char *prefix) __attribute__((nonnull));
bool str_equal(const char *a, const char *b) __attribute__((nonnull));
/* Whether the first `len` bytes of `word` are one of a list with blanks between. */
bool str_has_word(const char *list, const char *word, size_t len)
	__attribute__((nonnull));
