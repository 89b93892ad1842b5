/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm show NAME: the machine as XML, or as a QEMU command line, with the
 * claim's functions where they are now.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "command_line.h"
#include "loaded.h"
#include "text.h"
#include "vm_commands.h"
#include "xml.h"

static enum { FORMAT_XML, FORMAT_QEMU } format;

static int print_as_json(struct context *context, const struct vm *vm)
{
	struct json_object *o = vm_to_json(vm);

	if (!o)
		return answer(context, "failed", str_errno(ENOMEM), EXIT_REFUSED);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return EXIT_DONE;
}

static int print(struct context *context, const struct vm *vm,
		 const struct claimed *claimed)
{
	TEXT_OWNED char *xml = NULL;
	struct command_lines lines;

	if (context->json)
		return print_as_json(context, vm);
	if (format == FORMAT_XML) {
		xml = xml_make(vm, claimed);
		if (!xml)
			return answer(context, "failed", str_errno(ENOMEM), EXIT_REFUSED);
		fputs(xml, stdout);
		return EXIT_DONE;
	}
	if (command_lines_make(vm, claimed, &lines) < 0)
		return answer(context, "failed", str_errno(ENOMEM), EXIT_REFUSED);
	if (vm->pins.n)
		puts(_("# \"vfio-claim vm run\" pins the threads, too"));
	command_lines_print(stdout, &lines);
	command_lines_finish(&lines);
	return EXIT_DONE;
}

static int run(struct context *context)
{
	static struct claimed claimed;
	VM_OWNED struct vm vm = { 0 };
	int status;

	if (!loaded(context, &vm, &claimed, &status))
		return status;
	return print(context, &vm, &claimed);
}

static bool option(int c, const char *value)
{
	(void)c;
	format = str_equal(value, "qemu") ? FORMAT_QEMU : FORMAT_XML;
	return str_equal(value, "qemu") || str_equal(value, "xml");
}

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	COMMON_OPTIONS,
};

const struct command vm_show = {
	.name = "show",
	.summary = N_("A machine as libvirt's XML or as a QEMU command line"),
	.arguments = "NAME",
	.help = N_(
		"  --format FORMAT xml (if not said) or qemu: a shell script that runs "
		"as it is\n"),
	.options = options,
	.option = option,
	.run = run,
};
