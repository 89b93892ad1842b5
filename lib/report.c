/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <errno.h>

/*
 * 256 functions and 64 claims take half of it. On the stack: an allocation costs system
 * calls.
 */
#define JSON_MAX (256 * 1024)

void report_summarise(struct report *report)
{
	unsigned claimed = 0, held = 0, wanted = 0;
	const struct report_claim *c, *refused = NULL;

	if (report->reason != REASON_NONE)
		return;
	for (c = report->claims; c < report->claims + report->n_claims; c++) {
		claimed += c->outcome == OUTCOME_CLAIMED;
		held += c->outcome == OUTCOME_HELD;
		/* a claim that the command line left out was not wanted */
		wanted += c->reason != REASON_OFF;
		if (c->outcome != OUTCOME_CLAIMED && c->reason != REASON_OFF && !refused)
			refused = c;
	}
	/* the file on the boot partition left out all of them */
	if (!wanted && report->n_claims)
		refused = report->claims;
	report->outcome = !claimed	      ? (held ? OUTCOME_HELD : OUTCOME_KEPT)
			  : claimed == wanted ? OUTCOME_CLAIMED
					      : OUTCOME_PARTIAL;
	if (refused) {
		report->reason = refused->reason;
		str_copy(report->detail, sizeof(report->detail), refused->detail);
	}
}

void report_warn(struct report *report, const char *code, const char *detail)
{
	struct report_warning *w;

	if (report->n_warnings == REPORT_MAX_WARNINGS)
		return;
	w = &report->warnings[report->n_warnings++];
	str_copy(w->code, sizeof(w->code), code);
	str_copy(w->detail, sizeof(w->detail), detail);
}

