/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kargs.h"

enum section { NO_SECTION, HOST, CLAIM };

struct parser {
	struct conf *conf;
	struct conf_error *err;
	unsigned line;
	enum section section;
	unsigned seen; /* [host] and keys, a bit each */
};

/* Bits of `seen`. */
enum {
	SEEN_HOST = 1,
	SEEN_DISPLAY = 2,
	SEEN_ATTEMPTS = 4,
	SEEN_RECORD = 8,
	SEEN_TRIAL = 16,
	SEEN_BOOT = 32 /* of the claim that is open */
};

static int fail(struct parser *p, const char *what, const char *culprit)
{
	struct str s = STR_ON(p->err->text);

	p->err->line = p->line;
	str_add(&s, what);
	if (culprit)
		str_join(&s, ": ", culprit, NULL);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* strsep() at blanks and tabs, without the table of characters that it makes each time. */
static char *cut_word(char **rest)
{
	char *word = *rest, *c = word;

	if (!word)
		return NULL;
	while (*c && *c != ' ' && *c != '\t')
		c++;
	*rest = *c ? c + 1 : NULL;
	*c = '\0';
	return word;
}

/* Cuts the comment and the blanks at both ends. */
static char *strip(char *line)
{
	char *end;

	for (char *c = line; (c = strchr(c, '#')); c++)
		if (c == line || is_blank(c[-1])) {
			*c = '\0';
			break;
		}
	while (is_blank(*line))
		line++;
	end = line + strlen(line);
	while (end > line && is_blank(end[-1]))
		*--end = '\0';
	return line;
}

bool conf_awaits(const struct conf_function *function,
		 const struct identity_result *found)
{
	return function->optional && found->nothing_there;
}

bool conf_name_ok(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < CONF_NAME_LEN && strspn(name, allowed) == len &&
	       *name != '-' && *name != '.' && !kargs_reserved(name);
}

const struct conf_claim *conf_claim_find(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->n_claims; i++)
		if (str_equal(conf->claims[i].name, name))
			return &conf->claims[i];
	return NULL;
}

static struct conf_claim *open_claim(struct conf *conf)
{
	return &conf->claims[conf->n_claims - 1];
}

static int close_claim(struct parser *p)
{
	if (p->section != CLAIM || open_claim(p->conf)->n)
		return 0;
	p->line = open_claim(p->conf)->line;
	return fail(p, "this claim has no function line", open_claim(p->conf)->name);
}

static int begin_claim(struct parser *p, const char *name)
{
	struct conf *conf = p->conf;

	if (!conf_name_ok(name))
		return fail(p,
			    "a claim's name is 1 to 32 letters, digits, '.', '_', '-', "
			    "and not off, on or dry-run",
			    name);
	if (conf_claim_find(conf, name))
		return fail(p, "a second claim of this name", name);
	if (conf->n_claims == CONF_MAX_CLAIMS)
		return fail(p, "more than 64 claims", NULL);
	conf->n_claims++;
	*open_claim(conf) =
		(struct conf_claim){ .line = p->line, .first = conf->n_functions };
	str_copy(open_claim(conf)->name, CONF_NAME_LEN, name);
	p->section = CLAIM;
	p->seen &= ~(unsigned)SEEN_BOOT;
	return 0;
}

static int begin_section(struct parser *p, char *line)
{
	char *end = line + strlen(line) - 1, *name;
	unsigned here = p->line;
	int r;

	r = close_claim(p);
	if (r < 0)
		return r;
	p->line = here;
	if (*end != ']')
		return fail(p, "expected ] at the end", line);
	*end = '\0';
	name = strip(line + 1);
	if (str_equal(name, "host")) {
		if (p->seen & SEEN_HOST)
			return fail(p, "a second [host]", NULL);
		p->seen |= SEEN_HOST;
		p->section = HOST;
		return 0;
	}
	if (!str_starts(name, "claim") || !is_blank(name[5]))
		return fail(p, "expected [host] or [claim NAME]", line);
	return begin_claim(p, strip(name + 5));
}

static bool parse_bool(const char *value, bool *ret)
{
	*ret = str_equal(value, "yes");
	return *ret || str_equal(value, "no");
}

static bool parse_record(const char *value, struct conf *conf)
{
	if (str_equal(value, "auto"))
		conf->record = CONF_RECORD_AUTO;
	else if (str_equal(value, "efi"))
		conf->record = CONF_RECORD_EFI;
	else if (str_equal(value, "none"))
		conf->record = CONF_RECORD_NONE;
	else if (str_starts(value, "PARTUUID=")) {
		conf->record = CONF_RECORD_PARTITION;
		return record_partuuid_parse(value + 9, conf->partuuid);
	} else {
		return false;
	}
	return true;
}

