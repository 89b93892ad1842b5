/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card, and the devices around it.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "decide.h"
#include "nvidia.h"
#include "slurp.h"
#include "text.h"

#define INPUTS "dev/input/by-id"
#define MAX_PIXELS 32768

/* ---- the card */

static bool is_audio(const struct pci_ids *ids)
{
	return ids->class >> 8 == 0x0403;
}

static bool has_nvidia(const struct claimed *claimed, bool *ret_old)
{
	bool found = false;

	*ret_old = false;
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];
		const struct pci_ids *ids = &f->conf->identity.ids;
		const enum nvidia nvidia =
			pci_is_display(ids) ? nvidia_of(ids, f->name) : NVIDIA_NONE;

		found |= nvidia != NVIDIA_NONE;
		*ret_old |= nvidia == NVIDIA_OLD;
	}
	return found;
}

static void decide_code43(struct decision *d, unsigned wish, struct vm *vm)
{
	bool old;
	const bool nvidia = has_nvidia(d->claimed, &old);

	vm->hide_kvm = wish ? wish : old ? VM_YES : VM_NO;
	if (wish == VM_YES && !old)
		note(d, nvidia ? _("--code43 yes is not needed any more: NVIDIA's "
				   "drivers from 465 (2021) on accept virtual machines")
			       : _("--code43 yes: only old drivers of NVIDIA need it; "
				   "hiding the hypervisor costs speed"));
	if (!wish && nvidia)
		choose(d, "Code 43",
		       old ? _("this card's last driver is older than 465 and stops with "
			       "Code 43 where it sees a hypervisor")
			   : _("NVIDIA's drivers from 465 (2021) on accept virtual "
			       "machines; hiding costs speed"),
		       "%s", old ? _("hypervisor hidden") : _("nothing hidden"));
}

int decide_card(struct decision *d, const struct wishes *wishes, struct vm *vm)
{
	choose(d, _("the card"),
	       _("all functions of the claim as one device, as the drivers expect; "
		 "libvirt leaves them on vfio-pci (managed='no')"),
	       _("%zu functions"), d->claimed->n);
	decide_code43(d, wishes->code43, vm);
	if (vm->rom)
		(void)decide_rom(d, vm->rom);
	else
		choose(d, "ROM",
		       _("the card's own; --rom FILE for one that the firmware had in "
			 "use, or an edited one"),
		       _("none given"));
	if (!vm->x_vga)
		vm->x_vga = VM_NO;
	if (vm_is_windows(vm))
		choose(d, "Hyper-V",
		       _("Windows runs faster where it knows that it is a guest"),
		       _("all enlightenments"));
	return 0;
}

/* ---- display, sound, network */

static void decide_display(struct decision *d, struct vm *vm)
{
	vm->video = vm->display == VM_SPICE && !vm->looking_glass ? VM_YES : VM_NO;
	if (vm->display)
		return;
	vm->display = vm->looking_glass ? VM_SPICE : VM_HEADLESS;
	choose(d, _("emulated display"),
	       vm->looking_glass
		       ? _("Looking Glass sends keyboard, mouse and sound over SPICE; "
			   "there is no emulated card")
		       : _("the card is the only one, so that the guest's first picture "
			   "is on it; --display spice for one in a window"),
	       "%s", vm->looking_glass ? _("SPICE without a card") : "none");
}

/* Of whoever called sudo: root has none. */
static int decide_pulse(struct decision *d, struct vm *vm)
{
	const char *uid = getenv("SUDO_UID");
	char path[64];
	struct str s = STR_ON(path);

	str_join(&s, "/run/user/",
		 uid && *uid && strspn(uid, "0123456789") == strlen(uid) ? uid : "1000",
		 "/pulse/native", NULL);
	note(d,
	     _("--sound pulse plays at %s: libvirt's QEMU has to run as that user (user "
	       "= in /etc/libvirt/qemu.conf)"),
	     path);
	return vm_set(&vm->sound_server, path);
}

static int decide_sound(struct decision *d, struct vm *vm)
{
	bool audio = false;

	if (vm->sound == VM_SOUND_SPICE && vm->display != VM_SPICE)
		refuse(d, _("--sound spice needs --display spice"));
	if (vm->sound == VM_SOUND_PULSE)
		return decide_pulse(d, vm);
	if (vm->sound)
		return 0;
	for (size_t i = 0; i < d->claimed->n; i++)
		audio |= is_audio(&d->claimed->functions[i].conf->identity.ids);
	vm->sound = vm->display == VM_SPICE ? VM_SOUND_SPICE : VM_SILENT;
	choose(d, _("sound"),
	       vm->sound == VM_SOUND_SPICE ? _("where the window is")
	       : audio			   ? _("the card has its own, on its outputs")
		       : _("the claim has none; --sound pulse plays on the host"),
	       "%s", vm_sound_names[vm->sound]);
	return 0;
}

/*
 * IFNAMSIZ of linux/if.h, without the NUL; the characters are those of libvirt's schema
 */
static bool is_interface(const char *name)
{
	return *name && strlen(name) <= 15 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_.-") == strlen(name);
}

