/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser takes. What loading refuses, and limits, are in test_conf_file.c. */
#include "unit.h"

#include <stdio.h>

#include "conf.h"

#define FUNCTION                                                       \
	"function = 0000:01:00.0 path=0000:00:01.0/00.0 id=10de:2484 " \
	"subsystem=1043:87c1 class=030000"
#define OTHER                                                          \
	"function = 0000:01:00.1 path=0000:00:01.0/00.1 id=10de:228b " \
	"subsystem=1043:87c1 class=040300"
#define CLAIM "[claim gaming]\n"

static struct conf conf;
static struct conf_error err;

static void good(const char *text)
{
	int r = conf_parse(text, &conf, &err);

	assert_that(r == 0, "refused, line %u: %s\n%s", err.line, err.text, text);
	assert_int_equal(err.line, 0);
	assert_string_equal(err.text, "");
}

static void refused(const char *text, unsigned line, const char *words)
{
	int r = conf_parse(text, &conf, &err);

	assert_that(r == -EINVAL, "taken (%d):\n%s", r, text);
	assert_that(err.line == line, "line %u, not %u: %s", err.line, line, err.text);
	assert_contains(err.text, words);
}

static void defaults(void **state)
{
	(void)state;
	good("");
	assert_true(conf.require_display);
	assert_int_equal(conf.max_attempts, 2);
	assert_int_equal(conf.trial_minutes, 10);
	assert_int_equal(conf.record, CONF_RECORD_AUTO);
	assert_int_equal(conf.n_claims, 0);
	assert_int_equal(conf.n_functions, 0);
	good("\n\n# nothing\n   \t\n\r\n#");
}

static void a_whole_file(void **state)
{
	const struct identity *id;

	(void)state;
	good("# mine\n[host]\nrequire-display = no   # the card alone\nmax-attempts=100\n"
	     "trial-timeout = 1440\n"
	     "record = PARTUUID=12345678-9abc-DEF0-1234-56789abcdef0\n\n"
	     "  [claim gaming]  \n" FUNCTION
	     " serial=00-0a-f7-ff-ff-20-16-88 unique=yes\n" OTHER
	     "\t unique=no optional=yes # audio\n[ claim  work ]\n"
	     "function=10000:e1:00.0\tpath=10000:e0:1d.0/00.0   id=144D:A80A "
	     "subsystem=144d:a801 class=0c0330");
	assert_false(conf.require_display);
	assert_int_equal(conf.max_attempts, 100);
	assert_int_equal(conf.trial_minutes, 1440);
	assert_int_equal(conf.record, CONF_RECORD_PARTITION);
	/* as blkid and the image's list write it */
	assert_string_equal(conf.partuuid, "12345678-9abc-def0-1234-56789abcdef0");
	assert_int_equal(conf.n_claims, 2);
	assert_string_equal(conf.claims[0].name, "gaming");
	assert_int_equal(conf.claims[0].n, 2);
	assert_int_equal(conf.claims[0].line, 8);
	assert_string_equal(conf.claims[1].name, "work");
	assert_ptr_equal(conf_claim_find(&conf, "work"), &conf.claims[1]);
	assert_null(conf_claim_find(&conf, "wor"));
	assert_int_equal(conf.claims[1].first, 2);
	assert_int_equal(conf.claims[1].n, 1);
	id = &conf.functions[0].identity;
	assert_int_equal(id->ids.vendor, 0x10de);
	assert_int_equal(id->ids.class, 0x030000);
	assert_true(id->has_serial && id->serial == 0x000af7ffff201688 && id->unique);
	assert_int_equal(conf.functions[0].line, 9);
	assert_false(conf.functions[0].optional || conf.functions[2].optional);
	assert_true(conf.functions[1].optional);
	assert_false(conf.functions[1].identity.has_serial ||
		     conf.functions[1].identity.unique);
	assert_int_equal(conf.functions[2].address.domain, 0x10000);
	assert_int_equal(conf.functions[2].identity.path.depth, 1);
}

