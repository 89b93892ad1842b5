/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm remove NAME: what create made, and no more.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "answer.h"
#include "libvirt.h"
#include "loaded.h"
#include "prompt.h"
#include "run.h"
#include "text.h"
#include "vm_commands.h"

#define UUID_LEN 36

static bool storage, yes;

static bool undefine(virDomainPtr domain, struct str *why)
{
	const unsigned flags = VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_TPM |
			       VIR_DOMAIN_UNDEFINE_MANAGED_SAVE;

	if (virDomainIsActive(domain) == 1) {
		str_add(why, _("it runs: shut it down first (virsh shutdown)"));
		return false;
	}
	/* a libvirt before 8.9 knows nothing of TPMs here */
	if (virDomainUndefineFlags(domain, flags) == 0 ||
	    (virGetLastErrorCode() == VIR_ERR_INVALID_ARG &&
	     virDomainUndefineFlags(domain, flags & ~VIR_DOMAIN_UNDEFINE_TPM) == 0))
		return true;
	libvirt_error(why);
	return false;
}

static bool remove_domain(const struct vm *vm, struct str *why)
{
	virConnectPtr connection = libvirt_open(false, why);
	bool missing = false, done;
	virDomainPtr domain;

	if (!connection)
		return false;
	domain = libvirt_find(connection, vm->uuid, &missing, why);
	done = domain ? undefine(domain, why) : missing;
	if (domain)
		virDomainFree(domain);
	virConnectClose(connection);
	return done;
}

/* libvirt does it with its domains; of a machine that it does not know it stays. */
static void remove_tpm(const struct vm *vm)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, (char[]){ "--" },
			       path, NULL };

	str_join(&s, VM_TPM_FOLDER "/", vm->uuid, NULL);
	if (vm->tpm == VM_YES && strspn(vm->uuid, "0123456789abcdef-") == UUID_LEN &&
	    !vm->uuid[UUID_LEN] && run_program(argv, N_("remove the TPM")) != 0)
		fprintf(stderr, _("vfio-claim: %s cannot be removed\n"), path);
}

static void remove_file(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		fprintf(stderr, "vfio-claim: %s: %s\n", path, str_errno(errno));
}

static void remove_files(struct context *context, const struct vm *vm)
{
	char path[FS_PATH_MAX];

	for (size_t i = 0; storage && i < vm->made.n; i++)
		remove_file(vm->made.items[i]);
	remove_file(vm->nvram);
	remove_tpm(vm);
	vm_path(path, sizeof(path), vm->name, "json");
	(void)context->root.ops->remove(&context->root, path);
}

static int say_done(struct context *context, const struct vm *vm)
{
	char text[4096];
	struct str s = STR_ON(text);

	str_join(&s, vm->name, _(" is removed"), NULL);
	for (size_t i = 0; !storage && i < vm->disks.n; i++)
		str_join(&s, i ? ", " : _("; its disks stay: "), vm->disks.items[i],
			 NULL);
	return answer(context, "done", text, EXIT_DONE);
}

static bool asked(const struct vm *vm)
{
	char question[512];
	struct str s = STR_ON(question);

	str_join(&s, _("Remove "), vm->name, _(" with its firmware variables and TPM"),
		 storage && vm->made.n ? _(", and the disks that were made for it") : "",
		 "?", NULL);
	return yes || (prompt_possible() && prompt_yes(question));
}

/* Below a captured root only its file is there to be removed. */
static int forget(struct context *context, const struct vm *vm)
{
	char path[FS_PATH_MAX], text[FS_PATH_MAX * 2];
	struct str s = STR_ON(text);

	vm_path(path, sizeof(path), vm->name, "json");
	(void)context->root.ops->remove(&context->root, path);
	str_join(&s, "/", path, _(" is removed; libvirt's domain would be, too"), NULL);
	return answer(context, "done", text, EXIT_DONE);
}

static int run(struct context *context)
{
	VM_OWNED struct vm vm = { 0 };
	char text[1024];
	struct str why = STR_ON(text);
	int status, lock;

	if (!loaded_machine(context, &vm, &status))
		return status;
	if (context->root.captured)
		return forget(context, &vm);
	if (!asked(&vm))
		return answer(context, "refused",
			      _("nothing is removed; --yes answers the question"),
			      EXIT_REFUSED);
	lock = vm_lock(&context->root, &vm);
	if (lock < 0)
		return answer(context, "refused",
			      lock == -EWOULDBLOCK
				      ? _("it runs (vfio-claim vm run): end it first")
				      : str_errno(lock),
			      EXIT_REFUSED);
	if (vm.libvirt != VM_NO && !remove_domain(&vm, &why)) {
		close(lock);
		return answer(context, "refused", text, EXIT_REFUSED);
	}
	remove_files(context, &vm);
	close(lock);
	return say_done(context, &vm);
}

static bool option(int c, const char *value)
{
	(void)value;
	if (c == 's')
		storage = true;
	else
		yes = true;
	return true;
}

static const struct option options[] = {
	{ "storage", no_argument, NULL, 's' },
	{ "yes", no_argument, NULL, 'y' },
	COMMON_OPTIONS,
};

const struct command vm_remove = {
	.name = "remove",
	.summary = N_("Removes a machine that create made"),
	.arguments = "NAME",
	.help = N_("  --storage       the disks that were made for it, too\n"
		   "  --yes           do not ask\n"),
	.options = options,
	.option = option,
	.run = run,
};