static int set_once(struct parser *p, unsigned bit, const char *key)
{
	if (p->seen & bit)
		return fail(p, "a second value for this key", key);
	p->seen |= bit;
	return 0;
}

static int number_key(struct parser *p, unsigned bit, const char *key, const char *value,
		      unsigned max, const char *expected, unsigned *ret)
{
	const char *digits = value;
	uint64_t number;
	int r;

	r = set_once(p, bit, key);
	if (r < 0)
		return r;
	if (!str_take_uint(&digits, max, &number) || *digits || !number)
		return fail(p, expected, value);
	*ret = (unsigned)number;
	return 0;
}

static int host_key(struct parser *p, const char *key, const char *value)
{
	int r;

	if (str_equal(key, "require-display")) {
		r = set_once(p, SEEN_DISPLAY, key);
		if (r == 0 && !parse_bool(value, &p->conf->require_display))
			r = fail(p, "require-display: expected yes or no", value);
	} else if (str_equal(key, "max-attempts")) {
		r = number_key(p, SEEN_ATTEMPTS, key, value, 100,
			       "max-attempts: expected a number from 1 to 100",
			       &p->conf->max_attempts);
	} else if (str_equal(key, "trial-timeout")) {
		r = number_key(p, SEEN_TRIAL, key, value, 1440,
			       "trial-timeout: expected minutes from 1 to 1440",
			       &p->conf->trial_minutes);
	} else if (str_equal(key, "record")) {
		r = set_once(p, SEEN_RECORD, key);
		if (r == 0 && !parse_record(value, p->conf))
			r = fail(p, "record: expected auto, efi, none or PARTUUID=...",
				 value);
	} else {
		r = fail(p, "unknown key in [host]", key);
	}
	return r;
}

