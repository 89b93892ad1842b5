/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "firmware.h"
#include "text.h"

void wishes_finish(struct wishes *wishes)
{
	for (size_t i = 0; i < wishes->disks.n; i++)
		free(wishes->disks.items[i]);
	free(wishes->virtio_win);
	*wishes = (struct wishes){ 0 };
}

void decision_finish(struct decision *decision)
{
	for (size_t i = 0; i < decision->n_problems; i++)
		free(decision->problems[i]);
	for (size_t i = 0; i < decision->n_notes; i++)
		free(decision->notes[i]);
	*decision = (struct decision){ 0 };
}

void choose(struct decision *d, const char *what, const char *why, const char *format,
	    ...)
{
	struct choice *c = &d->choices[d->n_choices];
	va_list args;

	if (d->n_choices == DECIDE_MAX_CHOICES)
		return;
	c->what = what;
	c->why = why;
	va_start(args, format);
	vsnprintf(c->value, sizeof(c->value), format, args);
	va_end(args);
	d->n_choices++;
}

static void __attribute__((format(printf, 3, 0)))
keep(char **list, size_t *n, const char *format, va_list args)
{
	if (*n < DECIDE_MAX_PROBLEMS && vasprintf(&list[*n], format, args) >= 0)
		(*n)++;
}

void refuse(struct decision *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(d->problems, &d->n_problems, format, args);
	va_end(args);
}

void note(struct decision *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(d->notes, &d->n_notes, format, args);
	va_end(args);
}

bool decide_size(const char *text, uint64_t unit, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *p = text, *which;
	uint64_t n;

	if (!str_take_uint(&p, UINT32_MAX, &n) || !n)
		return false;
	which = *p ? strchr(units, *p & ~0x20) : NULL;
	if (which) {
		unit = 1024;
		for (; which > units; which--)
			unit *= 1024;
		p++;
		if (*p == 'i')
			p++;
		if (*p == 'B')
			p++;
	}
	if (*p || n > UINT64_MAX / unit / 2)
		return false;
	*ret = n * unit;
	return true;
}

/* ---- who it is */

/*
 * The same on this host every time, so that a machine that is made again is the same one
 * to its guest; RFC 9562's version 8.
 */
