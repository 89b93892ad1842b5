/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each reader of sysfs and /proc alone, on a tree of any content. Nothing is written. */
#include <errno.h>

#include "driver.h"
#include "framebuffer.h"
#include "fuzz.h"
#include "identity.h"
#include "iommu.h"
#include "tree.h"

static const char *content(const struct tree *tree, const char *path)
{
	const struct tree_entry *e = tree_get(tree, '@', path);

	return e ? e->data : NULL;
}

/* The whole value, trailing newlines aside. */
static bool reads(const struct tree *tree, const char *path, const char *value)
{
	const char *text = content(tree, path);
	size_t len = strlen(value);

	return text && !strncmp(text, value, len) &&
	       strspn(text + len, "\n") == strlen(text + len);
}

static void check_function(const struct tree *tree, const struct pci_function *f)
{
	char path[FS_PATH_MAX];
	const char *text;

	if (!f->known) {
		CHECK(!f->driver[0] && !f->ids.vendor && !f->ids.class);
		return;
	}
	pci_device_path(path, sizeof(path), f->address, "uevent");
	text = content(tree, path);
	if (text) {
		CHECK(strstr(text, "PCI_CLASS=") && strstr(text, "PCI_ID="));
		CHECK(strstr(text, "PCI_SUBSYS_ID="));
		CHECK(!f->driver[0] ||
		      (strstr(text, "DRIVER=") && strstr(text, f->driver)));
	}
	CHECK(strlen(f->driver) < PCI_DRIVER_LEN && f->ids.class <= 0xffffff);
}

static void check_list(struct tree *tree, const struct pci_list *list)
{
	const struct pci_function *found;

	for (size_t i = 0; i < list->n; i++) {
		found = pci_find(list, list->functions[i].address);
		check_function(tree, &list->functions[i]);
		CHECK(!i || pci_address_compare(list->functions[i - 1].address,
						list->functions[i].address) <= 0);
		/* a tree may spell one address twice, with zeros in front */
		CHECK(found && pci_address_compare(found->address,
						   list->functions[i].address) == 0);
	}
}

static void check_group(struct tree *tree, struct pci_address address)
{
	struct iommu_group g;
	char path[FS_PATH_MAX];

	CHECK(iommu_group_read(&tree->fs, address, &g) == 0);
	CHECK(memchr(g.detail, '\0', sizeof(g.detail)));
	if (g.proof == IOMMU_PROVEN) {
		CHECK(g.id >= 0);
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/type", g.id);
		CHECK(reads(tree, path, "DMA") || reads(tree, path, "DMA-FQ") ||
		      reads(tree, path, "identity") || tree_get(tree, '%', path));
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/name", g.id);
		CHECK(!reads(tree, path, "vfio-noiommu"));
	} else {
		CHECK(g.detail[0] && g.n == 0);
	}
	for (size_t i = 1; i < g.n; i++)
		CHECK(pci_address_compare(g.members[i - 1], g.members[i]) <= 0);
	iommu_group_finish(&g);
}

static void check_framebuffer(struct tree *tree, struct pci_address address)
{
	const char *iomem = content(tree, "proc/iomem");
	char text[PCI_ADDRESS_LEN];
	struct str s = STR_ON(text);
	struct framebuffer fb;
	int r;

	r = framebuffer_find(&tree->fs, address, &fb);
	CHECK(!fb.driver[0] == !fb.device[0]);
	if (r < 0 || !fb.device[0])
		return;
	CHECK(!strncmp(fb.device, fb.driver, strlen(fb.driver)) &&
	      fb.device[strlen(fb.driver)] == '.');
	pci_address_add(&s, address);
	if (iomem)
		CHECK(strstr(iomem, " : ") && strcasestr(iomem, text + (s.len - 12)));
}

static void check_path(struct tree *tree, struct pci_address address)
{
	struct pci_path path;
	char text[512], link[FS_PATH_MAX];
	struct str s = STR_ON(text);
	const struct tree_entry *e;

	pci_device_path(link, sizeof(link), address, NULL);
	e = tree_get(tree, '>', link);
	if (pci_path_of(&tree->fs, address, &path) < 0)
		return;
	CHECK(e && path.depth <= PCI_PATH_DEPTH);
	pci_path_add(&s, &path);
	CHECK(!s.cut);
	/* it ends in this function, by whatever bus number */
	CHECK((path.depth ? path.devfn[path.depth - 1] : path.root.devfn) ==
	      address.devfn);
}

static void check_rest(struct tree *tree, struct pci_address address)
{
	char text[PCI_DRIVER_LEN];
	struct pci_config config;
	struct identity id = { .path = { .root = address }, .has_serial = true };
	struct pci_list none = { 0 };
	struct identity_result result;

	if (driver_override_read(&tree->fs, address, text) == 0)
		CHECK(strlen(text) < PCI_DRIVER_LEN && strcmp(text, "(null)") != 0);
	if (driver_current(&tree->fs, address, text) == 0)
		CHECK(strlen(text) < PCI_DRIVER_LEN && !strchr(text, '/'));
	if (pci_config_read(&tree->fs, address, true, &config) == 0)
		CHECK(config.present || (config.alive && !config.has_serial));
	/* without a list nothing can be it */
	identity_find(&tree->fs, &none, &id, address, &result);
	CHECK(result.match == MATCH_ABSENT && result.detail[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree *tree = tree_new(data, size);
	struct pci_list list;
	size_t most;

	tree->read_only = true;
	if (pci_scan(&tree->fs, &list) == 0) {
		check_list(tree, &list);
		most = list.n < 16 ? list.n : 16;
		for (size_t i = 0; i < most; i++) {
			check_group(tree, list.functions[i].address);
			check_framebuffer(tree, list.functions[i].address);
			check_path(tree, list.functions[i].address);
			check_rest(tree, list.functions[i].address);
		}
		pci_list_finish(&list);
	}
	(void)iommu_present(&tree->fs);
	if (reads(tree, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y"))
		CHECK(iommu_unsafe_mode(&tree->fs));
	CHECK(iommu_missing_hint(&tree->fs)[0]);
	tree_free(tree);
	return 0;
}