static bool parse_class(const char *value, uint32_t *ret)
{
	uint64_t v;

	if (!str_take_hex(&value, 6, 6, &v) || *value)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* A key of a claim, or a word of a function line. */
static int setting_key(struct parser *p, struct setting *setting, const char *key,
		       const char *value, const char *unknown)
{
	const char *expected;

	switch (setting_parse(setting, key, value, &expected)) {
	case 0:
		return 0;
	case -ENOENT:
		return fail(p, unknown, key);
	case -EEXIST:
		return fail(p, "a second value for this key", key);
	default:
		return fail(p, expected, value);
	}
}

/* Bits of a function line's attributes; the first four must be there. */
enum {
	PATH = 1,
	ID = 2,
	SUBSYSTEM = 4,
	CLASS = 8,
	SERIAL = 16,
	UNIQUE = 32,
	OPTIONAL = 64,
	NEEDED = 15
};

static int attribute(struct parser *p, struct conf_function *f, unsigned *seen,
		     char *word)
{
	struct identity *id = &f->identity;
	char *value = strchr(word, '=');
	unsigned bit;
	bool ok;

	if (!value)
		return fail(p, "expected KEY=VALUE", word);
	*value++ = '\0';
	if (str_equal(word, "path")) {
		bit = PATH;
		ok = pci_path_parse(value, &id->path);
	} else if (str_equal(word, "id")) {
		bit = ID;
		ok = pci_id_parse(value, &id->ids.vendor, &id->ids.device);
	} else if (str_equal(word, "subsystem")) {
		bit = SUBSYSTEM;
		ok = pci_id_parse(value, &id->ids.subvendor, &id->ids.subdevice);
	} else if (str_equal(word, "class")) {
		bit = CLASS;
		ok = parse_class(value, &id->ids.class);
	} else if (str_equal(word, "serial")) {
		bit = SERIAL;
		ok = id->has_serial = pci_serial_parse(value, &id->serial);
	} else if (str_equal(word, "unique")) {
		bit = UNIQUE;
		ok = parse_bool(value, &id->unique);
	} else if (str_equal(word, "optional")) {
		bit = OPTIONAL;
		ok = parse_bool(value, &f->optional);
	} else {
		return setting_key(p, &f->setting, word, value,
				   "unknown word in a function line");
	}
	if (!ok)
		return fail(p,
			    bit == PATH	   ? "path: expected DDDD:BB:DD.F[/DD.F]..."
			    : bit == CLASS ? "class: expected 6 hex digits"
			    : bit == SERIAL
				    ? "serial: expected 8 pairs of hex digits with dashes"
			    : bit == UNIQUE    ? "unique: expected yes or no"
			    : bit == OPTIONAL  ? "optional: expected yes or no"
			    : bit == SUBSYSTEM ? "subsystem: expected VVVV:DDDD"
					       : "id: expected VVVV:DDDD",
			    value);
	if (*seen & bit)
		return fail(p, "the same word twice in a function line", word);
	*seen |= bit;
	return 0;
}

static int function_line(struct parser *p, char *value)
{
	struct conf_function f = { .line = p->line };
	struct conf *conf = p->conf;
	char *word, *rest = value;
	unsigned seen = 0;
	int r;

	word = cut_word(&rest);
	if (!pci_address_parse(word, &f.address))
		return fail(p, "expected an address as DDDD:BB:DD.F", word);
	while ((word = cut_word(&rest))) {
		if (!*word)
			continue;
		r = attribute(p, &f, &seen, word);
		if (r < 0)
			return r;
	}
	if ((seen & NEEDED) != NEEDED)
		return fail(p, "a function line needs path=, id=, subsystem= and class=",
			    NULL);
	for (unsigned i = 0; i < conf->n_functions; i++)
		if (pci_path_equal(&conf->functions[i].identity.path, &f.identity.path))
			return fail(p, "a second function line with this path", NULL);
	if (conf->n_functions == CONF_MAX_FUNCTIONS)
		return fail(p, "more than 256 functions", NULL);
	/* what may be missing is not proven by another one that is not */
	f.identity.unique &= !f.optional;
	conf->functions[conf->n_functions++] = f;
	open_claim(conf)->n++;
	return 0;
}

static int claim_key(struct parser *p, const char *key, char *value)
{
	bool *named = &open_claim(p->conf)->named;
	int r;

	if (str_equal(key, "function"))
		return function_line(p, value);
	if (!str_equal(key, "boot"))
		return setting_key(p, &open_claim(p->conf)->setting, key, value,
				   "unknown key in [claim]");
	r = set_once(p, SEEN_BOOT, key);
	if (r < 0)
		return r;
	*named = str_equal(value, "named");
	return *named || str_equal(value, "always")
		       ? 0
		       : fail(p, "boot: expected always or named", value);
}

static int parse_line(struct parser *p, char *line)
{
	char *value, *key;

	line = strip(line);
	if (!*line)
		return 0;
	if (*line == '[')
		return begin_section(p, line);
	value = strchr(line, '=');
	if (!value)
		return fail(p, "expected KEY = VALUE or a [section]", line);
	*value++ = '\0';
	key = strip(line);
	value = strip(value);
	if (p->section == HOST)
		return host_key(p, key, value);
	if (p->section == NO_SECTION)
		return fail(p, "a key before any [section]", key);
	return claim_key(p, key, value);
}

int conf_parse(const char *text, struct conf *ret, struct conf_error *err)
{
	struct parser p = { .conf = ret, .err = err };
	char line[CONF_MAX_LINE];
	size_t len;
	int r = 0;

	*err = (struct conf_error){ 0 };
	ret->require_display = true;
	ret->max_attempts = 2;
	ret->trial_minutes = 10;
	ret->record = CONF_RECORD_AUTO;
	ret->partuuid[0] = '\0';
	ret->n_claims = ret->n_functions = 0;
	for (; r == 0 && *text; text += len + (text[len] == '\n')) {
		p.line++;
		len = strcspn(text, "\n");
		if (len >= sizeof(line)) {
			r = fail(&p, "a line of 1024 bytes or more", NULL);
			break;
		}
		memcpy(line, text, len);
		line[len] = '\0';
		r = parse_line(&p, line);
	}
	return r < 0 ? r : close_claim(&p);
}

static int fail_whole(struct conf_error *err, int r, const char *what)
{
	struct str s = STR_ON(err->text);

	err->line = 0;
	str_add(&s, what);
	return r;
}

int conf_load(struct fs *fs, const char *path, struct conf *ret, struct conf_error *err)
{
	struct fs_meta meta;
	int r;

	r = fs_read_file(fs, path, ret->text, sizeof(ret->text), &meta);
	if (r == -EFBIG)
		r = fail_whole(err, r, "larger than 128 KiB");
	else if (r == -EPROTO)
		r = fail_whole(err, r, "not a text file");
	else if (r < 0)
		r = fail_whole(err, r, str_errno(r));
	else if (!S_ISREG(meta.mode))
		r = fail_whole(err, -EINVAL, "not a regular file");
	else if (meta.uid != 0 && meta.uid != geteuid())
		r = fail_whole(err, -EPERM, "must belong to root");
	else if (meta.mode & (S_IWGRP | S_IWOTH))
		r = fail_whole(err, -EPERM, "must not be writable by group or others");
	else
		r = conf_parse(ret->text, ret, err);
	return r;
}
