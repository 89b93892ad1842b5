/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm create NAME: a virtual machine that uses a claim.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "command_line.h"
#include "create.h"
#include "decide.h"
#include "text.h"
#include "vm_commands.h"
#include "xml.h"

static struct vm vm;
static struct wishes wishes;
static struct decision decision;
static struct host host;
static struct claimed claimed;
static bool explain, print_xml, print_qemu;

/* ---- what is only printed */

static void print_choices(const struct context *context)
{
	for (size_t i = 0; i < decision.n_choices; i++) {
		const struct choice *c = &decision.choices[i];

		text_print(stdout, context->colour, TEXT_BOLD, "%-18s", c->what);
		printf(" %s\n", c->value);
		text_print(stdout, context->colour, TEXT_DIM, "%-18s %s\n", "", c->why);
	}
}

static void add_texts(struct json_object *o, const char *key, char *const *texts,
		      size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_string(texts[i]));
	json_object_object_add(o, key, array);
}

static struct json_object *choices_json(void)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < decision.n_choices; i++) {
		const struct choice *c = &decision.choices[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "what", json_object_new_string(c->what));
		json_object_object_add(o, "value", json_object_new_string(c->value));
		json_object_object_add(o, "why", json_object_new_string(c->why));
		json_object_array_add(array, o);
	}
	return array;
}

static void print_json(const char *outcome)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "outcome", json_object_new_string(outcome));
	add_texts(o, "problems", decision.problems, decision.n_problems);
	add_texts(o, "notes", decision.notes, decision.n_notes);
	json_object_object_add(o, "choices", choices_json());
	json_object_object_add(o, "machine", vm_to_json(&vm));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int print_machine(void)
{
	TEXT_OWNED char *xml = print_xml ? xml_make(&vm, &claimed) : NULL;
	struct command_lines lines;

	if (xml)
		fputs(xml, stdout);
	else if (print_xml)
		return -ENOMEM;
	if (!print_qemu)
		return EXIT_DONE;
	if (command_lines_make(&vm, &claimed, &lines) < 0)
		return -ENOMEM;
	command_lines_print(stdout, &lines);
	command_lines_finish(&lines);
	return EXIT_DONE;
}

/* ---- the command */

static int refused(const struct context *context)
{
	if (context->json)
		print_json("refused");
	for (size_t i = 0; !context->json && i < decision.n_problems; i++)
		fprintf(stderr, "vfio-claim: %s\n", decision.problems[i]);
	return EXIT_REFUSED;
}

/* A ROM that AppArmor keeps from QEMU, say: libvirt takes it, and cannot start it. */
static void say_in_the_way(struct context *context)
{
	TEXT_OWNED char *xml = xml_make(&vm, &claimed);

	if (xml)
		check_definition(&context->root, vm.name, xml, stderr,
				 text_colour(stderr));
}

static int make(struct context *context)
{
	static char text[2048];
	struct str why = STR_ON(text);
	const struct create_how how = {
		.root = &context->root,
		.dry_run = context->dry_run,
		.captured = context->root.captured,
		.quiet = context->json,
	};

	if (!create_machine(&how, &vm, &claimed, &why)) {
		refuse(&decision, "%s", text);
		return refused(context);
	}
	if (!context->json && !how.captured && vm.libvirt == VM_YES)
		say_in_the_way(context);
	if (context->json)
		print_json(how.dry_run ? "dry-run" : "done");
	else if (!how.dry_run && !how.captured)
		printf(vm.libvirt == VM_NO
			       ? _("%s is made. Start it: vfio-claim vm run %s\n")
			       : _("%s is made. Start it: virsh start %s\n"),
		       vm.name, vm.name);
	return EXIT_DONE;
}

static int act(struct context *context)
{
	int r;

	if (decision.n_problems)
		return refused(context);
	for (size_t i = 0; !context->json && i < decision.n_notes; i++)
		fprintf(stderr, _("vfio-claim: note: %s\n"), decision.notes[i]);
	if (print_xml || print_qemu) {
		r = print_machine();
	} else if (explain) {
		r = EXIT_DONE;
		if (context->json)
			print_json("explained");
		else
			print_choices(context);
	} else {
		r = make(context);
	}
	return r;
}

static int usage(const char *text)
{
	fprintf(stderr, "vfio-claim: %s\nTry 'vfio-claim vm create --help'.\n", text);
	return EXIT_USAGE;
}