/* Debian and Arch leave it off. */
static void note_network(struct decision *d, const struct vm *vm)
{
	if (str_equal(vm->network, "network:default") && d->host->default_network &&
	    !d->host->network_runs)
		note(d, _("libvirt's network \"default\" does not run: virsh net-start "
			  "default, and virsh net-autostart default for ever"));
}

static int decide_network(struct decision *d, struct vm *vm)
{
	const char *wish = vm->network, *name;

	if (!wish) {
		wish = d->host->default_network ? "network:default" : "user";
		choose(d, _("network"),
		       d->host->default_network
			       ? _("libvirt's own, behind the host's address")
			       : _("libvirt has no network \"default\" here; QEMU's own "
				   "needs no rights"),
		       "%s", wish);
		return vm_set(&vm->network, wish);
	}
	if (str_equal(wish, "none") || str_equal(wish, "user"))
		return 0;
	if (str_equal(wish, "default"))
		return vm_set(&vm->network, "network:default");
	name = strchr(wish, ':');
	if (name && str_starts(wish, "network:") && name[1] && !strchr(name, '/'))
		return 0;
	if (name && str_starts(wish, "bridge:") && is_interface(name + 1))
		return 0;
	refuse(d,
	       _("--network %s: default, user, none, network:NAME or bridge:NAME is "
		 "expected"),
	       wish);
	return 0;
}

/* ---- keyboard and mouse */

static int find_inputs(struct decision *d, struct vm *vm)
{
	struct name_list names;
	int r = 0;

	if (name_list_read(d->root, INPUTS, &names) < 0)
		names = (struct name_list){ 0 };
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		char path[FS_PATH_MAX];
		struct str s = STR_ON(path);

		if (fnmatch("*-event-kbd", names.names[i], 0) != 0 &&
		    fnmatch("*-event-mouse", names.names[i], 0) != 0)
			continue;
		str_join(&s, "/" INPUTS "/", names.names[i], NULL);
		if (!s.cut && vm_text_ok(path))
			r = vm_list_add(&vm->evdev, path);
	}
	name_list_finish(&names);
	if (r == 0 && !vm->evdev.n)
		refuse(d, _("--evdev: no keyboard and no mouse in /" INPUTS
			    "; say --evdev=PATH"));
	else if (r == 0)
		choose(d, "evdev",
		       _("both Ctrl keys together change between host and guest"),
		       _("%zu keyboards and mice"), vm->evdev.n);
	return r;
}

static int decide_inputs(struct decision *d, const struct wishes *wishes, struct vm *vm)
{
	for (size_t i = 0; i < vm->evdev.n; i++) {
		const char *path = vm->evdev.items[i];

		if (!str_starts(path, "/dev/") ||
		    d->root->ops->exists(d->root, path + 1) < 0)
			refuse(d,
			       _("--evdev=%s: there is no such device; see "
				 "/" INPUTS),
			       path);
	}
	for (size_t i = 0; i < vm->usb.n; i++) {
		uint16_t vendor, product;

		if (!pci_id_parse(vm->usb.items[i], &vendor, &product))
			refuse(d,
			       _("--usb %s: VENDOR:PRODUCT in four hex digits each is "
				 "expected, as lsusb shows it"),
			       vm->usb.items[i]);
	}
	if (vm->usb.n > VM_USB_PORTS - VM_TABLET_PORT)
		refuse(d, _("--usb: more than %d devices"),
		       VM_USB_PORTS - VM_TABLET_PORT);
	return wishes->evdev && !vm->evdev.n ? find_inputs(d, vm) : 0;
}

/*
 * Two frames of 4 bytes a pixel and 10 MiB, rounded up to a power of two: the formula of
 * Looking Glass's own documentation.
 */
static void decide_looking_glass(struct decision *d, struct vm *vm)
{
	const char *p = vm->looking_glass;
	uint64_t width, height, bytes;

	if (!p)
		return;
	if (!str_take_uint(&p, MAX_PIXELS, &width) || !str_take_char(&p, 'x') ||
	    !str_take_uint(&p, MAX_PIXELS, &height) || *p || !width || !height) {
		refuse(d, _("--looking-glass %s: WIDTHxHEIGHT is expected, as 2560x1440"),
		       vm->looking_glass);
		return;
	}
	bytes = width * height * 4 * 2 + (10 << 20);
	for (vm->shared_memory = 1; (uint64_t)vm->shared_memory << 20 < bytes;)
		vm->shared_memory *= 2;
	choose(d, "Looking Glass",
	       _("two pictures of that size and 10 MiB, rounded up to a power of two"),
	       "%u MiB", vm->shared_memory);
}

int decide_devices(struct decision *d, const struct wishes *wishes, struct vm *vm)
{
	int r;

	decide_display(d, vm);
	decide_looking_glass(d, vm);
	r = decide_sound(d, vm);
	if (r == 0)
		r = decide_network(d, vm);
	if (r == 0)
		note_network(d, vm);
	return r < 0 ? r : decide_inputs(d, wishes, vm);
}
