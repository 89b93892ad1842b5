/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "claims.h"
#include "text.h"

static const char introduction[] =
	"# Which PCI functions go to vfio-pci at boot; written by \"vfio-claim setup\".\n"
	"# See vfio-claim.conf(5). After a change run \"vfio-claim setup\" again: the images\n"
	"# of the initramfs hold a copy. The kernel argument vfio_claim=off claims nothing.\n"
	"\n"
	"[host]\n"
	"require-display = yes\n";

void setup_conf_explain(const struct conf_error *error, struct str *why)
{
	char clean[sizeof(error->text)];

	text_clean(clean, sizeof(clean), error->text);
	str_add(why, "/" CONF_PATH ":");
	if (error->line) {
		str_add_uint(why, error->line);
		str_add_char(why, ':');
	}
	str_join(why, " ", clean, NULL);
}

int setup_conf_load(struct fs *root, struct conf *ret, struct str *why)
{
	struct conf_error error = { .line = 0 };
	int r = conf_load(root, CONF_PATH, ret, &error);

	if (r == 0 || r == -ENOENT)
		return r;
	setup_conf_explain(&error, why);
	str_add(why, _("; mend that first"));
	return r;
}

/* The end of the line at `c`, its newline included. */
static const char *line_end(const char *c)
{
	const char *newline = strchr(c, '\n');

	return newline ? newline + 1 : c + strlen(c);
}

static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t')
		c++;
	return c;
}

/* True if a line opens [host], as lib/conf.c reads it. */
static bool opens_host(const char *line)
{
	const char *c = skip_blanks(line);

	if (*c++ != '[')
		return false;
	c = skip_blanks(c);
	return str_take_text(&c, "host") && *skip_blanks(c) == ']';
}

/* Each that is said, as " reset=bus" or as a line "reset = bus". */
static void write_settings(FILE *out, const struct setting *setting, bool lines)
{
	char text[128];

	for (unsigned key = 0; setting && key < SETTING_KEYS; key++) {
		struct str s = STR_ON(text);

		if (!setting_says(setting, key))
			continue;
		str_join(&s, lines ? "" : " ", setting_name(key), lines ? " = " : "=",
			 NULL);
		setting_add(&s, setting, key);
		fprintf(out, "%s%s", text, lines ? "\n" : "");
	}
}

/* The claim's line of what sits there, else of another specimen, or NULL. */
static const struct conf_function *line_of(const struct conf *conf,
					   const struct conf_claim *claim,
					   const struct card_function *f)
{
	const struct conf_function *other = NULL;

	for (unsigned i = 0; claim && i < claim->n; i++) {
		const struct conf_function *line = &conf->functions[claim->first + i];
		const struct identity *id = &line->identity;

		if (pci_path_equal(&id->path, &f->path))
			return line;
		if (memcmp(&id->ids, &f->function.ids, sizeof(id->ids)) == 0)
			other = line;
	}
	return other;
}

static void write_line(FILE *out, const struct conf_function *f)
{
	const struct identity *id = &f->identity;
	const struct pci_ids *ids = &id->ids;
	char text[512];
	struct str s = STR_ON(text);

	str_add(&s, "function = ");
	pci_address_add(&s, f->address);
	str_add(&s, " path=");
	pci_path_add(&s, &id->path);
	fputs(text, out);
	fprintf(out, " id=%04x:%04x subsystem=%04x:%04x class=%06x", ids->vendor,
		ids->device, ids->subvendor, ids->subdevice, (unsigned)ids->class);
	if (id->has_serial) {
		fputs(" serial=", out);
		for (int shift = 56; shift >= 0; shift -= 8)
			fprintf(out, "%02x%s", (unsigned)(id->serial >> shift) & 0xff,
				shift ? "-" : "");
	}
	if (id->unique)
		fputs(" unique=yes", out);
	if (f->optional)
		fputs(" optional=yes", out);
	write_settings(out, &f->setting, false);
	fputc('\n', out);
}

