/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>
#include <stdlib.h>

#include "pci.h"
#include "slurp.h"
#include "str.h"
#include "text.h"
#include "tools.h"

#define CPUS "sys/devices/system/cpu"
#define PAGES "sys/kernel/mm/hugepages"
#define IOMMUS "sys/class/iommu"
#define SCHEMA "usr/share/libvirt/schemas/cputypes.rng"
#define MAX_FILE (8 * 1024 * 1024)

static bool exists(struct fs *root, const char *path)
{
	return root->ops->exists(root, path) == 0;
}

bool host_list_next(const char **p, unsigned *ret_first, unsigned *ret_last)
{
	uint64_t first, last;

	(void)!str_take_char(p, ',');
	if (!str_take_uint(p, UINT32_MAX, &first))
		return false;
	last = first;
	if (str_take_char(p, '-') && !str_take_uint(p, UINT32_MAX, &last))
		return false;
	*ret_first = (unsigned)first;
	*ret_last = (unsigned)last;
	return true;
}

static bool read_number(struct fs *root, const char *folder, const char *name,
			unsigned *ret)
{
	char path[FS_PATH_MAX], text[128];
	struct str s = STR_ON(path);
	const char *p = text;
	uint64_t value;

	str_join(&s, folder, "/", name, NULL);
	if (s.cut || fs_read_text(root, path, text, sizeof(text)) < 0 ||
	    !str_take_uint(&p, INT32_MAX, &value))
		return false;
	*ret = (unsigned)value;
	return true;
}

/* ---- processors */

static int find_node(void *arg, const char *name)
{
	unsigned *node = arg;
	uint64_t number;

	if (!str_take_text(&name, "node") || !str_take_uint(&name, 1024, &number) ||
	    *name)
		return 0;
	*node = (unsigned)number;
	return 1;
}

static void read_cpu(struct fs *root, const char *name, struct host *host)
{
	struct host_cpu cpu = { 0 };
	char folder[FS_PATH_MAX];
	struct str s = STR_ON(folder);
	const char *p = name;
	unsigned online;
	uint64_t id;

	if (!str_take_text(&p, "cpu") || !str_take_uint(&p, UINT16_MAX, &id) || *p ||
	    host->n_cpus == HOST_MAX_CPUS)
		return;
	str_join(&s, CPUS "/", name, NULL);
	cpu.id = cpu.core = cpu.cache = (unsigned)id;
	if (read_number(root, folder, "online", &online) && !online)
		return;
	(void)!read_number(root, folder, "topology/core_id", &cpu.core);
	(void)!read_number(root, folder, "topology/physical_package_id", &cpu.package);
	if (!read_number(root, folder, "cache/index3/shared_cpu_list", &cpu.cache))
		(void)!read_number(root, folder, "cache/index2/shared_cpu_list",
				   &cpu.cache);
	(void)!root->ops->list(root, folder, find_node, &cpu.node);
	if (cpu.node >= host->n_nodes)
		host->n_nodes = cpu.node + 1;
	host->cpus[host->n_cpus++] = cpu;
}

/* Linux gives a hybrid processor two PMUs: cpu_core and cpu_atom. */
static void mark_efficiency(struct fs *root, struct host *host)
{
	unsigned first, last;
	char text[4096];
	const char *p = text;

	if (fs_read_text(root, "sys/devices/cpu_atom/cpus", text, sizeof(text)) < 0)
		return;
	while (host_list_next(&p, &first, &last))
		for (size_t i = 0; i < host->n_cpus; i++)
			host->cpus[i].efficiency |=
				host->cpus[i].id >= first && host->cpus[i].id <= last;
}

