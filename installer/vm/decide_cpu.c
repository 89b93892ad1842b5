/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors and memory.
 */
#include <errno.h>

#include "cpus.h"
#include "decide.h"
#include "text.h"

#define GIB 1024u /* MiB */
#define HOST_NEEDS 512u /* MiB, without which nothing runs */
#define MOST_MEMORY (16 * GIB)

static void decide_count(struct decision *d, struct vm *vm)
{
	const unsigned proposed = cpus_proposed(d->host, vm->pin == VM_YES, d->node);

	if (vm->cpus)
		return;
	if (!proposed) {
		refuse(d, _("how many processors this machine has cannot be read: say "
			    "--cpus"));
		vm->cpus = 1;
		return;
	}
	vm->cpus = proposed;
	choose(d, _("processors"),
	       vm->pin == VM_YES
		       ? _("the cores that share a cache, less one for the host")
		       : _("three quarters of the fast cores, 8 at most; the rest is "
			   "the host's"),
	       "%u", proposed);
}

static int pin(struct decision *d, struct vm *vm)
{
	const int r = cpus_pin(d->host, d->node, vm);

	if (r == -ENOSPC) {
		refuse(d,
		       _("--pin: %u processors in whole cores are not here beside one "
			 "core for the host: say a smaller --cpus"),
		       vm->cpus);
		return 0;
	}
	if (r == 0)
		choose(d, _("pinning"),
		       _("whole cores that share a cache, near the card; the host's "
			 "first core stays free, and QEMU's own threads run on the "
			 "rest"),
		       _("from processor %s on; QEMU's threads on %s"), vm->pins.items[0],
		       vm->other_cpus);
	return r;
}

/* A card reaches memory through the IOMMU, the guest's memory in another device, too. */
static void limit_addresses(struct decision *d, struct vm *vm)
{
	if (vm->type != VM_KVM || !host_outreaches_iommu(d->host))
		return;
	vm->address_bits = d->host->iommu_bits;
	vm->address_limit = d->host->libvirt_limits ? VM_YES : VM_NO;
	choose(d, _("addresses"),
	       _("as far as the IOMMU reaches, which is less than the processor does: the "
		 "firmware puts the card's memory at the end"),
	       _("%u bits"), vm->address_bits);
}

int decide_processors(struct decision *d, struct vm *vm)
{
	const unsigned threads = cpus_threads(d->host);

	decide_count(d, vm);
	vm->threads = vm->cpus % threads == 0 ? threads : 1;
	if (d->host->n_cpus && vm->cpus > d->host->n_cpus)
		refuse(d, _("--cpus %u: this machine has %zu"), vm->cpus,
		       d->host->n_cpus);
	else if (vm->cpus > VM_MAX_LIST)
		refuse(d, _("--cpus %u: more than %d are not made here"), vm->cpus,
		       VM_MAX_LIST);
	choose(d, _("topology"),
	       _("one socket, as the host's cores are: Windows counts sockets, and "
		 "schedulers want to know the threads"),
	       _("%u cores with %u threads"), vm->cpus / vm->threads, vm->threads);
	vm->topoext =
		d->host->amd && vm->threads > 1 && vm->type == VM_KVM ? VM_YES : VM_NO;
	if (vm->topoext == VM_YES)
		choose(d, "topoext", _("without it an AMD guest sees no threads"), "yes");
	choose(d, _("processor model"),
	       vm->type == VM_KVM
		       ? _("the host's own with its caches: nothing is emulated, and "
			   "this guest cannot migrate anyway")
		       : _("all that QEMU can emulate"),
	       vm->type == VM_KVM ? "host-passthrough" : "maximum");
	limit_addresses(d, vm);
	if (!vm->pin)
		vm->pin = VM_NO;
	return vm->pin == VM_YES && !d->n_problems ? pin(d, vm) : 0;
}

/* ---- memory */

static void propose_memory(struct decision *d, struct vm *vm)
{
	const unsigned least = vm->os == VM_WIN11 ? 4 * GIB : 2 * GIB;
	unsigned half = d->host->memory / 2 / GIB * GIB;

	if (vm->memory)
		return;
	if (half > MOST_MEMORY)
		half = MOST_MEMORY;
	vm->memory = half > least ? half : least;
	choose(d, _("memory"),
	       _("half of the host's, 16 GiB at most: with a card all of it is taken "
		 "from the host while the guest runs"),
	       "%u MiB", vm->memory);
}

static bool fits(const struct host_pages *pages, unsigned memory)
{
	const uint64_t needed = (uint64_t)memory * 1024;

	return needed % pages->size == 0 && needed / pages->size <= pages->free;
}

static void choose_pages(struct decision *d, struct vm *vm)
{
	const struct host *host = d->host;
	const struct host_pages *smallest = NULL;

	for (size_t i = 0; i < host->n_pages; i++) {
		smallest = &host->pages[i];
		if (!fits(smallest, vm->memory))
			continue;
		vm->hugepage_size = smallest->size;
		choose(d, _("huge pages"), _("the largest of which enough are free"),
		       "%u KiB", smallest->size);
		return;
	}
	if (!smallest) {
		refuse(d, _("--hugepages: this kernel has none"));
		return;
	}
	refuse(d,
	       _("--hugepages: %u MiB need %u free pages of %u KiB, there are %u: "
		 "vfio-claim args add hugepagesz=%uK hugepages=%u, then reboot; or, at "
		 "once: echo %u >/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages"),
	       vm->memory, vm->memory * 1024 / smallest->size, smallest->size,
	       smallest->free, smallest->size, vm->memory * 1024 / smallest->size,
	       vm->memory * 1024 / smallest->size, smallest->size);
}

int decide_memory(struct decision *d, struct vm *vm)
{
	const unsigned total = d->host->memory;

	propose_memory(d, vm);
	if (total && vm->memory + HOST_NEEDS > total)
		refuse(d,
		       _("--memory %uM: this machine has %u MiB, of which the host "
			 "needs %u"),
		       vm->memory, total, HOST_NEEDS);
	choose(d, _("memory locked"),
	       _("the card writes to it by itself, so none of it can be swapped out"),
	       "yes");
	choose(d, _("balloon"), _("locked memory cannot be given back"), "none");
	if (!vm->hugepages)
		vm->hugepages = VM_NO;
	if (vm->hugepages == VM_YES)
		choose_pages(d, vm);
	return 0;
}
