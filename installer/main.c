/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim: the command that people use. Results on stdout, diagnostics on stderr.
 */
#include "command.h"
#include "str.h"
#include "text.h"

static const struct command *const table[] = {
	&cmd_list,     &cmd_doctor, &cmd_setup,	  &cmd_args, &cmd_status,
	&cmd_confirm,  &cmd_claim,  &cmd_release, &cmd_vm,   &cmd_undo,
	&cmd_snapshot, &cmd_images, &cmd_entries,
};

int main(int argc, char **argv)
{
	static const struct commands commands = {
		.program = "vfio-claim",
		.about = N_("Gives a graphics card to virtual machines, and takes it "
			    "back when in doubt."),
		.manual = "vfio-claim(8)",
		.table = table,
		.n = ARRAY_SIZE(table),
	};

	return command_main(&commands, argc, argv);
}
