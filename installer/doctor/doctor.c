/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "finding.h"
#include "kargs.h"

/* ---- findings */

static char *__attribute__((format(printf, 2, 0)))
said(struct doctor *d, const char *format, va_list arguments)
{
	char *text = finding_format(format, arguments);

	if (!text)
		d->error = -ENOMEM;
	return text;
}

void doctor_say(struct doctor *d, enum doctor_state state, const char *evidence, ...)
{
	struct doctor_finding f = { .check = d->check, .state = state };
	va_list arguments;

	if (d->n == d->room) {
		const size_t room = d->room ? d->room * 2 : 64;
		void *more = realloc(d->findings, room * sizeof(*d->findings));

		if (!more) {
			d->error = -ENOMEM;
			return;
		}
		d->findings = more;
		d->room = room;
	}
	va_start(arguments, evidence);
	f.evidence = said(d, evidence, arguments);
	va_end(arguments);
	if (f.evidence)
		d->findings[d->n++] = f;
}

void doctor_mend(struct doctor *d, const char *mend, ...)
{
	va_list arguments;

	if (d->error || !d->n)
		return;
	va_start(arguments, mend);
	free(d->findings[d->n - 1].mend);
	d->findings[d->n - 1].mend = said(d, mend, arguments);
	va_end(arguments);
}

void doctor_mend_install(struct doctor *d, const char *debian, const char *fedora,
			 const char *arch)
{
	if (d->family == DOCTOR_DEBIAN && debian)
		doctor_mend(d, "apt install %s", debian);
	else if (d->family == DOCTOR_FEDORA && fedora)
		doctor_mend(d, "dnf install %s", fedora);
	else if (d->family == DOCTOR_ARCH && arch)
		doctor_mend(d, "pacman -S %s", arch);
	else
		doctor_mend(d,
			    _("install it with the distribution's package manager "
			      "(Debian: %s)"),
			    debian ? debian : "-");
}

void doctor_say_unreadable(struct doctor *d, const char *path, int error)
{
	doctor_say(d, DOCTOR_UNKNOWN, _("/%s cannot be read: %s"), path,
		   str_errno(error));
	if (error != -EACCES && error != -EPERM)
		return;
	d->denied = true;
	doctor_mend(d, _("run \"vfio-claim doctor\" as root"));
}

size_t doctor_count(const struct doctor *d, enum doctor_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->findings[i].state == state;
	return n;
}

void doctor_run(struct doctor *d, const struct doctor_check *checks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		d->check = &checks[i];
		checks[i].run(d);
	}
}

/* ---- facts */

/* ID and ID_LIKE are words that may stand in quotes. */
static enum doctor_family family_of(char *text)
{
	static const struct {
		const char *word;
		enum doctor_family family;
	} table[] = {
		{ "debian", DOCTOR_DEBIAN }, { "ubuntu", DOCTOR_DEBIAN },
		{ "fedora", DOCTOR_FEDORA }, { "rhel", DOCTOR_FEDORA },
		{ "arch", DOCTOR_ARCH },
	};
	char *line, *word, *lines, *words;

	for (line = strtok_r(text, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		if (!str_starts(line, "ID=") && !str_starts(line, "ID_LIKE="))
			continue;
		for (word = strtok_r(strchr(line, '='), "= \"'", &words); word;
		     word = strtok_r(NULL, "= \"'", &words))
			for (size_t i = 0; i < ARRAY_SIZE(table); i++)
				if (str_equal(word, table[i].word))
					return table[i].family;
	}
	return DOCTOR_OTHER;
}

static void read_family(struct doctor *d)
{
	if (doctor_read(d, "etc/os-release") == 0 ||
	    doctor_read(d, "usr/lib/os-release") == 0)
		d->family = family_of(d->text);
}

static int read_machine(struct doctor *d)
{
	const bool configured = next_configure(d->root, &d->next);

	if (configured)
		d->machine_error =
			machine_inspect(d->root, &d->next.conf, d->release, &d->machine);
	else
		d->machine_error = pci_scan(d->root, &d->machine.list);
	if (configured && d->machine_error == 0)
		next_decide(d->root, &d->boot, NULL, &d->machine, &d->next);
	return d->machine_error == -ENOMEM ? -ENOMEM : 0;
}

int doctor_begin(struct doctor *d, struct fs *root)
{
	size_t len;

	d->root = root;
	read_family(d);
	machine_release(root, d->release);
	d->kernels_error = initramfs_kernels(root, &d->kernels);
	if (d->kernels_error)
		d->kernels.n = 0;
	/* early boot's report says where the record is; without it that is looked for */
	if (boot_load(root, &d->boot) < 0)
		memset(&d->boot, 0, sizeof(d->boot));
	d->cmdline_error =
		fs_read_file(root, "proc/cmdline", d->cmdline, sizeof(d->cmdline), NULL);
	if (d->cmdline_error)
		d->cmdline[0] = '\0';
	len = strlen(d->cmdline);
	if (len && d->cmdline[len - 1] == '\n')
		d->cmdline[len - 1] = '\0';
	return read_machine(d);
}

void doctor_finish(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->findings[i].evidence);
		free(d->findings[i].mend);
	}
	free(d->findings);
	d->findings = NULL;
	d->n = d->room = 0;
	machine_finish(&d->machine);
}

bool doctor_claimed(const struct doctor *d, struct pci_address address)
{
	for (unsigned i = 0; i < d->machine.n_functions; i++) {
		const struct machine_function *f = &d->machine.functions[i];

		if (machine_function_found(f) &&
		    !pci_address_compare(f->found.function.address, address))
			return true;
	}
	for (size_t i = 0; i < d->n_chosen; i++)
		if (!pci_address_compare(d->chosen[i], address))
			return true;
	return false;
}

bool doctor_argument(const struct doctor *d, const char *key, char *value, size_t size)
{
	char word[KARGS_WORD_MAX];
	const char *p = d->cmdline, *v;
	bool cut, found = false;

	while (kargs_next(&p, word, sizeof(word), &cut)) {
		v = kargs_value(word, key);
		if (!v)
			continue;
		str_copy(value, size, v);
		found = true;
	}
	return found;
}