static void lines_from_other_systems(void **state)
{
	(void)state;
	good("[host]\r\nrequire-display = no\r\n" CLAIM FUNCTION "\r\n");
	assert_false(conf.require_display);
	assert_int_equal(conf.n_functions, 1);
	good(CLAIM FUNCTION);
	good("\t" CLAIM "\t" FUNCTION "\t\n");
	/* only after a blank does # start a comment */
	good(CLAIM FUNCTION " # it is\n#" OTHER "\n");
	assert_int_equal(conf.n_functions, 1);
	refused(CLAIM FUNCTION "#it is\n", 2, "class: expected 6 hex digits: 030000#it");
	refused("\xef\xbb\xbf" CLAIM FUNCTION, 1, "expected");
}

static void record_words(void **state)
{
	(void)state;
	good("[host]\nrecord = auto\n");
	assert_int_equal(conf.record, CONF_RECORD_AUTO);
	good("[host]\nrecord = efi\n");
	assert_int_equal(conf.record, CONF_RECORD_EFI);
	good("[host]\nrecord = none\n");
	assert_int_equal(conf.record, CONF_RECORD_NONE);
	good("[host]\nrecord = PARTUUID=1234abcd-01\n");
	assert_string_equal(conf.partuuid, "1234abcd-01");
	good("[host]\nrecord = PARTUUID=1234ABCD-0F\n");
	assert_string_equal(conf.partuuid, "1234abcd-0f");
}

static void host_errors(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "require-display", "expected KEY = VALUE or a [section]" },
		{ "require-display =", "require-display: expected yes or no" },
		{ "require-display = Yes", "require-display: expected yes or no: Yes" },
		{ "require-display = true", "expected yes or no: true" },
		{ "require-display = no no", "expected yes or no: no no" },
		{ "require_display = no", "unknown key in [host]: require_display" },
		{ "Require-display = no", "unknown key in [host]" },
		{ "= no", "unknown key in [host]" },
		{ "max-attempts =", "max-attempts: expected a number from 1 to 100" },
		{ "max-attempts = 0", "from 1 to 100: 0" },
		{ "max-attempts = 101", "from 1 to 100: 101" },
		{ "max-attempts = -1", "from 1 to 100" },
		{ "max-attempts = 02", "from 1 to 100" },
		{ "max-attempts = 2x", "from 1 to 100" },
		{ "max-attempts = 99999999999999999999", "from 1 to 100" },
		{ "trial-timeout =", "trial-timeout: expected minutes from 1 to 1440" },
		{ "trial-timeout = 0", "from 1 to 1440: 0" },
		{ "trial-timeout = 1441", "from 1 to 1440: 1441" },
		{ "trial-timeout = 10m", "from 1 to 1440: 10m" },
		{ "trial_timeout = 10", "unknown key in [host]: trial_timeout" },
		{ "record = ", "record: expected auto, efi, none or PARTUUID" },
		{ "record = EFI", "record: expected" },
		{ "record = PARTUUID=", "record: expected" },
		{ "record = PARTUUID=1234abcd-0", "record: expected" },
		{ "record = PARTUUID=1234abcd-zz", "record: expected" },
		{ "record = PARTUUID=12345678-9abc-def0-1234-56789abcdef01",
		  "record: expected" },
		{ "record = UUID=1234abcd-01", "record: expected" },
		{ FUNCTION, "unknown key in [host]: function" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "[host]\n\n%s\n", cases[i].line);
		refused(text, 3, cases[i].words);
	}
	refused("[host]\nrecord = efi\nrecord = efi\n", 3,
		"a second value for this key: record");
	refused("[host]\nmax-attempts = 1\nmax-attempts = 2\n", 3, "a second value");
	refused("[host]\ntrial-timeout = 1\ntrial-timeout = 2\n", 3, "a second value");
	refused("[host]\nrequire-display = no\n\nrequire-display = no\n", 4,
		"a second value");
}

