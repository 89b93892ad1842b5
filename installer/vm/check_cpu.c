/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's processor, and what hides from a driver that it runs in a guest.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "nvidia.h"
#include "qemu_words.h"
#include "text.h"

void check_cpu_mode(struct check *c)
{
	char mode[32];
	const xmlNode *cpu = tree_first(c->domain, "cpu");

	if (!tree_get(cpu, "mode", mode, sizeof(mode)))
		str_copy(mode, sizeof(mode), _("none"));
	if (!c->kvm || str_equal(mode, "host-passthrough") || str_equal(mode, "maximum"))
		return;
	check_say(c, str_equal(mode, "host-model") ? CHECK_NOTE : CHECK_WARNING,
		  _("the CPU's mode is %s: the guest's drivers and games see less than "
		    "what the processor can do"),
		  mode);
	check_mend(c, _("virsh edit %s: <cpu mode='host-passthrough'>"), c->name);
}

/* ---- how far its addresses reach */

#define OWN_WIDTH 40 /* bits, of QEMU's own processors (target/i386/cpu.c) */
#define ANY_WIDTH 64
#define LARGE_BAR (UINT64_C(1) << 30)

/* -cpu host,host-phys-bits-limit=39 or -global ...; 0: none */
static uint64_t limit_in_words(const struct check *c)
{
	static const char key[] = "host-phys-bits-limit=";
	const xmlNode *word = NULL;
	uint64_t limit = 0;
	char text[512];

	while ((word = qemu_words_next(c->domain, word, text, sizeof(text)))) {
		const char *p = strstr(text, key);

		if (p && str_take_text(&p, key))
			(void)!str_take_uint(&p, ANY_WIDTH, &limit);
	}
	return limit;
}

static bool is_host_cpu(const xmlNode *cpu)
{
	return tree_is(cpu, "mode", "host-passthrough") ||
	       tree_is(cpu, "mode", "maximum");
}

/* Of a copy of the host's processor QEMU takes no other number than a limit. */
static uint64_t guest_width(const struct check *c, const xmlNode *cpu)
{
	const xmlNode *own = tree_first(cpu, "maxphysaddr");
	const bool as_host = is_host_cpu(cpu) || tree_is(own, "mode", "passthrough");
	const uint64_t host = c->host.address_bits ? c->host.address_bits : ANY_WIDTH;
	uint64_t bits = limit_in_words(c);

	if (!as_host)
		return tree_number(own, "bits", &bits) ? bits : OWN_WIDTH;
	if (!bits && (!c->host.libvirt_limits || !tree_number(own, "limit", &bits)))
		return host;
	return bits && bits < host ? bits : host;
}

/* Memory of the guest, or much of the card's, where the firmware puts what is large. */
static bool has_much_above(const struct check *c)
{
	const xmlNode *word = NULL;
	char text[512];

	if (tree_at(c->domain, "devices/shmem"))
		return true;
	while ((word = qemu_words_next(c->domain, word, text, sizeof(text))))
		if (strstr(text, "ivshmem"))
			return true;
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);

		if (f && host_largest_bar(c->root, check_address(f->address).text) >=
				 LARGE_BAR)
			return true;
	}
	return false;
}

static bool limit_width(const struct check *c, xmlNode *cpu)
{
	xmlNode *own = tree_first(cpu, "maxphysaddr");
	const bool as_host = is_host_cpu(cpu);
	char word[64], *bits = word + strlen(QEMU_LIMIT);
	struct str s = STR_ON(word);

	str_add(&s, QEMU_LIMIT);
	str_add_uint(&s, c->host.iommu_bits);
	if (as_host && !c->host.libvirt_limits)
		return qemu_words_add(c->domain, "-global", word);
	if (own)
		tree_remove(own);
	own = tree_append(cpu, "maxphysaddr");
	return tree_set(own, "mode", as_host ? "passthrough" : "emulate") &&
	       tree_set(own, as_host ? "limit" : "bits", bits);
}

void check_address_width(struct check *c)
{
	xmlNode *cpu = tree_first(c->domain, "cpu");
	const uint64_t width = guest_width(c, cpu);
	const unsigned iommu = c->host.iommu_bits;

	if (!c->kvm || !c->attached->n_hostdevs || !iommu || width <= iommu)
		return;
	if (has_much_above(c))
		check_say(
			c, CHECK_PROBLEM,
			_("the guest's addresses go beyond the IOMMU's, which has %u "
			  "bits (/sys/class/iommu): the firmware puts shared memory and "
			  "large BARs there, and the guest does not start or stays "
			  "black"),
			iommu);
	else
		check_say(c, CHECK_NOTE,
			  _("the guest's addresses go beyond the IOMMU's, which has %u "
			    "bits (/sys/class/iommu): with shared memory or a large BAR "
			    "it would not start"),
			  iommu);
	if (!cpu)
		check_mend(
			c,
			_("virsh edit %s: <cpu mode='host-passthrough'>, then once more"),
			c->name);
	else if (check_shall_fix(c))
		check_fixed(c, limit_width(c, cpu));
}