static int decide_identity(struct decision *d, struct vm *vm)
{
	uint8_t hash[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;
	char text[40];
	struct str s = STR_ON(text);

	sha256_init(&sha);
	sha256_update(&sha, strlen(d->host->machine_id),
		      (const uint8_t *)d->host->machine_id);
	sha256_update(&sha, strlen(vm->name) + 1, (const uint8_t *)vm->name);
	sha256_digest(&sha, sizeof(hash), hash);
	hash[6] = (hash[6] & 0x0f) | 0x80;
	hash[8] = (hash[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			str_add_char(&s, '-');
		str_add_hex(&s, hash[i], 2);
	}
	if (vm_set(&vm->uuid, text) < 0)
		return -ENOMEM;
	s = STR_ON(text);
	str_add(&s, "52:54:00");
	for (size_t i = 16; i < 19; i++) {
		str_add_char(&s, ':');
		str_add_hex(&s, hash[i], 2);
	}
	return vm_set(&vm->mac, text);
}

static int decide_emulator(struct decision *d, struct vm *vm)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	if (!vm->type) {
		vm->type = d->host->kvm ? VM_KVM : VM_QEMU;
		if (d->host->kvm)
			choose(d, _("accelerator"), _("/dev/kvm is there"), "kvm");
		else
			choose(d, _("accelerator"),
			       _("/dev/kvm is not there: it will be very slow; "
				 "vfio-claim doctor says why"),
			       "qemu");
	} else if (vm->type == VM_KVM && !d->host->kvm) {
		refuse(d, _("--type kvm: there is no /dev/kvm; vfio-claim doctor says "
			    "why"));
	}
	if (!d->host->emulator) {
		refuse(d, _("QEMU is not installed: install qemu-system-x86 (Debian, "
			    "Ubuntu), qemu-kvm (Fedora) or qemu-desktop (Arch)"));
		return 0;
	}
	str_join(&s, "/", d->host->emulator, NULL);
	return vm_set(&vm->emulator, path);
}

static void choose_security(struct decision *d, struct vm *vm)
{
	const bool win11 = vm->os == VM_WIN11;

	if (!vm->secure_boot) {
		vm->secure_boot = win11 ? VM_YES : VM_NO;
		choose(d, _("Secure Boot"),
		       win11 ? _("Windows 11 asks for it")
			     : _("unsigned drivers, NVIDIA's for Linux among them, load "
				 "without it"),
		       "%s", vm_flag_names[vm->secure_boot]);
	}
	if (!vm->tpm) {
		vm->tpm = win11 ? VM_YES : VM_NO;
		choose(d, "TPM",
		       win11 ? _("Windows 11 asks for one; swtpm emulates it")
			     : _("only Windows 11 asks for one"),
		       "%s", vm->tpm == VM_YES ? "2.0" : "no");
	}
	if (vm->tpm == VM_YES && !d->host->swtpm)
		refuse(d, _("the TPM needs swtpm, which is not installed: install swtpm "
			    "and swtpm-tools, or say --tpm no"));
}

static int take_firmware(struct decision *d, const struct firmware *firmware,
			 struct vm *vm)
{
	char nvram[FS_PATH_MAX];
	struct str s = STR_ON(nvram);
	int r;

	choose(d, _("firmware"),
	       _("UEFI: the card's own start-up code is made for it; the first that fits "
		 "in /usr/share/qemu/firmware"),
	       "%s", firmware->code);
	if (vm->secure_boot == VM_YES && !firmware->enrolled)
		note(d, _("the firmware has no keys: Secure Boot stays off until the "
			  "guest's owner enrols some"));
	str_join(&s, "/var/lib/libvirt/qemu/nvram/", vm->name, "_VARS.fd", NULL);
	r = vm_set(&vm->loader, firmware->code);
	if (r == 0)
		r = vm_set(&vm->loader_format, firmware->code_format);
	if (r == 0)
		r = vm_set(&vm->nvram_template, firmware->variables);
	return r < 0 ? r : vm_set(&vm->nvram, nvram);
}

int decide_firmware(struct decision *d, struct vm *vm)
{
	struct firmware firmware;
	int r;

	choose_security(d, vm);
	r = firmware_find(d->root, vm->secure_boot == VM_YES, &firmware);
	if (r == -ENOENT) {
		refuse(d,
		       _("there is no OVMF for Q35 %s Secure Boot in "
			 "/usr/share/qemu/firmware: install ovmf (Debian, Ubuntu) or "
			 "edk2-ovmf (Fedora, Arch)"),
		       vm->secure_boot == VM_YES ? _("with") : _("without"));
		return 0;
	}
	if (r < 0)
		return r;
	r = take_firmware(d, &firmware, vm);
	firmware_finish(&firmware);
	return r;
}

int decide(struct fs *root, const struct host *host, const struct claimed *claimed,
	   const struct wishes *wishes, struct vm *vm, struct decision *ret)
{
	char address[PCI_ADDRESS_LEN];
	struct str s = STR_ON(address), why;
	static char text[512];
	int r;

	*ret = (struct decision){ .root = root, .host = host, .claimed = claimed };
	str_init(&why, text, sizeof(text));
	if (!claimed_ready(claimed, &why))
		refuse(ret, _("claim %s cannot be used: %s"), vm->claim, text);
	pci_address_add(&s, claimed->functions[0].function.address);
	ret->node = host_node_of(root, address);
	choose(ret, _("chipset"),
	       _("it has PCI Express, which the card's drivers expect; each device has a "
		 "root port of its own, as on a board"),
	       "Q35");
	r = decide_identity(ret, vm);
	if (r == 0)
		r = decide_emulator(ret, vm);
	if (r == 0)
		r = decide_firmware(ret, vm);
	if (r == 0)
		r = decide_processors(ret, vm);
	if (r == 0)
		r = decide_memory(ret, vm);
	if (r == 0)
		r = decide_card(ret, wishes, vm);
	if (r == 0)
		r = decide_disks(ret, wishes, vm);
	if (r == 0)
		r = decide_devices(ret, wishes, vm);
	return r;
}
