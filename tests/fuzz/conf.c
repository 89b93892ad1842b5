/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: whatever is accepted is whole, within its limits, and means what it
 * says.
 */
#include "conf.h"

#include "fuzz.h"
#include "kargs.h"

#define TEXT_MAX (256 * 1024)

static unsigned lines_of(const char *text)
{
	unsigned n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static const char *line_of(const char *text, unsigned line)
{
	while (--line > 0) {
		text = strchr(text, '\n');
		CHECK(text);
		text++;
	}
	return text;
}

/* How often a function's line says a word. */
static int says(const char *text, unsigned line, const char *word)
{
	const char *end;
	int n = 0;

	text = line_of(text, line);
	end = text + strcspn(text, "\n");
	for (; text < end; text++)
		if (*text == '#' && strchr(" \t\r", text[-1]))
			break;
		else if (strchr(" \t", *text) && !strncmp(text + 1, word, strlen(word)))
			n++;
	return n;
}

/* The words of a function line, or lines of a claim. */
static void add_settings(struct str *s, const struct setting *setting, const char *before,
			 const char *equals)
{
	for (unsigned key = 0; key < SETTING_KEYS; key++) {
		if (!setting_says(setting, key))
			continue;
		str_join(s, before, setting_name(key), equals, NULL);
		setting_add(s, setting, key);
	}
}

static void serialise(const struct conf *c, struct str *s)
{
	static const char *const records[] = { "auto", "efi", "PARTUUID=", "none" };

	str_join(s, "[host]\nrequire-display = ", c->require_display ? "yes" : "no",
		 "\nmax-attempts = ", NULL);
	str_add_uint(s, c->max_attempts);
	str_join(s, "\nrecord = ", records[c->record],
		 c->record == CONF_RECORD_PARTITION ? c->partuuid : "", "\n", NULL);
	for (unsigned i = 0; i < c->n_claims; i++) {
		str_join(s, "[claim ", c->claims[i].name, "]\n",
			 c->claims[i].named ? "boot = named\n" : "", NULL);
		for (unsigned k = 0; k < c->claims[i].n; k++) {
			const struct conf_function *f =
				&c->functions[c->claims[i].first + k];
			const struct pci_ids *ids = &f->identity.ids;
			char rest[200];

			str_add(s, "function = ");
			pci_address_add(s, f->address);
			str_add(s, " path=");
			pci_path_add(s, &f->identity.path);
			snprintf(rest, sizeof(rest),
				 " id=%04x:%04x subsystem=%04x:%04x class=%06x unique=%s"
				 " optional=%s",
				 ids->vendor, ids->device, ids->subvendor, ids->subdevice,
				 ids->class, f->identity.unique ? "yes" : "no",
				 f->optional ? "yes" : "no");
			str_add(s, rest);
			for (unsigned b = 0; f->identity.has_serial && b < 8; b++) {
				snprintf(rest, sizeof(rest), "%s%02x",
					 b ? "-" : " serial=",
					 (unsigned)(f->identity.serial >> (56 - 8 * b)) &
						 0xff);
				str_add(s, rest);
			}
			add_settings(s, &f->setting, " ", "=");
			str_add(s, "\n");
		}
		add_settings(s, &c->claims[i].setting, "\n", " = ");
		str_add(s, "\n");
	}
	CHECK(!s->cut);
}

/* The whole name, not a part of it. */
static bool named(const char *line, const char *name)
{
	line += strcspn(line, "[\n");
	line += strspn(line, "[ \t\r");
	if (strncmp(line, "claim", 5) != 0)
		return false;
	line += 5 + strspn(line + 5, " \t\r");
	if (strncmp(line, name, strlen(name)) != 0)
		return false;
	line += strlen(name);
	return line[strspn(line, " \t\r")] == ']';
}

static void check_limits(const struct conf *c, const char *text)
{
	unsigned next = 0;

	CHECK(c->n_claims <= CONF_MAX_CLAIMS && c->n_functions <= CONF_MAX_FUNCTIONS);
	CHECK(c->max_attempts >= 1 && c->max_attempts <= 100);
	CHECK(c->record != CONF_RECORD_PARTITION || strlen(c->partuuid) >= 11);
	for (unsigned i = 0; i < c->n_claims; i++) {
		const struct conf_claim *claim = &c->claims[i];

		CHECK(claim->first == next && claim->n > 0 && claim->line > 0);
		CHECK(claim->name[0] && strlen(claim->name) < CONF_NAME_LEN);
		CHECK(!strpbrk(claim->name, ", \t\"[]=") && !kargs_reserved(claim->name));
		CHECK(named(line_of(text, claim->line), claim->name));
		for (unsigned k = 0; k < i; k++)
			CHECK(strcmp(claim->name, c->claims[k].name) != 0);
		next += claim->n;
	}
	CHECK(next == c->n_functions);
}

static void check_functions(const struct conf *c, const char *text)
{
	for (unsigned i = 0; i < c->n_functions; i++) {
		const struct conf_function *f = &c->functions[i];

		CHECK(says(text, f->line, "path=") == 1);
		CHECK(says(text, f->line, "id=") == 1);
		CHECK(says(text, f->line, "subsystem=") == 1);
		CHECK(says(text, f->line, "class=") == 1);
		CHECK(says(text, f->line, "serial=") == f->identity.has_serial);
		CHECK(!f->identity.unique || says(text, f->line, "unique=yes") == 1);
		CHECK(!f->optional || says(text, f->line, "optional=yes") == 1);
		for (unsigned k = 0; k < i; k++)
			CHECK(!pci_path_equal(&f->identity.path,
					      &c->functions[k].identity.path));
	}
}

static void check_stable(const struct conf *c, struct conf *again, char *one, char *two)
{
	struct conf_error err;
	struct str s;

	str_init(&s, one, TEXT_MAX);
	serialise(c, &s);
	CHECK(conf_parse(one, again, &err) == 0);
	str_init(&s, two, TEXT_MAX);
	serialise(again, &s);
	CHECK(!strcmp(one, two));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf, again;
	static char one[TEXT_MAX], two[TEXT_MAX];
	char *text = fuzz_text(data, size);
	struct conf_error err;
	size_t room = strlen(text) + 32;

	/* what is left of an earlier parse, or of the stack, must not matter */
	memset(&conf, 0xa5, sizeof(conf));
	memset(&again, 0x5a, sizeof(again));
	memset(&err, 0xa5, sizeof(err));
	if (conf_parse(text, &conf, &err) < 0) {
		CHECK(err.line >= 1 && err.line <= lines_of(text));
		CHECK(err.text[0] && memchr(err.text, '\0', sizeof(err.text)));
	} else {
		char *longer = malloc(room);

		check_limits(&conf, text);
		check_functions(&conf, text);
		check_stable(&conf, &again, one, two);
		/* one bad line spoils everything, and is the one that is named */
		CHECK(longer);
		snprintf(longer, room, "%s\nfunktion = 0\n", text);
		CHECK(conf_parse(longer, &again, &err) < 0 &&
		      err.line == lines_of(text) + 1);
		free(longer);
	}
	free(text);
	return 0;
}