static void when_it_is_claimed(void **state)
{
	(void)state;
	good("[claim a]\nboot = named\n" FUNCTION "\n[claim b]\n" OTHER
	     "\nboot=always\n");
	assert_true(conf.claims[0].named);
	assert_false(conf.claims[1].named);
	good("[claim a]\n" FUNCTION "\n[claim b]\n" OTHER "\nboot = named # mine\n");
	assert_false(conf.claims[0].named);
	assert_true(conf.claims[1].named);
	refused(CLAIM FUNCTION "\nboot = never\n", 3,
		"boot: expected always or named: never");
	refused(CLAIM "boot =\n" FUNCTION "\n", 2, "boot: expected always or named");
	refused(CLAIM "boot = named\n" FUNCTION "\nboot = named\n", 4,
		"a second value for this key: boot");
	refused("[host]\nboot = named\n", 2, "unknown key in [host]: boot");
	refused(CLAIM "boot = named\n", 1, "this claim has no function line");
}

static void section_errors(void **state)
{
	(void)state;
	refused("require-display = no\n", 1,
		"a key before any [section]: require-display");
	refused("[host\n", 1, "expected ] at the end");
	refused("[host] x\n", 1, "expected ] at the end");
	refused("[\n", 1, "expected ] at the end");
	refused("[]\n", 1, "expected [host] or [claim NAME]");
	refused("[Host]\n", 1, "expected [host] or [claim NAME]");
	refused("[hosts]\n", 1, "expected [host] or [claim NAME]");
	refused("[claim]\n", 1, "expected [host] or [claim NAME]");
	refused("[claims x]\n", 1, "expected [host] or [claim NAME]");
	refused("[host]\n[claim a]\n" FUNCTION "\n[host]\n", 4, "a second [host]");
	refused("[claim a]\n" FUNCTION "\n[claim a]\n" OTHER "\n", 3,
		"a second claim of this name: a");
	/* the line of the claim, not that of what ended it */
	refused("[claim a]\n\n[claim b]\n" FUNCTION "\n", 1,
		"this claim has no function line: a");
	refused("[claim b]\n" FUNCTION "\n[claim a]\n", 3,
		"this claim has no function line: a");
	refused("\n[claim a]\n\n[host]\n", 2, "this claim has no function line: a");
	refused(CLAIM FUNCTION "\n[claim\n", 3, "expected ] at the end");
}