static int by_id(const void *a, const void *b)
{
	const struct host_cpu *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* "address sizes	: 46 bits physical, 48 bits virtual" */
static unsigned physical_bits(const char *cpuinfo)
{
	const char *p = strstr(cpuinfo, "\naddress sizes");
	uint64_t bits;

	if (!p)
		return 0;
	p += strcspn(p + 1, "0123456789\n") + 1;
	return str_take_uint(&p, 64, &bits) ? (unsigned)bits : 0;
}

static void read_cpuinfo(struct fs *root, struct host *host)
{
	TEXT_OWNED char *text = NULL;
	unsigned n = 0;
	size_t len;

	if (slurp(root, "proc/cpuinfo", MAX_FILE, &text, &len) < 0)
		return;
	host->amd = strstr(text, "AuthenticAMD") || strstr(text, "HygonGenuine");
	host->intel = strstr(text, "GenuineIntel");
	host->address_bits = physical_bits(text);
	for (const char *p = text; (p = strstr(p, "processor\t")); p++)
		n++;
	/* a tree without topology: each is a core */
	for (unsigned i = 0; !host->n_cpus && i < n && i < HOST_MAX_CPUS; i++)
		host->cpus[i] = (struct host_cpu){ .id = i, .core = i };
	if (!host->n_cpus)
		host->n_cpus = n < HOST_MAX_CPUS ? n : HOST_MAX_CPUS;
	if (!host->n_nodes)
		host->n_nodes = 1;
}

static void read_cpus(struct fs *root, struct host *host)
{
	struct name_list names;

	if (name_list_read(root, CPUS, &names) == 0) {
		for (size_t i = 0; i < names.n; i++)
			read_cpu(root, names.names[i], host);
		name_list_finish(&names);
	}
	qsort(host->cpus, host->n_cpus, sizeof(*host->cpus), by_id);
	mark_efficiency(root, host);
	read_cpuinfo(root, host);
}

/* ---- memory */

static int by_size(const void *a, const void *b)
{
	const struct host_pages *x = a, *y = b;

	return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

static void read_pages(struct fs *root, struct host *host)
{
	struct name_list names;

	if (name_list_read(root, PAGES, &names) < 0)
		return;
	for (size_t i = 0; i < names.n && host->n_pages < HOST_MAX_PAGE_SIZES; i++) {
		struct host_pages *pages = &host->pages[host->n_pages];
		char folder[FS_PATH_MAX];
		struct str s = STR_ON(folder);
		const char *p = names.names[i];
		uint64_t size;

		if (!str_take_text(&p, "hugepages-") ||
		    !str_take_uint(&p, 16 << 20, &size) || !str_equal(p, "kB"))
			continue;
		str_join(&s, PAGES "/", names.names[i], NULL);
		pages->size = (unsigned)size;
		if (read_number(root, folder, "nr_hugepages", &pages->total) &&
		    read_number(root, folder, "free_hugepages", &pages->free))
			host->n_pages++;
	}
	name_list_finish(&names);
	qsort(host->pages, host->n_pages, sizeof(*host->pages), by_size);
}

/* A line "Key:   1234 kB", in KiB; 0: not known. */
static uint64_t meminfo(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	uint64_t kib;

	if (!p)
		return 0;
	p += strlen(key);
	p += strspn(p, " \t");
	return str_take_uint(&p, UINT32_MAX * 1024ULL, &kib) ? kib : 0;
}

static void read_memory(struct fs *root, struct host *host)
{
	TEXT_OWNED char *text = NULL;
	size_t len;

	if (slurp(root, "proc/meminfo", MAX_FILE, &text, &len) < 0)
		return;
	host->memory = (unsigned)(meminfo(text, "MemTotal:") / 1024);
	host->default_page = (unsigned)meminfo(text, "Hugepagesize:");
}

/* ---- the IOMMU */

/*
 * Intel's say it in the capability register (VT-d specification, MGAW: bits 21:16, less
 * one); AMD's do not in what sysfs shows.
 */
static void read_iommus(struct fs *root, struct host *host)
{
	struct name_list names;

	if (name_list_read(root, IOMMUS, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		char path[FS_PATH_MAX], text[32];
		struct str s = STR_ON(path);
		const char *p = text;
		uint64_t cap;
		unsigned bits;

		str_join(&s, IOMMUS "/", names.names[i], "/intel-iommu/cap", NULL);
		if (s.cut || fs_read_text(root, path, text, sizeof(text)) < 0 ||
		    !str_take_hex(&p, 1, 16, &cap) || *p)
			continue;
		bits = (unsigned)(cap >> 16 & 0x3f) + 1;
		if (!host->iommu_bits || bits < host->iommu_bits)
			host->iommu_bits = bits;
	}
	name_list_finish(&names);
}

bool host_outreaches_iommu(const struct host *host)
{
	return host->iommu_bits &&
	       (!host->address_bits || host->iommu_bits < host->address_bits);
}

uint64_t host_largest_bar(struct fs *root, const char *address)
{
	char path[FS_PATH_MAX], text[1024];
	struct str s = STR_ON(path);
	uint64_t start, end, largest = 0;

	str_join(&s, PCI_DEVICES "/", address, "/resource", NULL);
	if (s.cut || fs_read_text(root, path, text, sizeof(text)) < 0)
		return 0;
	for (const char *p = text; *p; p += *p == '\n') {
		if (str_take_text(&p, "0x") && str_take_hex(&p, 1, 16, &start) &&
		    str_take_text(&p, " 0x") && str_take_hex(&p, 1, 16, &end) &&
		    end > start && end - start >= largest)
			largest = end - start + 1;
		p += strcspn(p, "\n");
	}
	return largest;
}

/* ---- what is installed */

/* By the schema that comes with it; one that is not there is none of an old one's. */
static bool libvirt_limits(struct fs *root)
{
	TEXT_OWNED char *text = NULL;
	const char *element, *end;
	size_t len;

	if (slurp(root, SCHEMA, MAX_FILE, &text, &len) < 0)
		return true;
	element = strstr(text, "name=\"maxphysaddr\"");
	end = element ? strstr(element, "</element>") : NULL;
	return end && memmem(element, (size_t)(end - element), "\"limit\"", 7);
}

static const char *first_of(struct fs *root, const char *const *places)
{
	for (; *places; places++)
		if (exists(root, *places))
			return *places;
	return NULL;
}

void host_read(struct fs *root, struct host *ret)
{
	*ret = (struct host){ 0 };
	read_cpus(root, ret);
	read_memory(root, ret);
	read_pages(root, ret);
	read_iommus(root, ret);
	ret->kvm = exists(root, "dev/kvm");
	ret->emulator = first_of(root, tools_qemu);
	ret->libvirt = first_of(root, tools_libvirt) != NULL;
	ret->libvirt_limits = libvirt_limits(root);
	ret->swtpm = exists(root, "usr/bin/swtpm");
	ret->default_network = exists(root, "etc/libvirt/qemu/networks/default.xml");
	ret->network_runs = exists(root, "run/libvirt/network/default.xml");
	if (fs_read_text(root, "etc/machine-id", ret->machine_id,
			 sizeof(ret->machine_id)) < 0)
		ret->machine_id[0] = '\0';
}

int host_node_of(struct fs *root, const char *address)
{
	char folder[FS_PATH_MAX];
	struct str s = STR_ON(folder);
	unsigned node;

	str_join(&s, PCI_DEVICES "/", address, NULL);
	/* -1 is no number here */
	return read_number(root, folder, "numa_node", &node) ? (int)node : -1;
}
