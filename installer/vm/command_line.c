/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command_line.h"

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "text.h"
#include "words.h"

#define SHORT 10 /* words that are printed on one line */

void command_lines_finish(struct command_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		words_free(lines->lines[i].words);
		free(lines->lines[i].unless);
	}
	*lines = (struct command_lines){ 0 };
}

static struct command_line *last(struct command_lines *lines)
{
	return &lines->lines[lines->n - 1];
}

void command_begin(struct command_lines *lines, const char *why, const char *unless)
{
	lines->n++;
	last(lines)->why = why;
	if (unless && !(last(lines)->unless = strdup(unless)))
		lines->failed = true;
}

/* `word` is taken; NULL: there was no memory for it. */
static void append(struct command_lines *lines, char *word)
{
	struct command_line *line = last(lines);

	if (word && line->n + 1 >= line->room) {
		const size_t room = line->room ? line->room * 2 : 64;
		char **more = realloc(line->words, room * sizeof(*more));

		if (!more) {
			free(word);
			word = NULL;
		} else {
			line->words = more;
			line->room = room;
		}
	}
	if (!word) {
		lines->failed = true;
		return;
	}
	line->words[line->n++] = word;
	line->words[line->n] = NULL;
}

static char *__attribute__((format(printf, 1, 0)))
formatted(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

void command_add(struct command_lines *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(lines, formatted(format, args));
	va_end(args);
}

void command_option(struct command_lines *lines, const char *option, const char *format,
		    ...)
{
	va_list args;

	append(lines, strdup(option));
	va_start(args, format);
	append(lines, formatted(format, args));
	va_end(args);
}

void command_value(struct command_lines *lines, const char *key, const char *value)
{
	struct command_line *line = last(lines);
	char *before, *text, *p;

	if (lines->failed)
		return;
	before = line->words[line->n - 1];
	text = malloc(strlen(before) + strlen(key) + 2 * strlen(value) + 3);
	if (!text) {
		lines->failed = true;
		return;
	}
	p = text + sprintf(text, "%s,%s=", before, key);
	for (; *value; value++) {
		*p++ = *value;
		if (*value == ',')
			*p++ = ',';
	}
	*p = '\0';
	free(before);
	line->words[line->n - 1] = text;
}

/* ---- what QEMU needs first */

static void add_words(struct command_lines *lines, ...)
{
	const char *word;
	va_list args;

	va_start(args, lines);
	while ((word = va_arg(args, const char *)))
		append(lines, strdup(word));
	va_end(args);
}

static void add_folder(struct command_lines *lines, const char *mode, const char *folder)
{
	command_begin(lines, N_("make a folder"), folder);
	add_words(lines, "mkdir", "-p", "-m", mode, "--", folder, NULL);
}

static void add_disks(struct command_lines *lines, const struct vm *vm)
{
	for (size_t i = 0; i < vm->made.n; i++) {
		command_begin(lines, N_("make a disk"), vm->made.items[i]);
		add_words(lines, "qemu-img", "create", "-q", "-f", "qcow2", "--",
			  vm->made.items[i], vm->made_bytes.items[i], NULL);
	}
}

static void add_variables(struct command_lines *lines, const struct vm *vm)
{
	char *folder = strdup(vm->nvram);

	if (!folder) {
		lines->failed = true;
		return;
	}
	add_folder(lines, "755", dirname(folder));
	free(folder);
	command_begin(lines, N_("make the firmware's variables"), vm->nvram);
	add_words(lines, "cp", "--", vm->nvram_template, vm->nvram, NULL);
}

/* Where libvirt keeps the same machine's, so that it is one TPM. */
static void add_tpm(struct command_lines *lines, const struct vm *vm)
{
	char state[FS_PATH_MAX], keys[FS_PATH_MAX];
	struct str s = STR_ON(state);

	/* as libvirt makes it */
	add_folder(lines, "711", VM_TPM_FOLDER);
	str_join(&s, VM_TPM_FOLDER "/", vm->uuid, "/tpm2", NULL);
	add_folder(lines, "700", state);
	s = STR_ON(keys);
	str_join(&s, state, "/tpm2-00.permall", NULL);
	command_begin(lines, N_("make the TPM's keys"), keys);
	add_words(lines, "swtpm_setup", "--tpm2", "--tpm-state", state,
		  "--create-ek-cert", "--create-platform-cert", "--lock-nvram", NULL);
	command_begin(lines, N_("start the TPM, which ends with QEMU"), NULL);
	add_words(lines, "swtpm", "socket", "--tpm2", "--terminate", "--daemon", NULL);
	command_option(lines, "--tpmstate", "dir=%s,mode=0600", state);
	command_option(lines, "--ctrl", "type=unixio,path=%s/socket,mode=0600", state);
	command_option(lines, "--pid", "file=%s" COMMAND_PID, state);
}

static int finished(struct command_lines *lines)
{
	if (!lines->failed)
		return 0;
	command_lines_finish(lines);
	return -ENOMEM;
}

int command_lines_make(const struct vm *vm, const struct claimed *claimed,
		       struct command_lines *ret)
{
	*ret = (struct command_lines){ 0 };
	add_disks(ret, vm);
	add_variables(ret, vm);
	if (vm->tpm == VM_YES)
		add_tpm(ret, vm);
	command_begin(ret, N_("run the machine"), NULL);
	command_add(ret, "%s", vm->emulator);
	qemu_add(ret, vm, claimed);
	return finished(ret);
}

int command_lines_disks(const struct vm *vm, struct command_lines *ret)
{
	*ret = (struct command_lines){ 0 };
	add_disks(ret, vm);
	return finished(ret);
}

/* ---- for a shell */

static void print_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	putc('\'', out);
}

void command_line_print(FILE *out, const struct command_line *line)
{
	for (size_t i = 0; i < line->n; i++) {
		if (i)
			putc(' ', out);
		print_word(out, line->words[i]);
	}
	putc('\n', out);
}

void command_lines_print(FILE *out, const struct command_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct command_line *line = &lines->lines[i];

		fprintf(out, "# %s\n", _(line->why));
		if (line->unless) {
			fputs("test -e ", out);
			print_word(out, line->unless);
			fputs(" || ", out);
		}
		for (size_t k = 0; k < line->n; k++) {
			const bool option = line->n > SHORT && *line->words[k] == '-';

			if (k)
				fputs(option ? " \\\n\t" : " ", out);
			print_word(out, line->words[k]);
		}
		putc('\n', out);
	}
}