static void claim_names(void **state)
{
	static const char *const good_names[] = {
		"a",	    "Gaming_2.x-y",
		"0",	    "offer",
		"on-air",   "_",
		"dry-runs", "abcdefghijklmnopqrstuvwxyz012345",
	};
	static const char *const bad_names[] = {
		"abcdefghijklmnopqrstuvwxyz0123456",
		"off",
		"on",
		"dry-run",
		"a b",
		"a,b",
		"-a",
		".a",
		"a/b",
		"\"a\"",
		"a]",
		"\xc3\xa4",
		"a=b",
		"a#b",
		"a\033[2J",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_names); i++) {
		snprintf(text, sizeof(text), "[claim %s]\n" FUNCTION "\n", good_names[i]);
		good(text);
		assert_string_equal(conf.claims[0].name, good_names[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		snprintf(text, sizeof(text), "[claim %s]\n" FUNCTION "\n", bad_names[i]);
		refused(text, 1, "a claim's name is");
	}
}

#define START "function = 0000:01:00.0 "
#define IDS " id=10de:2484 subsystem=1043:87c1 "

static const struct {
	const char *line, *words;
} bad_functions[] = {
	{ "functions = 0000:01:00.0", "unknown key in [claim]: functions" },
	{ "Function = 0000:01:00.0", "unknown key in [claim]: Function" },
	{ "require-display = no", "unknown key in [claim]: require-display" },
	{ "function", "expected KEY = VALUE or a [section]: function" },
	{ "function =", "expected an address as DDDD:BB:DD.F" },
	{ "function = 01:00.0", "expected an address as DDDD:BB:DD.F: 01:00.0" },
	{ "function = *", "expected an address" },
	{ "function = path=0000:00:01.0/00.0", "expected an address" },
	{ START, "a function line needs path=, id=, subsystem= and class=" },
	{ START IDS "class=030000", "needs path=" },
	{ START "path=0000:00:01.0/00.0" IDS, "needs path=" },
	{ START "path=0000:00:01.0/00.0 id=10de:2484 class=030000", "needs path=" },
	{ START "path=0000:00:01.0/00.0 subsystem=1043:87c1 class=030000",
	  "needs path=" },
	{ START "path=", "path: expected DDDD:BB:DD.F[/DD.F]..." },
	{ START "path=0000:00:01.0/00.0/", "path: expected" },
	{ START "path=01.0/00.0", "path: expected" },
	{ START "id=", "id: expected VVVV:DDDD" },
	{ START "id=10de:*", "id: expected VVVV:DDDD: 10de:*" },
	{ START "id=10de", "id: expected VVVV:DDDD" },
	{ START "subsystem=", "subsystem: expected VVVV:DDDD" },
	{ START "subsystem=any", "subsystem: expected VVVV:DDDD" },
	{ START "class=", "class: expected 6 hex digits" },
	{ START "class=0300", "class: expected 6 hex digits: 0300" },
	{ START "class=0300000", "class: expected 6 hex digits" },
	{ START "class=03xxxx", "class: expected 6 hex digits" },
	{ START "serial=", "serial: expected 8 pairs" },
	{ START "serial=00-0a", "serial: expected 8 pairs" },
	{ START "unique=", "unique: expected yes or no" },
	{ START "unique=maybe", "unique: expected yes or no: maybe" },
	{ START "unique", "expected KEY=VALUE: unique" },
	{ START "optional=", "optional: expected yes or no" },
	{ START "optional=maybe", "optional: expected yes or no: maybe" },
	{ START "optional=yes optional=no", "the same word twice" },
	{ START "driver=nouveau", "unknown word in a function line: driver" },
	{ START "ID=10de:2484", "unknown word in a function line: ID" },
	{ START "id = 10de:2484", "expected KEY=VALUE: id" },
	{ START "id=10de:2484 id=10de:2484",
	  "the same word twice in a function line: id" },
	{ START "unique=yes unique=yes", "the same word twice" },
	{ START "serial=00-0a-f7-ff-ff-20-16-88 serial=00-0a-f7-ff-ff-20-16-88",
	  "the same word twice" },
};

static void function_errors(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_functions); i++) {
		snprintf(text, sizeof(text), "[host]\n" CLAIM "# x\n%s\n",
			 bad_functions[i].line);
		refused(text, 4, bad_functions[i].words);
	}
	refused(CLAIM FUNCTION "\n" FUNCTION "\n", 3,
		"a second function line with this path");
	refused(CLAIM FUNCTION "\n[claim b]\n" FUNCTION "\n", 4,
		"a second function line with this path");
}

/* An error says where, even if what is wrong does not fit into its text. */
static void huge_lines(void **state)
{
	static char text[CONF_MAX_SIZE];

	(void)state;
	memset(text, 'x', CONF_MAX_LINE);
	text[0] = '\n';
	refused(text, 2, "expected KEY = VALUE");
	text[CONF_MAX_LINE] = 'x';
	refused(text, 2, "a line of 1024 bytes or more");
	text[CONF_MAX_LINE] = '\0';
	memcpy(text, "[host]\n", 7);
	text[20] = '=';
	refused(text, 2, "unknown key in [host]");
	memcpy(text, "[claim ", 7);
	text[CONF_MAX_LINE - 2] = ']';
	text[CONF_MAX_LINE - 1] = '\0';
	refused(text, 1, "a claim's name is");
	memset(text, 'x', sizeof(text) - 1);
	refused(text, 1, "a line of 1024 bytes or more");
	memset(text, '#', sizeof(text) - 1);
	refused(text, 1, "a line of 1024 bytes or more");
	memset(text, '\n', sizeof(text) - 1);
	good(text);
}

