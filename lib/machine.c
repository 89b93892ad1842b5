/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <errno.h>
#include <sys/utsname.h>

#include "driver.h"

bool machine_function_found(const struct machine_function *f)
{
	return f->found.match == MATCH_EXACT || f->found.match == MATCH_MOVED;
}

/* Anything but a readable 0 counts as virtual functions. */
static bool has_virtual_functions(struct fs *fs, struct pci_address address)
{
	char path[FS_PATH_MAX], value[16];
	int r;

	pci_device_path(path, sizeof(path), address, "sriov_numvfs");
	r = fs_read_text(fs, path, value, sizeof(value));
	return r != -ENOENT && (r < 0 || !str_equal(value, "0"));
}

static int read_group(struct fs *fs, struct machine *m, struct machine_function *f)
{
	struct iommu_group group;
	int r;

	r = iommu_group_read(fs, f->found.function.address, &group);
	if (r < 0)
		return r;
	f->group = (int)m->n_groups;
	m->groups[m->n_groups++] = group;
	return 0;
}

static int group_seen(const struct machine *m, struct pci_address address)
{
	for (unsigned g = 0; g < m->n_groups; g++)
		for (size_t i = 0; i < m->groups[g].n; i++)
			if (pci_address_compare(m->groups[g].members[i], address) == 0)
				return (int)g;
	return -1;
}

static int inspect_function(struct fs *fs, struct machine *m, struct machine_function *f)
{
	struct pci_address address;

	identity_find(fs, &m->list, &f->conf->identity, f->conf->address, &f->found);
	f->group = -1;
	if (!machine_function_found(f))
		return 0;
	address = f->found.function.address;
	f->override_error = driver_override_read(fs, address, f->override);
	/* a function without a driver has none: they are made through it */
	if (f->found.function.driver[0])
		f->virtual_functions = has_virtual_functions(fs, address);
	if (framebuffer_needs_release(&f->found.function.ids, m->release))
		f->framebuffer_error = framebuffer_find(fs, address, &f->framebuffer);
	f->group = group_seen(m, address);
	return f->group < 0 ? read_group(fs, m, f) : 0;
}

bool machine_has_modules(struct fs *fs, const char *release)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, "lib/modules/", release, NULL);
	return fs->ops->exists(fs, path) != -ENOENT;
}

void machine_release(struct fs *fs, char ret[static MACHINE_RELEASE_LEN])
{
	struct utsname name;

	if (fs->captured &&
	    fs_read_text(fs, "proc/sys/kernel/osrelease", ret, MACHINE_RELEASE_LEN) == 0)
		return;
	str_copy(ret, MACHINE_RELEASE_LEN, uname(&name) == 0 ? name.release : "");
}

int machine_inspect(struct fs *fs, const struct conf *conf, const char *release,
		    struct machine *ret)
{
	struct machine *m = ret;
	int r;

	m->n_functions = m->n_groups = 0;
	str_copy(m->release, sizeof(m->release), release);
	r = pci_scan(fs, &m->list);
	if (r < 0)
		return r;
	m->iommu_present = iommu_present(fs);
	m->iommu_hint = m->iommu_present ? "" : iommu_missing_hint(fs);
	m->iommu_unsafe = iommu_unsafe_mode(fs);
	m->drivers_may_come = machine_has_modules(fs, release);
	for (unsigned i = 0; r == 0 && i < conf->n_functions; i++) {
		m->functions[i] =
			(struct machine_function){ .conf = &conf->functions[i] };
		m->n_functions++;
		r = inspect_function(fs, m, &m->functions[i]);
	}
	if (r < 0)
		machine_finish(m);
	return r;
}

void machine_finish(struct machine *machine)
{
	for (unsigned g = 0; g < machine->n_groups; g++)
		iommu_group_finish(&machine->groups[g]);
	machine->n_functions = machine->n_groups = 0;
	pci_list_finish(&machine->list);
}
