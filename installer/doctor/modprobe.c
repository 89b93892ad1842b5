/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leftovers in modprobe.d (modprobe.d(5)).
 */
#include <stdlib.h>

#include "doctor.h"

#define BLANKS " \t"
#define SHOWN 120 /* bytes of a line */

/* In the order of their weight: a name hides the same name in those that follow. */
static const char *const folders[] = { "etc/modprobe.d", "run/modprobe.d",
				       "usr/local/lib/modprobe.d", "usr/lib/modprobe.d",
				       "lib/modprobe.d" };

/* Those that a mode of graphics writes anew: what is in them is no guide's. */
static const struct {
	const char *path, *tool;
} generated[] = {
	{ "etc/modprobe.d/system76-power.conf", "system76-power" },
	{ "etc/modprobe.d/supergfxd.conf", "supergfxctl" },
	{ "etc/modprobe.d/blacklist-nvidia.conf", "envycontrol" },
};

static const char *generated_by(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(generated); i++)
		if (str_equal(path, generated[i].path))
			return generated[i].tool;
	return NULL;
}

static void place(char *ret, size_t size, const struct doctor_line *line,
		  const char *text)
{
	struct str s;

	str_init(&s, ret, size);
	str_join(&s, "/", line->path, ":", NULL);
	str_add_uint(&s, line->line);
	str_add(&s, ": ");
	str_add_n(&s, text, strnlen(text, SHOWN));
}

static void mend_line(struct doctor *d)
{
	doctor_mend(d, _("delete that line, then: %s"), doctor_rebuild(d));
}

static bool is_true(const char *value)
{
	return str_equal(value, "1") || str_equal(value, "Y") || str_equal(value, "y");
}

static void take_option(struct doctor *d, const char *where, const char *module,
			char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return;
	*value++ = '\0';
	value += *value == '"';
	value[strcspn(value, "\"")] = '\0';
	if (str_equal(module, "vfio_pci") && str_equal(option, "ids")) {
		doctor_judge_ids(d, where, value);
	} else if (str_equal(option, "enable_unsafe_noiommu_mode") && is_true(value)) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("%s: a guest can write to all memory; nothing is claimed"),
			   where);
		mend_line(d);
	} else if (str_equal(option, "allow_unsafe_interrupts") && is_true(value)) {
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: a guest can send interrupts into the host"), where);
		mend_line(d);
	}
}

static void take_install(struct doctor *d, const char *where, const char *module,
			 const char *program)
{
	const size_t before = d->n;

	if (str_equal(module, "vfio_pci"))
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: runs a program in place of loading vfio-pci"), where);
	else if (strstr(program, "/true") || strstr(program, "/false") ||
		 str_equal(program, "true") || str_equal(program, "false"))
		doctor_judge_blacklist(d, where, module);
	if (d->n > before)
		mend_line(d);
}

static void take_softdep(struct doctor *d, const char *where, char *rest)
{
	char name[PCI_DRIVER_LEN], *word, *words;

	for (word = strtok_r(rest, BLANKS, &words); word;
	     word = strtok_r(NULL, BLANKS, &words)) {
		doctor_plain_name(name, sizeof(name), word);
		if (!str_equal(name, "vfio_pci") && !str_equal(name, "vfio"))
			continue;
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: not needed: vfio-claim is there before any driver"),
			   where);
		mend_line(d);
		return;
	}
}

/* `last` is the last file that a tool has generated: one finding of it is enough. */
static void take_blacklist(struct doctor *d, const struct doctor_line *line,
			   const char *where, const char *module, char *last)
{
	const char *tool = generated_by(line->path);
	const size_t before = d->n;

	if (tool && str_equal(last, line->path))
		return;
	doctor_judge_blacklist(d, where, module);
	if (d->n == before)
		return;
	if (!tool) {
		mend_line(d);
		return;
	}
	str_copy(last, FS_PATH_MAX, line->path);
	doctor_mend(d, _("that file is %s's: see \"Graphics switching\""), tool);
}

static void take_line(struct doctor *d, void *arg, const struct doctor_line *line)
{
	char where[FS_PATH_MAX + SHOWN + 16], module[PCI_DRIVER_LEN];
	char *verb, *name, *word, *rest;

	place(where, sizeof(where), line, line->text);
	verb = strtok_r(line->text, BLANKS, &rest);
	name = strtok_r(NULL, BLANKS, &rest);
	if (!verb || !name)
		return;
	doctor_plain_name(module, sizeof(module), name);
	if (str_equal(verb, "options")) {
		while ((word = strtok_r(NULL, BLANKS, &rest)))
			take_option(d, where, module, word);
	} else if (str_equal(verb, "install")) {
		take_install(d, where, module, rest ? rest : "");
	} else if (str_equal(verb, "softdep")) {
		take_softdep(d, where, rest);
	} else if (str_equal(verb, "blacklist") ||
		   (str_equal(verb, "alias") && str_starts(rest, "off"))) {
		take_blacklist(d, line, where, module, arg);
	}
}

static bool is_in(const struct doctor_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_equal(names->names[i], name))
			return true;
	return false;
}

static bool hidden(const struct doctor_names *above, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(&above[i], name))
			return true;
	return false;
}

void doctor_modprobe(struct doctor *d)
{
	struct doctor_names names[ARRAY_SIZE(folders)] = { 0 };
	const size_t before = d->n;
	char path[FS_PATH_MAX], last[FS_PATH_MAX] = "";

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		const int r = doctor_list(d, folders[i], ".conf", &names[i]);

		if (r < 0)
			doctor_say_unreadable(d, folders[i], r);
		for (size_t k = 0; k < names[i].n; k++) {
			struct str s = STR_ON(path);

			str_join(&s, folders[i], "/", names[i].names[k], NULL);
			if (!s.cut && !hidden(names, i, names[i].names[k]))
				doctor_lines(d, path, true, take_line, last);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		doctor_names_finish(&names[i]);
	if (d->n == before)
		doctor_say(d, DOCTOR_OK,
			   _("none in /etc/modprobe.d, /usr/lib/modprobe.d "
			     "and the like"));
}