static void settings(void **state)
{
	const struct setting *s;
	char text[64];
	struct str t = STR_ON(text);

	(void)state;
	good(CLAIM "rebar = 1:16G\nreset = flr,bus\n" FUNCTION
		   " rebar=0:256M reset=device_specific idle=d3cold vga=no\n" OTHER
		   "\nidle = on\nvga = yes\n");
	s = &conf.claims[0].setting;
	assert_int_equal(s->keys, 15);
	assert_int_equal(s->bar, 1);
	assert_int_equal(s->size, 14);
	assert_string_equal(s->reset, "flr bus");
	assert_int_equal(s->idle, SETTING_IDLE_ON);
	assert_true(s->vga);
	s = &conf.functions[0].setting;
	assert_int_equal(s->keys, 15);
	assert_int_equal(s->bar, 0);
	assert_int_equal(s->size, 8);
	assert_string_equal(s->reset, "device_specific");
	assert_int_equal(s->idle, SETTING_IDLE_D3COLD);
	assert_false(s->vga);
	assert_int_equal(conf.functions[1].setting.keys, 0);
	for (unsigned key = 0; key < SETTING_KEYS; key++) {
		str_join(&t, key ? " " : "", setting_name(key), "=", NULL);
		setting_add(&t, s, key);
	}
	assert_string_equal(text,
			    "rebar=0:256M reset=device_specific idle=d3cold vga=no");
	good(CLAIM FUNCTION
	     " reset=device_specific,acpi,flr,af_flr,pm,bus,cxl_bus rebar=5:1048576T\n");
	assert_string_equal(conf.functions[0].setting.reset,
			    "device_specific acpi flr af_flr pm bus cxl_bus");
	assert_int_equal(conf.functions[0].setting.size, 40);
	good(CLAIM "rebar = 1:1024M\n" FUNCTION);
	assert_int_equal(conf.claims[0].setting.size, 10);
}

static void settings_are_refused(void **state)
{
	static const char *const wrong[] = {
		"rebar=",	  "rebar=1",	    "rebar=6:1G",    "rebar=1:3G",
		"rebar=1:0M",	  "rebar=1:1024",   "rebar=1:1K",    "rebar=1:1GB",
		"rebar=1:-1G",	  "rebar= 1:1G",    "rebar=1:01G",   "rebar=1:2097152T",
		"rebar=:1G",	  "rebar=1:G",	    "rebar=1:1g",    "rebar=1.1G",
		"reset=",	  "reset=flr,",	    "reset=,flr",    "reset=flr,flr",
		"reset=fl",	  "reset=flrx",	    "reset=flr;bus", "reset=default",
		"reset=flr,,bus", "idle=",	    "idle=off",	     "idle=d3",
		"idle=D3hot",	  "idle=on,d3hot",  "vga=",	     "vga=1",
		"vga=yesno",	  "rebar=1:1G,2:1G"
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const size_t key = strcspn(wrong[i], "=");
		char words[64];

		snprintf(words, sizeof(words), "%.*s: expected", (int)key, wrong[i]);
		/* a blank ends a word of a function line */
		if (!strchr(wrong[i], ' ')) {
			snprintf(text, sizeof(text), CLAIM FUNCTION " %s\n", wrong[i]);
			refused(text, 2, words);
		}
		if (str_equal(wrong[i], "rebar= 1:1G"))
			continue;
		snprintf(text, sizeof(text), CLAIM FUNCTION "\n%s\n", wrong[i]);
		refused(text, 3, words);
	}
	refused(CLAIM "idle = on\nidle = on\n" FUNCTION, 3, "a second value");
	refused(CLAIM FUNCTION " vga=no vga=no\n", 2, "a second value");
	refused("[host]\nidle = on\n" CLAIM FUNCTION, 2, "unknown key in [host]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings),
		cmocka_unit_test(settings_are_refused),
		cmocka_unit_test(defaults),
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(lines_from_other_systems),
		cmocka_unit_test(record_words),
		cmocka_unit_test(host_errors),
		cmocka_unit_test(when_it_is_claimed),
		cmocka_unit_test(section_errors),
		cmocka_unit_test(claim_names),
		cmocka_unit_test(function_errors),
		cmocka_unit_test(huge_lines),
	};

	return UNIT_RUN(tests);
}