static int run(struct context *context)
{
	static char text[1024];
	struct str why = STR_ON(text);
	int r;

	if (context->n_arguments != 1)
		return usage(_("name one machine"));
	if (!vm_name_ok(context->arguments[0]))
		return usage(_("a machine's name has no '/', no control character, no "
			       "'.' or '-' in front, and 60 bytes at most"));
	if (!vm.claim || !vm.os)
		return usage(_("--claim and --os are missing"));
	r = claimed_find(&context->root, vm.claim, &claimed, &why);
	if (r < 0) {
		refuse(&decision, _("--claim %s: %s"), vm.claim, text);
		r = refused(context);
		decision_finish(&decision);
		return r;
	}
	if (!vm.libvirt)
		vm.libvirt = VM_YES;
	host_read(&context->root, &host);
	r = vm_set(&vm.name, context->arguments[0]);
	if (r == 0)
		r = decide(&context->root, &host, &claimed, &wishes, &vm, &decision);
	if (r == 0)
		r = act(context);
	if (r < 0) {
		fprintf(stderr, "vfio-claim: %s\n", str_errno(r));
		r = EXIT_REFUSED;
	}
	decision_finish(&decision);
	wishes_finish(&wishes);
	vm_finish(&vm);
	return r;
}

/* ---- its options */

enum {
	OPT_TITLE = 256,
	OPT_ISO,
	OPT_DISK,
	OPT_DISK_BUS,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_SECURE_BOOT,
	OPT_TPM,
	OPT_ROM,
	OPT_VIRTIO_WIN,
	OPT_DISPLAY,
	OPT_CODE43,
	OPT_X_VGA,
	OPT_HUGEPAGES,
	OPT_PIN,
	OPT_USB,
	OPT_EVDEV,
	OPT_LOOKING_GLASS,
	OPT_NETWORK,
	OPT_SOUND,
	OPT_TYPE,
	OPT_CLAIM,
	OPT_OS,
	OPT_EXPLAIN,
	OPT_PRINT_XML,
	OPT_PRINT_QEMU,
	OPT_NO_LIBVIRT,
};

static bool take_memory(const char *value)
{
	uint64_t bytes;

	if (!decide_size(value, 1 << 20, &bytes) || bytes % (1 << 20) ||
	    bytes >> 20 > INT32_MAX / 1024)
		return false;
	vm.memory = (unsigned)(bytes >> 20);
	return true;
}

static bool take_cpus(const char *value)
{
	uint64_t n;

	if (!str_take_uint(&value, 4096, &n) || *value || !n)
		return false;
	vm.cpus = (unsigned)n;
	return true;
}

static bool take_disk(const char *value)
{
	wishes.disk_given = true;
	return str_equal(value, "none") || vm_list_add(&wishes.disks, value) == 0;
}

static bool take_evdev(const char *value)
{
	wishes.evdev = true;
	return !value || vm_list_add(&vm.evdev, value) == 0;
}

static bool option_text(int c, const char *value)
{
	switch (c) {
	case OPT_TITLE:
		return vm_set(&vm.title, value) == 0;
	case OPT_CLAIM:
		return vm_set(&vm.claim, value) == 0;
	case OPT_ISO:
		return vm_list_add(&vm.isos, value) == 0;
	case OPT_DISK:
		return take_disk(value);
	case OPT_ROM:
		return vm_set(&vm.rom, value) == 0;
	case OPT_VIRTIO_WIN:
		return vm_set(&wishes.virtio_win, value) == 0;
	case OPT_USB:
		return vm_list_add(&vm.usb, value) == 0;
	case OPT_LOOKING_GLASS:
		return vm_set(&vm.looking_glass, value) == 0;
	case OPT_NETWORK:
		return vm_set(&vm.network, value) == 0;
	case OPT_MEMORY:
		return take_memory(value);
	default:
		return take_cpus(value);
	}
}

static bool option_flag(int c)
{
	switch (c) {
	case OPT_X_VGA:
		vm.x_vga = VM_YES;
		break;
	case OPT_HUGEPAGES:
		vm.hugepages = VM_YES;
		break;
	case OPT_PIN:
		vm.pin = VM_YES;
		break;
	case OPT_EXPLAIN:
		explain = true;
		break;
	case OPT_PRINT_XML:
		print_xml = true;
		break;
	case OPT_PRINT_QEMU:
		print_qemu = true;
		break;
	default:
		vm.libvirt = VM_NO;
	}
	return true;
}

