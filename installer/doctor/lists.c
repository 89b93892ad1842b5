/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leftovers in lists of modules, and other tools that hand out functions.
 */
#include "doctor.h"

static const char virqfd[] = "vfio_virqfd";

/* ---- lists of modules */

/* Which of the installed kernels lack it. */
static void name_kernels(struct doctor *d, struct str *s)
{
	const char *const name = virqfd;

	for (size_t i = 0; i < d->kernels.n; i++) {
		enum doctor_module found;

		doctor_modules(d, d->kernels.release[i], &name, 1, &found);
		if (found == DOCTOR_MODULE_ABSENT)
			str_join(s, s->len ? ", " : "", d->kernels.release[i], NULL);
	}
}

static void take_module(struct doctor *d, void *arg, const struct doctor_line *line)
{
	char kernels[512], name[sizeof(virqfd) + 8];
	struct str s = STR_ON(kernels);
	char *word, *words;

	(void)arg;
	for (word = strtok_r(line->text, " \t\"'()=+", &words); word;
	     word = strtok_r(NULL, " \t\"'()=+", &words)) {
		doctor_plain_name(name, sizeof(name), word);
		if (str_equal(name, virqfd))
			break;
	}
	if (!word)
		return;
	name_kernels(d, &s);
	if (s.len)
		doctor_say(d, DOCTOR_WARNING,
			   _("/%s:%u: %s: gone since Linux 6.2; these kernels do not "
			     "have it: %s"),
			   line->path, line->line, virqfd, kernels);
	else
		doctor_say(d, DOCTOR_WARNING,
			   _("/%s:%u: %s: gone since Linux 6.2: no newer kernel will "
			     "have it"),
			   line->path, line->line, virqfd);
	doctor_mend(d,
		    _("take it out there, then: %s; what vfio-pci needs is found "
		      "without it"),
		    doctor_rebuild(d));
}

void doctor_module_lists(struct doctor *d)
{
	static const char *const files[] = { "etc/modules", "etc/initramfs-tools/modules",
					     "etc/mkinitcpio.conf", "etc/dracut.conf" };
	static const char *const folders[] = { "etc/modules-load.d", "run/modules-load.d",
					       "usr/lib/modules-load.d",
					       "etc/mkinitcpio.conf.d",
					       "etc/dracut.conf.d" };
	const size_t before = d->n;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		doctor_lines(d, files[i], false, take_module, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		doctor_lines_below(d, folders[i], ".conf", false, take_module, NULL);
	if (d->n == before)
		doctor_say(d, DOCTOR_OK,
			   _("none in /etc/modules, /etc/modules-load.d and the "
			     "configuration of initramfs-tools, mkinitcpio and dracut"));
}

/* ---- other tools */

static void take_override(struct doctor *d, void *arg, const struct doctor_line *line)
{
	char *last = arg; /* once a file is enough */

	if (!strstr(line->text, "driver_override") || str_equal(last, line->path))
		return;
	str_copy(last, FS_PATH_MAX, line->path);
	doctor_say(d, DOCTOR_WARNING,
		   _("/%s:%u: writes driver_override, besides vfio-claim"), line->path,
		   line->line);
	doctor_mend(d, _("remove the file, then: %s"), doctor_rebuild(d));
}

/* Folders of scripts for each step of a boot. */
static void look_in_scripts(struct doctor *d, const char *above, char *last)
{
	struct doctor_names folders;
	char path[FS_PATH_MAX];
	struct stat st;
	int r;

	r = doctor_list(d, above, "", &folders);
	if (r < 0) {
		doctor_say_unreadable(d, above, r);
		return;
	}
	for (size_t i = 0; i < folders.n; i++) {
		struct str s = STR_ON(path);

		str_join(&s, above, "/", folders.names[i], NULL);
		if (!s.cut && doctor_stat(d, path, &st) == 0 && S_ISDIR(st.st_mode))
			doctor_lines_below(d, path, "", false, take_override, last);
	}
	doctor_names_finish(&folders);
}

static void look_at_driverctl(struct doctor *d)
{
	struct doctor_names files;

	if (doctor_list(d, "etc/driverctl.d", "", &files) < 0)
		return;
	if (files.n) {
		doctor_say(d, DOCTOR_WARNING,
			   _("/etc/driverctl.d: driverctl sets drivers, too: %s%s"),
			   files.names[0], files.n > 1 ? _(" and more") : "");
		doctor_mend(d, "driverctl unset-override %s", files.names[0]);
	}
	doctor_names_finish(&files);
}

void doctor_overrides(struct doctor *d)
{
	char last[FS_PATH_MAX] = "";
	const size_t before = d->n;

	doctor_lines_below(d, "etc/udev/rules.d", ".rules", true, take_override, last);
	doctor_lines_below(d, "etc/initcpio/hooks", "", false, take_override, last);
	look_in_scripts(d, "etc/initramfs-tools/scripts", last);
	look_at_driverctl(d);
	if (d->n == before)
		doctor_say(d, DOCTOR_OK,
			   _("no other driver_override in /etc/udev/rules.d, "
			     "/etc/initramfs-tools/scripts, /etc/initcpio/hooks and "
			     "/etc/driverctl.d"));
}
