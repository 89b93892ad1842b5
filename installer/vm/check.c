/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "finding.h"

/* ---- findings */

static char *__attribute__((format(printf, 2, 0)))
said(struct check *c, const char *format, va_list arguments)
{
	char *text = finding_format(format, arguments);

	if (!text)
		c->error = -ENOMEM;
	return text;
}

void check_say(struct check *c, enum check_severity severity, const char *detail, ...)
{
	struct check_finding f = { .row = c->row, .severity = severity };
	va_list arguments;

	if (c->n == c->room) {
		const size_t room = c->room ? c->room * 2 : 32;
		void *more = realloc(c->findings, room * sizeof(*c->findings));

		if (!more) {
			c->error = -ENOMEM;
			return;
		}
		c->findings = more;
		c->room = room;
	}
	va_start(arguments, detail);
	f.detail = said(c, detail, arguments);
	va_end(arguments);
	if (f.detail)
		c->findings[c->n++] = f;
}

void check_mend(struct check *c, const char *mend, ...)
{
	va_list arguments;

	if (c->error || !c->n)
		return;
	va_start(arguments, mend);
	free(c->findings[c->n - 1].mend);
	c->findings[c->n - 1].mend = said(c, mend, arguments);
	va_end(arguments);
}

bool check_shall_fix(struct check *c)
{
	if (c->error || !c->n)
		return false;
	check_mend(c, "vfio-claim vm check %s --fix", c->name);
	c->findings[c->n - 1].fixable = true;
	return c->fix;
}

void check_fixed(struct check *c, bool done)
{
	struct attached *now = done ? attached_read(c->root, c->domain) : NULL;

	if (!now) {
		c->error = -ENOMEM;
		return;
	}
	free(c->attached);
	c->attached = now;
	c->findings[c->n - 1].fixed = true;
}

void check_forget_fixes(struct check *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->findings[i].fixed = false;
}

size_t check_count(const struct check *c, enum check_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->findings[i].severity == severity && !c->findings[i].fixed;
	return n;
}

size_t check_count_fixed(const struct check *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->findings[i].fixed;
	return n;
}

/* What --fix changes comes in the order in which it is to be changed. */
static const struct check_row rows[] = {
	{ "no-hostdev", N_("No card"), check_no_hostdev },
	{ "claim-unknown", N_("Claim"), check_claim_unknown },
	{ "function-absent", N_("Function"), check_absent },
	{ "address-moved", N_("Address"), check_moved },
	{ "address-doubtful", N_("Address"), check_doubtful },
	{ "function-changed", N_("Function"), check_changed },
	{ "function-ambiguous", N_("Function"), check_ambiguous },
	{ "device-missing", N_("Function"), check_device_missing },
	{ "companion-missing", N_("Companion"), check_companions },
	{ "not-claimed", N_("Claim"), check_not_claimed },
	{ "host-driver", N_("Driver"), check_host_driver },
	{ "group", N_("IOMMU group"), check_group },
	{ "managed", N_("Managed"), check_managed },
	{ "slots-spread", N_("Place in the guest"), check_slots },
	{ "guest-function", N_("Place in the guest"), check_guest_function },
	{ "no-pcie", N_("Machine"), check_machine },
	{ "no-ovmf", N_("Firmware"), check_no_ovmf },
	{ "ovmf-missing", N_("Firmware"), check_ovmf_files },
	{ "emulated-display", N_("Display"), check_display },
	{ "rom-missing", N_("ROM file"), check_rom_missing },
	{ "rom-invalid", N_("ROM file"), check_rom_invalid },
	{ "rom-unreadable", N_("ROM file"), check_rom_unreadable },
	{ "rom-apparmor", N_("ROM file"), check_rom_apparmor },
	{ "vfio-devices", N_("VFIO devices"), check_vfio_devices },
	{ "device-acl", N_("VFIO devices"), check_device_acl },
	{ "qemu-user", N_("QEMU's user"), check_qemu_user },
	{ "memory-limit", N_("Memory"), check_memory_limit },
	{ "memlock", N_("Memory"), check_memlock },
	{ "memory-size", N_("Memory"), check_memory_size },
	{ "hugepages", N_("Huge pages"), check_hugepages },
	{ "cpu-mode", N_("Processor"), check_cpu_mode },
	{ "address-width", N_("Processor"), check_address_width },
	{ "cpu-topology", N_("Processor"), check_topology },
	{ "code-43", N_("Code 43"), check_code43 },
	{ "kvm-hidden", N_("Code 43"), check_kvm_hidden },
	{ "ignore-msrs", N_("KVM"), check_ignore_msrs },
	{ "tpm-several", N_("TPM"), check_tpms },
	{ "swtpm-missing", N_("TPM"), check_swtpm },
};

void check_run(struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !c->error; i++) {
		c->row = &rows[i];
		rows[i].run(c);
	}
}

/* ---- the domain */

