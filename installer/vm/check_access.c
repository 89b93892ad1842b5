/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether QEMU gets to the devices in /dev/vfio.
 */
#include <errno.h>
#include <unistd.h>

#include "check.h"
#include "qemu_conf.h"
#include "qemu_words.h"
#include "text.h"

#define CONTAINER "dev/vfio/vfio"

/* "dev/vfio/14"; false: no group */
static bool group_device(struct check *c, const struct pci_function *f, char *buf,
			 size_t size)
{
	char link[FS_PATH_MAX], name[32];
	struct str s;

	pci_device_path(link, sizeof(link), f->address, "iommu_group");
	if (fs_link_name(c->root, link, name, sizeof(name)) < 0)
		return false;
	str_init(&s, buf, size);
	str_join(&s, "dev/vfio/", name, NULL);
	return !s.cut;
}

/* Functions of one group have one device: it is said of the first of them. */
static bool is_said(struct check *c, size_t hostdev, const char *path)
{
	char other[64];

	for (size_t i = 0; i < hostdev; i++) {
		const struct pci_function *f = check_function(c, i);

		if (f && group_device(c, f, other, sizeof(other)) &&
		    str_equal(other, path))
			return true;
	}
	return false;
}

/* A captured machine may have no /dev; there is one where somebody asks this. */
void check_vfio_devices(struct check *c)
{
	char path[64];
	bool container = false;

	if (check_missing(c, "dev"))
		return;
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);

		if (!f || !str_equal(f->driver, "vfio-pci") ||
		    !group_device(c, f, path, sizeof(path)))
			continue;
		if (!container && check_missing(c, CONTAINER)) {
			check_say(c, CHECK_PROBLEM, _("/%s is not there"), CONTAINER);
			check_mend(c, "modprobe vfio_iommu_type1 vfio");
		}
		container = true;
		if (!check_missing(c, path) || is_said(c, i, path))
			continue;
		check_say(c, CHECK_PROBLEM,
			  _("/%s is not there, though vfio-pci has %s: its group is not "
			    "viable, or udev has not made it"),
			  path, check_address(f->address).text);
		check_mend(c, "udevadm trigger --subsystem-match=vfio");
	}
}

/* ---- cgroup_device_acl */

static bool has_raw_vfio(const xmlNode *domain)
{
	const xmlNode *word = NULL;
	char value[512];

	while ((word = qemu_words_next(domain, word, value, sizeof(value))))
		if (str_starts(value, "vfio-pci"))
			return true;
	return false;
}

/*
 * For a <hostdev> libvirt lets QEMU open /dev/vfio/vfio and the group by itself
 * (qemuSetupHostdevCgroup()), and the list that it has without this setting names
 * neither; what it does not know of needs both there.
 */
void check_device_acl(struct check *c)
{
	static const char *const basic[] = { "/dev/null", "/dev/zero", "/dev/urandom",
					     "/dev/ptmx" };
	char list[4096];
	const bool set = qemu_conf_get(c, "cgroup_device_acl", list, sizeof(list));
	const char *lacks = NULL;

	if (has_raw_vfio(c->domain) && !(set && qemu_conf_has(list, "/dev/vfio/vfio"))) {
		check_say(c, CHECK_PROBLEM,
			  _("a device is given to QEMU in <qemu:commandline>: libvirt "
			    "knows nothing of it, and does not let QEMU open "
			    "/dev/vfio/vfio (cgroup_device_acl in /" QEMU_CONF ")"));
		check_mend(c, _("vfio-claim vm attach, and no -device vfio-pci; or "
				"/dev/vfio/vfio and the group in cgroup_device_acl"));
	}
	if (!set)
		return;
	for (size_t i = 0; !lacks && i < ARRAY_SIZE(basic); i++)
		if (!qemu_conf_has(list, basic[i]))
			lacks = basic[i];
	if (!lacks && c->kvm && !qemu_conf_has(list, "/dev/kvm"))
		lacks = "/dev/kvm";
	if (!lacks)
		return;
	check_say(c, CHECK_PROBLEM,
		  _("cgroup_device_acl in /" QEMU_CONF " is set without %s, and what is "
		    "set there replaces libvirt's own list"),
		  lacks);
	check_mend(c, _("add \"%s\", then systemctl restart libvirtd, or virtqemud"),
		   lacks);
}

/* ---- user */

static void judge_ownership(struct check *c, const struct qemu_user *user)
{
	char path[64];

	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);

		if (!f || !group_device(c, f, path, sizeof(path)) ||
		    qemu_user_may(c, user, path, R_OK | W_OK))
			continue;
		check_say(c, CHECK_PROBLEM,
			  _("%s, as whom libvirt runs QEMU, may not open /%s, and "
			    "dynamic_ownership in /" QEMU_CONF
			    " is 0, so libvirt does not "
			    "hand it over"),
			  user->name, path);
		check_mend(c, _("dynamic_ownership = 1; or a udev rule for "
				"SUBSYSTEM==\"vfio\" with that user as OWNER"));
		return;
	}
}

void check_qemu_user(struct check *c)
{
	struct qemu_user user;
	char value[16];

	if (c->session || !qemu_conf_user(c, &user))
		return;
	if (!user.known) {
		check_say(c, CHECK_PROBLEM,
			  _("/" QEMU_CONF " runs QEMU as %s, and /etc/passwd has no such "
			    "user"),
			  user.name);
		check_mend(c, _("comment out user = in /" QEMU_CONF ", then systemctl "
				"restart libvirtd, or virtqemud"));
		return;
	}
	if (qemu_conf_get(c, "dynamic_ownership", value, sizeof(value)) &&
	    str_equal(value, "0"))
		judge_ownership(c, &user);
}
