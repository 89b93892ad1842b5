/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with a card has all of its memory locked: any of it may be the card's next
 * target.
 */
#include <inttypes.h>
#include <sys/resource.h>

#include "check.h"
#include "text.h"

#define MIB UINT64_C(1024) /* KiB */
#define GIB (1024 * MIB)
/* Over its memory, for the card's own memory and QEMU; what libvirt itself allows. */
#define EXTRA GIB
#define PAGES "sys/kernel/mm/hugepages/hugepages-"

void check_memory_limit(struct check *c)
{
	const uint64_t limit = check_amount(tree_at(c->domain, "memtune/hard_limit"));

	if (!limit || !c->memory || !c->attached->n_hostdevs ||
	    limit >= c->memory + EXTRA)
		return;
	check_say(c, CHECK_PROBLEM,
		  _("memtune's hard_limit is %" PRIu64 " MiB, the memory %" PRIu64
		    " MiB: all of it is locked for the card, and QEMU needs 1 GiB more"),
		  limit / MIB, c->memory / MIB);
	check_mend(c, _("virsh memtune %s --hard-limit %" PRIu64 " --config, or none"),
		   c->name, c->memory + EXTRA);
}

/* Only root may raise it, and a session's libvirt is not root's. */
void check_memlock(struct check *c)
{
	struct rlimit limit;

	if (!c->session || !c->memory || !c->attached->n_hostdevs ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ||
	    limit.rlim_max / 1024 >= c->memory + EXTRA)
		return;
	check_say(c, CHECK_PROBLEM,
		  _("you may lock %" PRIu64 " MiB (ulimit -Hl), and a guest with %" PRIu64
		    " MiB needs 1 GiB more than that"),
		  (uint64_t)limit.rlim_max / 1024 / MIB, c->memory / MIB);
	check_mend(c,
		   _("a line \"USER hard memlock %" PRIu64
		     "\" in /etc/security/limits.d, and log in again; or use "
		     "qemu:///system"),
		   c->memory + EXTRA);
}

void check_memory_size(struct check *c)
{
	const uint64_t total = c->host.memory * MIB;

	if (!total || c->memory <= total)
		return;
	check_say(c, CHECK_PROBLEM,
		  _("it wants %" PRIu64 " MiB, the machine has %" PRIu64
		    " MiB (/proc/meminfo)"),
		  c->memory / MIB, total / MIB);
	check_mend(c, "virsh setmaxmem %s %" PRIu64 " --config", c->name,
		   total / 4 * 3 / GIB * GIB);
}

/* ---- huge pages */

static const struct host_pages *pages_of(const struct check *c, uint64_t size)
{
	for (size_t i = 0; i < c->host.n_pages; i++)
		if (c->host.pages[i].size == size)
			return &c->host.pages[i];
	return NULL;
}

/* Of one page, in KiB. */
static uint64_t wanted_size(const struct check *c, const xmlNode *hugepages)
{
	const xmlNode *page = tree_first(hugepages, "page");
	uint64_t size, unit = 1;
	char name[16];

	if (!tree_number(page, "size", &size))
		return c->host.default_page;
	if (tree_get(page, "unit", name, sizeof(name)))
		unit = str_equal(name, "G") || str_equal(name, "GiB")	? GIB
		       : str_equal(name, "M") || str_equal(name, "MiB") ? MIB
									: 1;
	return size < UINT32_MAX ? size * unit : 0;
}

static void say_too_few(struct check *c, const struct host_pages *pages, uint64_t need)
{
	const uint64_t more = pages->total + need - pages->free;

	check_say(c, CHECK_PROBLEM,
		  _("it wants %" PRIu64
		    " huge pages of %u KiB, the machine has %u, %u of "
		    "them free"),
		  need, pages->size, pages->total, pages->free);
	if (pages->total >= need)
		check_mend(c,
			   _("end the other guests that use them, or make more of them"));
	else if (pages->size == 2 * MIB)
		check_mend(c,
			   _("sysctl vm.nr_hugepages=%" PRIu64
			     ", and the same in /etc/sysctl.d for each boot"),
			   more);
	else
		check_mend(c,
			   _("vfio-claim args add hugepagesz=%" PRIu64
			     "M hugepages=%" PRIu64 ", then reboot"),
			   pages->size / MIB, more);
}

void check_hugepages(struct check *c)
{
	const xmlNode *wanted = tree_at(c->domain, "memoryBacking/hugepages");
	const uint64_t size = wanted ? wanted_size(c, wanted) : 0;
	const struct host_pages *pages = pages_of(c, size);

	if (!size || !c->memory || c->running)
		return;
	if (pages) {
		const uint64_t need = (c->memory + size - 1) / size;

		if (pages->free < need)
			say_too_few(c, pages, need);
	} else if (!check_missing(c, "sys/kernel/mm")) {
		check_say(c, CHECK_PROBLEM,
			  _("it wants huge pages of %" PRIu64
			    " KiB, and this kernel has none of that size "
			    "(/sys/kernel/mm/hugepages)"),
			  size);
		check_mend(c, _("virsh edit %s: another size, or none"), c->name);
	}
}
