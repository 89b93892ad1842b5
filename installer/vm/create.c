/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command_line.h"
#include "libvirt.h"
#include "run.h"
#include "text.h"
#include "xml.h"

static void print_plan(const struct create_how *how, const struct vm *vm,
		       const struct command_lines *disks)
{
	char path[FS_PATH_MAX];

	if (how->quiet)
		return;
	vm_path(path, sizeof(path), vm->name, "json");
	printf(how->dry_run ? _("would be written: /%s\n") : _("written: /%s\n"), path);
	for (size_t i = 0; i < disks->n; i++) {
		fputs(_("would be run: "), stdout);
		command_line_print(stdout, &disks->lines[i]);
	}
	if (vm->libvirt == VM_YES)
		printf(_("would be defined: libvirt's domain %s (--print-xml shows "
			 "it)\n"),
		       vm->name);
}

/* ---- disks */

static void remove_disks(const struct vm *vm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		unlink(vm->made.items[i]);
}

/* qemu-img would write over what somebody has put there meanwhile. */
static bool make_disk(const char *path, const struct command_line *line, struct str *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;

	if (fd < 0) {
		str_join(why, path, _(" cannot be made: "), str_errno(errno), NULL);
		return false;
	}
	close(fd);
	r = run_program(line->words, line->why);
	if (r == 0)
		return true;
	unlink(path);
	str_join(why, path,
		 r == -ENOENT ? _(" cannot be made: install qemu-utils (Debian, Ubuntu) "
				  "or qemu-img")
			      : _(" cannot be made: qemu-img failed, see above"),
		 NULL);
	return false;
}

static bool make_disks(const struct vm *vm, const struct command_lines *disks,
		       struct str *why)
{
	for (size_t i = 0; i < vm->made.n; i++)
		if (!make_disk(vm->made.items[i], &disks->lines[i], why)) {
			remove_disks(vm, i);
			return false;
		}
	return true;
}

/* ---- libvirt */

static bool is_free(virConnectPtr connection, const struct vm *vm, struct str *why)
{
	bool missing = false;
	char ignored[256];
	struct str unwanted = STR_ON(ignored);
	virDomainPtr domain = libvirt_find(connection, vm->name, &missing, &unwanted);

	if (domain) {
		virDomainFree(domain);
		str_join(why, _("libvirt has a domain "), vm->name,
			 _(" already; \"vfio-claim vm attach\" gives it the claim"),
			 NULL);
		return false;
	}
	if (!missing)
		str_add(why, ignored);
	return missing;
}

static bool define(virConnectPtr connection, const struct vm *vm,
		   const struct claimed *claimed, struct str *why)
{
	TEXT_OWNED char *xml = xml_make(vm, claimed);

	if (!xml) {
		str_add(why, str_errno(ENOMEM));
		return false;
	}
	if (libvirt_define(connection, xml, why))
		return true;
	str_add(why, _(" (libvirt would not define the domain)"));
	return false;
}

static bool save(const struct create_how *how, const struct vm *vm, struct str *why)
{
	char path[FS_PATH_MAX];
	int r;

	vm_path(path, sizeof(path), vm->name, "json");
	if (how->root->ops->exists(how->root, path) == 0) {
		str_join(why, "/", path,
			 _(" is there: a machine of that name was made, or an earlier "
			   "create was interrupted; \"vfio-claim vm remove "),
			 vm->name, _("\" clears it"), NULL);
		return false;
	}
	r = vm_save(how->root, vm);
	if (r < 0)
		str_join(why, "/", path, ": ", str_errno(r),
			 r == -EACCES || r == -EPERM ? _("; run it as root") : "", NULL);
	return r == 0;
}

/* The file first: whatever is left by a killed run is found by its name. */
static bool make(const struct create_how *how, virConnectPtr connection,
		 const struct vm *vm, const struct claimed *claimed,
		 const struct command_lines *disks, struct str *why)
{
	char path[FS_PATH_MAX];

	if (!save(how, vm, why))
		return false;
	if (make_disks(vm, disks, why)) {
		if (!connection || define(connection, vm, claimed, why))
			return true;
		remove_disks(vm, vm->made.n);
	}
	vm_path(path, sizeof(path), vm->name, "json");
	(void)how->root->ops->remove(how->root, path);
	return false;
}

static bool connect_and_make(const struct create_how *how, const struct vm *vm,
			     const struct claimed *claimed,
			     const struct command_lines *disks, struct str *why)
{
	virConnectPtr connection = NULL;
	bool done = false;

	if (vm->libvirt == VM_YES) {
		connection = libvirt_open(false, why);
		if (!connection)
			return false;
	}
	if (!connection || is_free(connection, vm, why))
		done = make(how, connection, vm, claimed, disks, why);
	if (connection)
		virConnectClose(connection);
	return done;
}

bool create_machine(const struct create_how *how, const struct vm *vm,
		    const struct claimed *claimed, struct str *why)
{
	struct command_lines disks;
	bool done = true;

	if (command_lines_disks(vm, &disks) < 0) {
		str_add(why, str_errno(ENOMEM));
		return false;
	}
	if (how->captured && !how->dry_run)
		done = save(how, vm, why);
	if (how->dry_run || how->captured) {
		if (done)
			print_plan(how, vm, &disks);
	} else {
		done = connect_and_make(how, vm, claimed, &disks, why);
	}
	command_lines_finish(&disks);
	return done;
}
