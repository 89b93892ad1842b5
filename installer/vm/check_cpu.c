/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's processor, and what hides from a driver that it runs in a guest.
 */
#include <stdio.h>

#include "check.h"
#include "nvidia.h"
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
