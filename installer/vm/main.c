/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm: the guest's side. What vfio-claim becomes for this command.
 */
#include "command.h"
#include "str.h"
#include "text.h"
#include "vm_commands.h"

static const struct command *const table[] = {
	&vm_create, &vm_show, &vm_run, &vm_remove, &vm_attach, &vm_detach, &vm_check,
};

int main(int argc, char **argv)
{
	static const struct commands commands = {
		.program = "vfio-claim vm",
		.about = N_("Virtual machines that use a claim: with libvirt, or as a "
			    "plain QEMU command line."),
		.manual = "vfio-claim-vm(8)",
		.table = table,
		.n = ARRAY_SIZE(table),
	};

	return command_main(&commands, argc, argv);
}