/* ---- processors */

static uint64_t number_in(const xmlNode *node)
{
	char text[16];
	const char *p = text;
	uint64_t value;

	if (!tree_content(node, text, sizeof(text)) ||
	    !str_take_uint(&p, UINT16_MAX, &value) || *p)
		return 0;
	return value;
}

/* Without one, each virtual processor is a socket of its own. */
void check_topology(struct check *c)
{
	const uint64_t cpus = number_in(tree_first(c->domain, "vcpu"));
	uint64_t sockets = cpus;

	(void)tree_number(tree_at(c->domain, "cpu/topology"), "sockets", &sockets);
	if (!c->windows || sockets < 2)
		return;
	check_say(c, sockets > 2 ? CHECK_WARNING : CHECK_NOTE,
		  _("the guest sees %u sockets for %u processors: Windows Home uses one, "
		    "Pro two, and leaves the others idle"),
		  (unsigned)sockets, (unsigned)cpus);
	check_mend(c,
		   _("virsh edit %s: <topology sockets='1' dies='1' cores='%u' "
		     "threads='1'/> in <cpu>"),
		   c->name, (unsigned)cpus);
}

void check_ignore_msrs(struct check *c)
{
	char text[8];

	if (!c->windows || !c->kvm ||
	    fs_read_text(c->root, "sys/module/kvm/parameters/ignore_msrs", text,
			 sizeof(text)) < 0 ||
	    !str_equal(text, "N"))
		return;
	check_say(c, CHECK_NOTE,
		  _("KVM answers an unknown model-specific register with a fault (kvm's "
		    "ignore_msrs is N); some Windows programs end the guest with that"));
	check_mend(c, _("if it happens: \"options kvm ignore_msrs=1 "
			"report_ignored_msrs=0\" in /etc/modprobe.d/kvm.conf"));
}

/* ---- Code 43 */

/* How many displays of a kind the guest gets; `name` is that of one. */
static size_t count(const struct check *c, enum nvidia kind, const char **ret_name)
{
	size_t n = 0;

	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);
		const struct card_function *of;

		if (!f || !pci_is_display(&f->ids))
			continue;
		of = check_card_function(c, f->address, NULL);
		if (nvidia_of(&f->ids, of ? of->name : "") != kind)
			continue;
		if (of)
			*ret_name = of->name;
		n++;
	}
	return n;
}

static bool is_on(const struct check *c, const char *path)
{
	return tree_is(tree_at(c->domain, path), "state", "on");
}

void check_code43(struct check *c)
{
	const char *name = "";
	const bool hidden = is_on(c, "features/kvm/hidden"),
		   hyperv = tree_at(c->domain, "features/hyperv") != NULL,
		   renamed = is_on(c, "features/hyperv/vendor_id");

	if (!count(c, NVIDIA_OLD, &name) || (hidden && (renamed || !hyperv)))
		return;
	check_say(c, CHECK_WARNING,
		  _("the last driver of %s refuses to run in a guest (Code 43), and the "
		    "domain does not hide that it is one: %s"),
		  name,
		  hidden ? _("no <vendor_id> in <hyperv>") : _("no <hidden> in <kvm>"));
	check_mend(
		c, _("virsh edit %s, in <features>: <kvm><hidden state='on'/></kvm>%s"),
		c->name,
		hyperv ? _(", and in <hyperv>: <vendor_id state='on' value='whatever'/>")
		       : "");
}

void check_kvm_hidden(struct check *c)
{
	const char *name = "";
	const bool hidden = is_on(c, "features/kvm/hidden"),
		   renamed = is_on(c, "features/hyperv/vendor_id");

	if ((!hidden && !renamed) || count(c, NVIDIA_OLD, &name) ||
	    count(c, NVIDIA_UNKNOWN, &name) ||
	    (!count(c, NVIDIA_NONE, &name) && !count(c, NVIDIA_NEW, &name)))
		return;
	check_say(c, hidden && !c->windows ? CHECK_WARNING : CHECK_NOTE,
		  hidden ? _("KVM is hidden from the guest, which %s does not need; "
			     "a Linux guest loses KVM's clock and its cheaper "
			     "interrupts")
			 : _("Hyper-V's vendor_id is set, which %s does not need"),
		  name);
	check_mend(c, _("virsh edit %s: remove %s"), c->name,
		   hidden ? "<hidden state='on'/>" : "<vendor_id state='on'/>");
}