static bool option(int c, const char *value)
{
	if (c != OPT_EVDEV && !value)
		return option_flag(c);
	if (value && (!*value || !vm_text_ok(value)))
		return false;
	switch (c) {
	case OPT_EVDEV:
		return take_evdev(value);
	case OPT_OS:
		return (vm.os = vm_choice(vm_os_names, value));
	case OPT_TYPE:
		return (vm.type = vm_choice(vm_type_names, value));
	case OPT_DISK_BUS:
		return (vm.disk_bus = vm_choice(vm_bus_names, value));
	case OPT_SECURE_BOOT:
		return (vm.secure_boot = vm_choice(vm_flag_names, value));
	case OPT_TPM:
		return (vm.tpm = vm_choice(vm_flag_names, value));
	case OPT_DISPLAY:
		return (vm.display = vm_choice(vm_display_names, value));
	case OPT_SOUND:
		return (vm.sound = vm_choice(vm_sound_names, value));
	case OPT_CODE43:
		wishes.code43 = vm_choice(vm_flag_names, value);
		return wishes.code43 || str_equal(value, "auto");
	default:
		return option_text(c, value);
	}
}

static const struct option options[] = {
	{ "claim", required_argument, NULL, OPT_CLAIM },
	{ "os", required_argument, NULL, OPT_OS },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "iso", required_argument, NULL, OPT_ISO },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "disk-bus", required_argument, NULL, OPT_DISK_BUS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "secure-boot", required_argument, NULL, OPT_SECURE_BOOT },
	{ "tpm", required_argument, NULL, OPT_TPM },
	{ "rom", required_argument, NULL, OPT_ROM },
	{ "virtio-win", required_argument, NULL, OPT_VIRTIO_WIN },
	{ "display", required_argument, NULL, OPT_DISPLAY },
	{ "code43", required_argument, NULL, OPT_CODE43 },
	{ "x-vga", no_argument, NULL, OPT_X_VGA },
	{ "hugepages", no_argument, NULL, OPT_HUGEPAGES },
	{ "pin", no_argument, NULL, OPT_PIN },
	{ "usb", required_argument, NULL, OPT_USB },
	{ "evdev", optional_argument, NULL, OPT_EVDEV },
	{ "looking-glass", required_argument, NULL, OPT_LOOKING_GLASS },
	{ "network", required_argument, NULL, OPT_NETWORK },
	{ "sound", required_argument, NULL, OPT_SOUND },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "no-libvirt", no_argument, NULL, OPT_NO_LIBVIRT },
	{ "explain", no_argument, NULL, OPT_EXPLAIN },
	{ "print-xml", no_argument, NULL, OPT_PRINT_XML },
	{ "print-qemu", no_argument, NULL, OPT_PRINT_QEMU },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command vm_create = {
	.name = "create",
	.summary = N_("Makes a virtual machine that uses a claim"),
	.arguments = "NAME",
	.help = N_(
		"What is not said is chosen as an expert would on this machine; --explain "
		"shows it.\n\n"
		"  --claim C       the claim of /etc/vfio-claim.conf that it gets\n"
		"  --os OS         win11, win10 or linux\n"
		"  --iso FILE      an image to install from; may be repeated\n"
		"  --disk DISK     80G: a new one of that size; /path: one that is there;\n"
		"                  none; may be repeated\n"
		"  --disk-bus BUS  virtio or sata\n"
		"  --memory SIZE   8G, or MiB\n"
		"  --cpus N        processors\n"
		"  --pin           on cores that share a cache, away from the host's\n"
		"  --hugepages     memory in huge pages\n"
		"  --secure-boot yes|no    with Microsoft's keys\n"
		"  --tpm yes|no    TPM 2.0, by swtpm\n"
		"  --rom FILE      the card's ROM\n"
		"  --virtio-win FILE|none  the drivers' ISO for Windows\n"
		"  --display none|spice    an emulated display beside the card\n"
		"  --sound none|spice|pulse    beside the card's own\n"
		"  --network N     default, user, none, network:NAME or bridge:NAME\n"
		"  --usb VVVV:PPPP a USB device; may be repeated\n"
		"  --evdev[=PATH]  the host's keyboard and mouse; may be repeated\n"
		"  --looking-glass WxH     shared memory for that resolution\n"
		"  --code43 auto|yes|no    hide the hypervisor from old NVIDIA drivers\n"
		"  --x-vga         legacy VGA for the card\n"
		"  --type kvm|qemu the accelerator\n"
		"  --title TEXT    for people\n"
		"  --no-libvirt    only for vfio-claim vm run\n"
		"  --explain       show each choice and why; change nothing\n"
		"  --print-xml     show the domain that would be made; change nothing\n"
		"  --print-qemu    show it as a QEMU command line; change nothing\n"
		"  --dry-run       show what would be done\n"),
	.options = options,
	.option = option,
	.run = run,
};