void report_unwarn(struct report *report, const char *code, struct pci_address address)
{
	char text[PCI_ADDRESS_LEN];
	struct str s = STR_ON(text);
	unsigned n = 0;

	pci_address_add(&s, address);
	for (unsigned i = 0; i < report->n_warnings; i++) {
		const struct report_warning *w = &report->warnings[i];

		if (!str_equal(w->code, code) || !str_starts(w->detail, text))
			report->warnings[n++] = *w;
	}
	report->n_warnings = n;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void report_add_string(struct str *s, const char *text)
{
	const char *begin;

	str_add_char(s, '"');
	for (;; text++) {
		for (begin = text; is_plain((unsigned char)*text); text++)
			;
		str_add_n(s, begin, (size_t)(text - begin));
		if (!*text)
			break;
		if (*text == '"' || *text == '\\') {
			str_add_char(s, '\\');
			str_add_char(s, *text);
		} else {
			/* bytes above ASCII could be half a character */
			str_add(s, "\\u");
			str_add_hex(s, (unsigned char)*text, 4);
		}
	}
	str_add_char(s, '"');
}

/* A key is a literal: what stands around it is put together when it is compiled. */
#define KEY(key) ", \"" key "\": "

/* , "key": "text" */
#define add_text(s, key, text) (str_add(s, KEY(key)), report_add_string(s, text))

/* , "key": "text" or , "key": null */
#define add_or_null(s, key, text) (str_add(s, KEY(key)), add_value(s, text))

static void add_value(struct str *s, const char *text)
{
	if (*text)
		report_add_string(s, text);
	else
		str_add(s, "null");
}

static void add_address(struct str *s, const struct pci_address *address)
{
	str_add_char(s, '"');
	pci_address_add(s, *address);
	str_add_char(s, '"');
}

static void add_reason(struct str *s, enum reason reason, const char *detail)
{
	if (reason == REASON_NONE)
		return;
	add_text(s, "reason", reason_name(reason));
	add_text(s, "detail", detail);
}

static void add_function(struct str *s, const struct report_function *f)
{
	str_add(s, "      { \"configured\": ");
	add_address(s, &f->configured);
	str_add(s, KEY("address"));
	if (f->found)
		add_address(s, &f->address);
	else
		str_add(s, "null");
	str_add(s, ", \"path\": \"");
	pci_path_add(s, &f->path);
	str_add(s, "\",\n        \"id\": \"");
	str_add_hex(s, f->vendor, 4);
	str_add_char(s, ':');
	str_add_hex(s, f->device, 4);
	str_add_char(s, '"');
	add_text(s, "match", match_name(f->match));
	if (f->optional)
		str_add(s, ", \"optional\": true");
	str_add(s, ", \"group\": ");
	if (f->group < 0)
		str_add(s, "null");
	else
		str_add_uint(s, (uint64_t)f->group);
	str_add(s, ",\n        \"previous_driver\": ");
	add_value(s, f->previous_driver);
	add_or_null(s, "driver", f->driver);
	str_add(s, " }");
}

static void add_claim(struct str *s, const struct report *r, const struct report_claim *c)
{
	str_add(s, "    { \"name\": ");
	report_add_string(s, c->name);
	add_text(s, "outcome", outcome_name(c->outcome));
	add_reason(s, c->reason, c->detail);
	str_add(s, ",\n      \"functions\": [");
	for (unsigned i = 0; i < c->n; i++) {
		str_add(s, i ? ",\n" : "\n");
		add_function(s, &r->functions[c->first + i]);
	}
	str_add(s, " ] }");
}

static void add_record(struct str *s, const struct record *record)
{
	static const char *const kinds[] = {
		[RECORD_NONE] = "none",
		[RECORD_EFI] = "efi",
		[RECORD_PARTITION] = "partition",
	};

	str_join(s, ",\n  \"record\": { \"kind\": \"", kinds[record->kind],
		 "\", \"attempts\": ", NULL);
	str_add_uint(s, record->attempts);
	str_join(s, ", \"confirmed\": ", record->confirmed ? "true" : "false", NULL);
	if (record->fingerprint) {
		str_add(s, ",\n    \"fingerprint\": \"");
		str_add_hex(s, record->fingerprint, 16);
		str_add_char(s, '"');
	}
	if (record->kind == RECORD_PARTITION)
		add_text(s, "partition", record->partuuid);
	str_add(s, " }");
}

void report_add_json(struct str *s, const struct report *report)
{
	str_add(s, "{ \"version\": 1");
	add_text(s, "stage", report->stage);
	add_text(s, "outcome", outcome_name(report->outcome));
	add_reason(s, report->reason, report->detail);
	str_add(s, ",\n  \"kernel\": ");
	report_add_string(s, report->kernel);
	str_add(s, ", \"elapsed_us\": ");
	str_add_uint(s, report->elapsed_us);
	add_record(s, &report->record);
	str_add(s, ",\n  \"claims\": [");
	for (unsigned i = 0; i < report->n_claims; i++) {
		str_add(s, i ? ",\n" : "\n");
		add_claim(s, report, &report->claims[i]);
	}
	str_add(s, " ],\n  \"host_displays\": [");
	for (unsigned i = 0; i < report->n_displays; i++) {
		str_add(s, i ? ",\n    { \"address\": " : "\n    { \"address\": ");
		add_address(s, &report->displays[i].address);
		add_or_null(s, "driver", report->displays[i].driver);
		str_add(s, " }");
	}
	str_add(s, " ],\n  \"warnings\": [");
	for (unsigned i = 0; i < report->n_warnings; i++) {
		str_add(s, i ? ",\n    { \"code\": " : "\n    { \"code\": ");
		report_add_string(s, report->warnings[i].code);
		add_text(s, "detail", report->warnings[i].detail);
		str_add(s, " }");
	}
	str_add(s, " ]\n}\n");
}

int report_write(struct fs *fs, const char *path, const struct report *report)
{
	char buf[JSON_MAX];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	report_add_json(&s, report);
	return s.cut ? -EFBIG : fs->ops->replace(fs, path, s.buf, s.len, FS_QUICK);
}