/* libosinfo's metadata, which virt-manager writes; else only Windows wants hyperv. */
static bool is_windows(xmlNode *domain)
{
	static const char uri[] = "http://libosinfo.org/xmlns/libvirt/domain/1.0";
	const xmlNode *metadata = tree_first(domain, "metadata");
	const xmlNode *info = metadata ? metadata->children : NULL, *os;
	char id[256];

	while (info && !tree_named(info, uri, "libosinfo"))
		info = info->next;
	os = info ? info->children : NULL;
	while (os && !tree_named(os, uri, "os"))
		os = os->next;
	if (os && tree_get(os, "id", id, sizeof(id)))
		return strstr(id, "microsoft.com/win");
	return tree_at(domain, "features/hyperv") != NULL;
}

uint64_t check_amount(const xmlNode *node)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {
		{ "b", 1 },	  { "bytes", 1 },     { "KB", 1000 },
		{ "k", 1024 },	  { "KiB", 1024 },    { "MB", 1000000 },
		{ "M", 1 << 20 }, { "MiB", 1 << 20 }, { "GB", 1000000000 },
		{ "G", 1 << 30 }, { "GiB", 1 << 30 },
	};
	char text[32], unit[16];
	const char *p = text;
	uint64_t value;

	if (!tree_content(node, text, sizeof(text)) ||
	    !str_take_uint(&p, UINT32_MAX * 1024ULL, &value) || *p)
		return 0;
	if (!tree_get(node, "unit", unit, sizeof(unit)))
		return value;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_equal(unit, units[i].unit))
			return value * units[i].bytes / 1024;
	return 0;
}

int check_begin(struct check *c, struct fs *root, const char *name, xmlNode *domain)
{
	int r;

	*c = (struct check){ .root = root, .name = name, .domain = domain };
	c->kvm = tree_is(domain, "type", "kvm");
	c->windows = is_windows(domain);
	c->memory = check_amount(tree_first(domain, "memory"));
	host_read(root, &c->host);
	c->attached = attached_read(root, domain);
	if (!c->attached)
		return -ENOMEM;
	r = cards_scan(root, &c->cards);
	if (r < 0) {
		free(c->attached);
		c->attached = NULL;
	}
	return r;
}

void check_finish(struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->findings[i].detail);
		free(c->findings[i].mend);
	}
	free(c->findings);
	if (c->attached)
		cards_finish(&c->cards);
	free(c->attached);
	c->findings = NULL;
	c->attached = NULL;
	c->n = c->room = 0;
}

void check_definition(struct fs *root, const char *name, const char *xml, FILE *out,
		      bool colour)
{
	static struct check c;
	char text[256];
	struct str why = STR_ON(text);
	size_t prolog;
	xmlDoc *doc = tree_parse(xml, strlen(xml), &prolog, &why);

	if (!doc)
		return;
	if (check_begin(&c, root, name, xmlDocGetRootElement(doc)) == 0) {
		check_run(&c);
		if (check_count(&c, CHECK_PROBLEM) || check_count(&c, CHECK_WARNING))
			check_print(&c, out, colour);
	}
	check_finish(&c);
	xmlFreeDoc(doc);
}

/* ---- facts */

static const char *below(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

int check_read(struct check *c, const char *path)
{
	return fs_read_file(c->root, below(path), c->text, sizeof(c->text), NULL);
}

bool check_missing(const struct check *c, const char *path)
{
	const int r = c->root->ops->exists(c->root, below(path));

	return r == -ENOENT || r == -ENOTDIR;
}

int check_stat(const struct check *c, const char *path, struct stat *ret)
{
	return fs_stat(c->root, below(path), ret);
}

struct check_address check_address(struct pci_address address)
{
	struct check_address ret;
	struct str s = STR_ON(ret.text);

	pci_address_add(&s, address);
	return ret;
}

const struct pci_function *check_function(const struct check *c, size_t hostdev)
{
	const struct claimed_function *f = attached_function(c->attached, hostdev);

	if (f && claimed_found(f))
		return &f->function;
	return pci_find(&c->cards.all, c->attached->hostdevs[hostdev].source);
}

const struct card_function *check_card_function(const struct check *c,
						struct pci_address address,
						const struct card **ret_card)
{
	for (size_t i = 0; i < c->cards.n; i++)
		for (size_t k = 0; k < c->cards.cards[i].n; k++) {
			const struct card_function *f = &c->cards.cards[i].functions[k];

			if (pci_address_compare(f->function.address, address))
				continue;
			if (ret_card)
				*ret_card = &c->cards.cards[i];
			return f;
		}
	return NULL;
}

bool check_attached(const struct check *c, struct pci_address address)
{
	return hostdev_find(c->attached->hostdevs, c->attached->n_hostdevs, address);
}

bool check_has_display(const struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);

		if (f && pci_is_display(&f->ids))
			return true;
	}
	return false;
}
