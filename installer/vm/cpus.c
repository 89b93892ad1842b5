/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpus.h"

#include <errno.h>
#include <stdlib.h>

#include "str.h"

#define MOST_CORES 8 /* what games and desktops make use of */
#define MAX_THREADS 2

struct core {
	const struct host_cpu *threads[MAX_THREADS];
	unsigned n; /* of them */
	bool host; /* the first processor's: interrupts and the like stay there */
	unsigned rank; /* lower is chosen first */
};

struct cores {
	struct core cores[HOST_MAX_CPUS];
	size_t n;
};

static bool same_core(const struct host_cpu *a, const struct host_cpu *b)
{
	return a->package == b->package && a->core == b->core && a->cache == b->cache &&
	       a->efficiency == b->efficiency;
}

static struct core *core_of(struct cores *cores, const struct host_cpu *cpu)
{
	for (size_t i = 0; i < cores->n; i++)
		if (same_core(cores->cores[i].threads[0], cpu))
			return &cores->cores[i];
	cores->cores[cores->n] = (struct core){ 0 };
	return &cores->cores[cores->n++];
}

/* The guest's own cache is worth most, then to be near the card. */
static void find_cores(const struct host *host, int node, struct cores *ret)
{
	const unsigned first_cache = host->n_cpus ? host->cpus[0].cache : 0;

	ret->n = 0;
	for (size_t i = 0; i < host->n_cpus; i++) {
		const struct host_cpu *cpu = &host->cpus[i];
		struct core *core = core_of(ret, cpu);

		if (core->n < MAX_THREADS)
			core->threads[core->n++] = cpu;
		core->host |= i == 0;
	}
	for (size_t i = 0; i < ret->n; i++) {
		struct core *core = &ret->cores[i];
		const struct host_cpu *cpu = core->threads[0];

		core->rank = (cpu->efficiency ? 4 : 0) +
			     (node >= 0 && cpu->node != (unsigned)node ? 2 : 0) +
			     (cpu->cache == first_cache ? 1 : 0);
	}
}

static bool same_place(const struct core *a, const struct core *b)
{
	return a->rank == b->rank && a->threads[0]->cache == b->threads[0]->cache;
}

static unsigned usable_at(const struct cores *cores, const struct core *place,
			  unsigned threads)
{
	unsigned n = 0;

	for (size_t i = 0; i < cores->n; i++)
		n += !cores->cores[i].host && cores->cores[i].n >= threads &&
		     same_place(&cores->cores[i], place);
	return n;
}

unsigned cpus_threads(const struct host *host)
{
	static struct cores cores;

	find_cores(host, -1, &cores);
	for (size_t i = 0; i < cores.n; i++)
		if (!cores.cores[i].threads[0]->efficiency && cores.cores[i].n < 2)
			return 1;
	return cores.n ? 2 : 1;
}

/*
 * The best place's cores if they are to be pinned; else three quarters of the fast ones.
 */
unsigned cpus_proposed(const struct host *host, bool pin, int node)
{
	static struct cores cores;
	const struct core *best = NULL;
	unsigned fast = 0, n;

	find_cores(host, node, &cores);
	for (size_t i = 0; i < cores.n; i++) {
		const struct core *core = &cores.cores[i];

		fast += !core->threads[0]->efficiency;
		if (!core->host &&
		    (!best || core->rank < best->rank ||
		     (core->rank == best->rank &&
		      usable_at(&cores, core, 1) > usable_at(&cores, best, 1))))
			best = core;
	}
	n = fast - (fast + 3) / 4;
	if (pin && best)
		n = usable_at(&cores, best, 1);
	if (!n)
		n = cores.n ? 1 : 0;
	return (n < MOST_CORES ? n : MOST_CORES) * cpus_threads(host);
}

/* ---- choosing */

/* The next core: of the place that a further core would share, or of the best one. */
static struct core *choose(struct cores *cores, const struct core *last, unsigned threads,
			   unsigned needed)
{
	struct core *best = NULL;

	for (size_t i = 0; i < cores->n; i++) {
		struct core *core = &cores->cores[i];

		if (core->host || core->n < threads)
			continue;
		if (last && same_place(core, last))
			return core;
		if (!best || core->rank < best->rank ||
		    (core->rank == best->rank &&
		     usable_at(cores, best, threads) < needed &&
		     usable_at(cores, core, threads) > usable_at(cores, best, threads)))
			best = core;
	}
	return best;
}

static int add_pins(struct vm *vm, const struct core *core)
{
	for (unsigned i = 0; i < vm->threads; i++) {
		char number[16];
		struct str s = STR_ON(number);
		int r;

		str_add_uint(&s, core->threads[i]->id);
		r = vm_list_add(&vm->pins, number);
		if (r < 0)
			return r;
	}
	return 0;
}

static void add_range(struct str *s, unsigned first, unsigned last)
{
	if (s->len)
		str_add_char(s, ',');
	str_add_uint(s, first);
	if (last > first) {
		str_add_char(s, '-');
		str_add_uint(s, last);
	}
}

/* "0-3,8" of the numbers that are set. */
static int list_of(const bool *set, size_t n, char **ret)
{
	char text[2048];
	struct str s = STR_ON(text);

	for (size_t i = 0, k; i < n; i = k + 1) {
		for (k = i; k < n && set[k] == set[i]; k++)
			;
		k--;
		if (set[i])
			add_range(&s, (unsigned)i, (unsigned)k);
	}
	return s.cut ? -ENOSPC : vm_set(ret, text);
}

/* QEMU's own threads stay near, on what the guest has not. */
static int set_others(const struct host *host, const bool *taken, const bool *nodes,
		      struct vm *vm)
{
	static bool others[UINT16_MAX + 1];
	size_t n = 0;

	for (int near = 1; near >= 0 && !n; near--)
		for (size_t i = 0; i < host->n_cpus; i++) {
			const struct host_cpu *cpu = &host->cpus[i];

			others[cpu->id] = !taken[cpu->id] && (!near || nodes[cpu->node]);
			n += others[cpu->id];
		}
	return list_of(others, ARRAY_SIZE(others), &vm->other_cpus);
}

int cpus_pin(const struct host *host, int node, struct vm *vm)
{
	static struct cores cores;
	static bool taken[UINT16_MAX + 1], nodes[1025];
	const unsigned n = vm->cpus / vm->threads;
	struct core *core = NULL;
	int r = 0;

	memset(taken, 0, sizeof(taken));
	memset(nodes, 0, sizeof(nodes));
	find_cores(host, node, &cores);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		core = choose(&cores, core, vm->threads, n - i);
		if (!core)
			return -ENOSPC;
		for (unsigned k = 0; k < core->n; k++)
			taken[core->threads[k]->id] = true;
		nodes[core->threads[0]->node] = true;
		r = add_pins(vm, core);
		core->host = true; /* not again */
	}
	if (r == 0)
		r = set_others(host, taken, nodes, vm);
	if (r == 0)
		r = list_of(nodes, ARRAY_SIZE(nodes), &vm->nodes);
	return r;
}
