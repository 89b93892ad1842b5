/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "str.h"

static void appends_and_cuts(void **state)
{
	char buf[8];
	struct str s = STR_ON(buf);

	(void)state;
	str_add(&s, "abc");
	str_add_char(&s, 'd');
	assert_string_equal(buf, "abcd");
	assert_false(s.cut);
	str_add(&s, "efg");
	assert_false(s.cut);
	assert_int_equal(s.len, 7);
	str_add_char(&s, 'h');
	assert_true(s.cut);
	assert_string_equal(buf, "abcdefg");
	str_add(&s, "");
	assert_int_equal(s.len, 7);
}

static void one_byte_holds_the_empty_string(void **state)
{
	char buf[2] = { 'x', 'x' };
	struct str s;

	(void)state;
	str_init(&s, buf, 1);
	str_add(&s, "long");
	assert_true(s.cut);
	assert_int_equal(buf[0], '\0');
	assert_int_equal(buf[1], 'x');
}

static void numbers_are_written(void **state)
{
	char buf[128];
	struct str s = STR_ON(buf);

	(void)state;
	str_add_uint(&s, 0);
	str_add_char(&s, ' ');
	str_add_uint(&s, UINT64_MAX);
	str_add_char(&s, ' ');
	str_add_hex(&s, 0, 1);
	str_add_char(&s, ' ');
	str_add_hex(&s, 0x1f, 4);
	str_add_char(&s, ' ');
	str_add_hex(&s, 0x12345, 4);
	str_add_char(&s, ' ');
	str_add_hex(&s, UINT64_MAX, 16);
	assert_string_equal(buf, "0 18446744073709551615 0 001f 12345 ffffffffffffffff");
}

static void join_and_copy(void **state)
{
	char buf[16], small[4];
	struct str s = STR_ON(buf);

	(void)state;
	str_join(&s, "a", "", "bc", NULL);
	assert_string_equal(buf, "abc");
	str_copy(small, sizeof(small), "truncated");
	assert_string_equal(small, "tru");
}

static void hex_is_strict(void **state)
{
	static const struct {
		const char *text;
		unsigned min, max;
		bool ok;
		uint64_t value;
		size_t used;
	} cases[] = {
		{ "00ff:", 4, 4, true, 0xff, 4 },
		{ "00fF", 4, 4, true, 0xff, 4 },
		{ "0ff", 4, 4, false, 0, 0 },
		{ "000ff", 4, 4, false, 0, 0 },
		{ "", 1, 4, false, 0, 0 },
		{ "g", 1, 4, false, 0, 0 },
		{ "0x1", 1, 4, true, 0, 1 },
		{ "+1", 1, 4, false, 0, 0 },
		{ " 1", 1, 4, false, 0, 0 },
		{ "1 ", 1, 4, true, 1, 1 },
		{ "ffffffffffffffff", 1, 16, true, UINT64_MAX, 16 },
		{ "fffffffffffffffff", 1, 16, false, 0, 0 },
		/* | 0x20 makes letters of these */
		{ "\x41\x01", 1, 4, true, 0xa, 1 },
		{ "@", 1, 4, false, 0, 0 },
		{ "`", 1, 4, false, 0, 0 },
		{ "\xe1", 1, 4, false, 0, 0 },
		{ "\x10", 1, 4, false, 0, 0 },
		{ "\x12", 1, 4, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *p = cases[i].text;
		uint64_t v = 77;
		bool ok = str_take_hex(&p, cases[i].min, cases[i].max, &v);

		assert_that(ok == cases[i].ok, "'%s': %d", cases[i].text, ok);
		assert_int_equal(v, ok ? cases[i].value : 77);
		assert_int_equal(p - cases[i].text, cases[i].used);
	}
}

static void decimal_is_strict(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{ "0", 9, true, 0 },
		{ "9", 9, true, 9 },
		{ "10", 9, false, 0 },
		{ "01", 9, false, 0 },
		{ "", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1x", 9, true, 1 },
		{ "0x1", 9, true, 0 },
		{ "00", 9, false, 0 },
		{ "18446744073709551609", UINT64_MAX, true, 18446744073709551609ULL },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *p = cases[i].text;
		uint64_t v = 77;
		bool ok = str_take_uint(&p, cases[i].max, &v);

		assert_that(ok == cases[i].ok, "'%s': %d", cases[i].text, ok);
		assert_true(v == (ok ? cases[i].value : 77));
		assert_int_equal(p != cases[i].text, ok);
	}
}

static void single_characters(void **state)
{
	const char *p = ":x";

	(void)state;
	assert_false(str_take_char(&p, 'x'));
	assert_true(str_take_char(&p, ':'));
	assert_true(str_take_char(&p, 'x'));
	assert_false(str_take_char(&p, 'x'));
	assert_int_equal(*p, '\0');
}

static void prefixes_and_equality(void **state)
{
	(void)state;
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_equal("", ""));
	assert_false(str_equal("a", "A"));
}

static void errors_have_words(void **state)
{
	static const int known[] = { EPERM,  ENOENT, EIO,    EAGAIN,  ENOMEM,
				     EACCES, EBUSY,  ENODEV, EINVAL,  EFBIG,
				     ENOSPC, EROFS,  ENXIO,  ENOTDIR, ELOOP,
				     EPROTO, EEXIST, EISDIR, ENOEXEC };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_string_not_equal(str_errno(known[i]), "error");
		assert_ptr_equal(str_errno(known[i]), str_errno(-known[i]));
	}
	assert_string_equal(str_errno(99999), "error");
	assert_string_equal(str_errno(0), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_cuts),
		cmocka_unit_test(one_byte_holds_the_empty_string),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(join_and_copy),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(decimal_is_strict),
		cmocka_unit_test(single_characters),
		cmocka_unit_test(prefixes_and_equality),
		cmocka_unit_test(errors_have_words),
	};

	return UNIT_RUN(tests);
}