/* As it is found now, with what its line says besides. */
static void write_function(FILE *out, const struct card_function *f,
			   const struct conf_function *line)
{
	struct conf_function now = {
		.address = f->function.address,
		.identity = { .path = f->path,
			      .ids = f->function.ids,
			      .has_serial = f->config.has_serial,
			      .serial = f->config.serial,
			      .unique = f->unique },
	};

	if (line) {
		now.optional = line->optional;
		now.setting = line->setting;
	}
	fprintf(out, "# %s\n", f->name);
	write_line(out, &now);
}

static bool is_chosen(const struct conf_function *line,
		      const struct card_function *const *functions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pci_path_equal(&functions[i]->path, &line->identity.path))
			return true;
	return false;
}

/* What its owner wants to be set before it is bound is kept, and what comes late. */
static void write_claim(FILE *out, const struct conf *before, const char *name,
			const struct card_function *const *functions, size_t n)
{
	const struct conf_claim *claim = before ? conf_claim_find(before, name) : NULL;
	bool same_card = false;

	fprintf(out, "[claim %s]\n", name);
	write_settings(out, claim ? &claim->setting : NULL, true);
	for (size_t i = 0; i < n; i++)
		write_function(out, functions[i], line_of(before, claim, functions[i]));
	for (unsigned i = 0; claim && i < claim->n; i++)
		same_card |=
			is_chosen(&before->functions[claim->first + i], functions, n);
	for (unsigned i = 0; same_card && i < claim->n; i++) {
		const struct conf_function *line = &before->functions[claim->first + i];

		if (line->optional && !is_chosen(line, functions, n))
			write_line(out, line);
	}
}

static bool is_key(const char *line, const char *key)
{
	const char *c = skip_blanks(line);

	return str_take_text(&c, key) && *skip_blanks(c) == '=';
}

/* Returns what the stream has collected, or NULL. */
static char *finish(FILE *out, char **text)
{
	if (fclose(out) == 0)
		return *text;
	free(*text);
	return NULL;
}

char *setup_conf_with(const char *existing, const struct conf *before, const char *name,
		      const struct card_function *const *functions, size_t n)
{
	ARGS_OWNED struct args names = { 0 };
	char *result = NULL, *rest = NULL;
	const char *text = introduction;
	FILE *out = NULL;
	size_t size;
	bool left;

	if (args_add(&names, name) < 0)
		return NULL;
	if (existing) {
		rest = claims_remove(existing, &names, &left);
		text = rest;
	}
	if (text)
		out = open_memstream(&result, &size);
	if (out) {
		fputs(text, out);
		size = strlen(text);
		if (size && text[size - 1] != '\n')
			fputc('\n', out);
		if (size > 1 && !str_equal(text + size - 2, "\n\n"))
			fputc('\n', out);
		write_claim(out, before, name, functions, n);
		result = finish(out, &result);
	}
	free(rest);
	return result;
}

/* Whether [host] says anything about the display. */
static bool has_display_key(const char *text)
{
	bool inside = false;

	for (const char *line = text; *line; line = line_end(line)) {
		if (*skip_blanks(line) == '[')
			inside = opens_host(line);
		if (inside && is_key(line, "require-display"))
			return true;
	}
	return false;
}

char *setup_conf_without_display(const char *existing)
{
	const bool has_key = has_display_key(existing);
	bool inside = false, done = false;
	char *result = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&result, &size);
	if (!out)
		return NULL;
	for (const char *line = existing; *line; line = line_end(line)) {
		const bool header = *skip_blanks(line) == '[';
		bool here;

		if (header)
			inside = opens_host(line);
		here = inside && (has_key ? is_key(line, "require-display") : header);
		if (!here || !has_key)
			fwrite(line, 1, (size_t)(line_end(line) - line), out);
		if (here)
			fputs("require-display = no\n", out);
		done |= here;
	}
	if (!done)
		fputs("\n[host]\nrequire-display = no\n", out);
	return finish(out, &result);
}
