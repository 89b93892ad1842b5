/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm run NAME: without libvirt, on this terminal.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "answer.h"
#include "command_line.h"
#include "foreground.h"
#include "loaded.h"
#include "run.h"
#include "slurp.h"
#include "text.h"
#include "users.h"
#include "vm_commands.h"

#define SLACK (1024ULL << 20) /* bytes that QEMU needs beside the guest's memory */

/* ---- may it run? */

static bool is_busy(struct context *context, const struct claimed *claimed,
		    struct str *why)
{
	struct pci_address addresses[CLAIMED_MAX];
	struct holders holders = { .n = 0 };

	for (size_t i = 0; i < claimed->n; i++)
		addresses[i] = claimed->functions[i].function.address;
	users_find(&context->root, addresses, claimed->n, &holders);
	if (!holders.n)
		return false;
	holders_say(&holders, why);
	str_add(why, _(": another machine uses the claim"));
	return true;
}

static bool may_open(struct context *context, const struct claimed *claimed,
		     struct str *why)
{
	for (size_t i = 0; i < claimed->n; i++) {
		char path[FS_PATH_MAX], group[32], device[64];
		struct str s = STR_ON(device);

		pci_device_path(path, sizeof(path),
				claimed->functions[i].function.address, "iommu_group");
		if (fs_link_name(&context->root, path, group, sizeof(group)) < 0)
			continue;
		str_join(&s, "/dev/vfio/", group, NULL);
		if (access(device, R_OK | W_OK) < 0) {
			str_join(why, device, ": ", str_errno(errno),
				 _("; run it as root, or let your user have it: a udev "
				   "rule SUBSYSTEM==\"vfio\", OWNER=\"USER\""),
				 NULL);
			return false;
		}
	}
	return true;
}

static bool may_lock(const struct vm *vm, struct str *why)
{
	const uint64_t needed = ((uint64_t)vm->memory << 20) + SLACK;
	struct rlimit limit;

	if (geteuid() == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return true;
	str_add(why, _("only root may lock that much memory; for your user put \"USER "
		       "hard memlock "));
	str_add_uint(why, needed >> 10);
	str_add(why, _("\" and the same with soft into /etc/security/limits.d/vfio.conf, "
		       "and log in again"));
	return false;
}

/* ---- running it */

/* A TPM that QEMU never spoke to does not end by itself. */
static void stop_tpm(struct context *context, const struct vm *vm)
{
	TEXT_OWNED char *text = NULL;
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	size_t len;
	int pid;

	if (vm->tpm != VM_YES)
		return;
	str_join(&s, VM_TPM_FOLDER "/", vm->uuid, "/tpm2" COMMAND_PID, NULL);
	if (slurp(&context->root, path + 1, 64, &text, &len) < 0)
		return;
	pid = atoi(text);
	if (pid > 1)
		kill(pid, SIGTERM);
	unlink(path);
}

static bool prepare(const struct command_lines *lines, struct str *why)
{
	for (size_t i = 0; i + 1 < lines->n; i++) {
		const struct command_line *line = &lines->lines[i];
		int r;

		if (line->unless && access(line->unless, F_OK) == 0)
			continue;
		r = run_program(line->words, line->why);
		if (r == 0)
			continue;
		str_join(why, line->words[0],
			 r < 0 ? ": " : _(" failed, see above; it had to "),
			 r < 0 ? str_errno(r) : _(line->why), NULL);
		return false;
	}
	return true;
}

static int run_lines(struct context *context, const struct vm *vm,
		     const struct command_lines *lines)
{
	char text[1024];
	struct str why = STR_ON(text);
	/* until this program ends */
	const int lock = vm_lock(&context->root, vm);
	int r;

	if (lock < 0)
		return answer(context, "refused",
			      lock == -EWOULDBLOCK ? _("it runs already")
						   : str_errno(lock),
			      EXIT_REFUSED);
	if (!prepare(lines, &why)) {
		stop_tpm(context, vm);
		return answer(context, "failed", text, EXIT_REFUSED);
	}
	if (isatty(STDIN_FILENO))
		fputs(_("This terminal is the guest's serial port. Ctrl-a c: QEMU's "
			"monitor, Ctrl-a x: end it at once.\n"),
		      stderr);
	r = foreground_run(lines->lines[lines->n - 1].words, vm);
	stop_tpm(context, vm);
	if (r == 0)
		return EXIT_DONE;
	str_join(&why, vm->emulator, r < 0 ? ": " : _(" ended with status "), NULL);
	if (r < 0)
		str_add(&why, str_errno(r));
	else
		str_add_uint(&why, (unsigned)r);
	return answer(context, "failed", text, EXIT_REFUSED);
}

static int run(struct context *context)
{
	static struct claimed claimed;
	VM_OWNED struct vm vm = { 0 };
	struct command_lines lines;
	char text[1024];
	struct str why = STR_ON(text);
	int status;

	if (!loaded(context, &vm, &claimed, &status))
		return status;
	if (!claimed_ready(&claimed, &why) ||
	    (!context->root.captured &&
	     (is_busy(context, &claimed, &why) || !may_open(context, &claimed, &why) ||
	      !may_lock(&vm, &why))))
		return answer(context, "refused", text, EXIT_REFUSED);
	if (command_lines_make(&vm, &claimed, &lines) < 0)
		return answer(context, "failed", str_errno(ENOMEM), EXIT_REFUSED);
	status = EXIT_DONE;
	if (context->dry_run || context->root.captured)
		command_lines_print(stdout, &lines);
	else
		status = run_lines(context, &vm, &lines);
	command_lines_finish(&lines);
	return status;
}

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command vm_run = {
	.name = "run",
	.summary = N_("Runs a machine on this terminal, without libvirt"),
	.arguments = "NAME",
	.help = N_("  --dry-run       only show the programs that would be run\n"),
	.options = options,
	.run = run,
};
