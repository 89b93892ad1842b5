/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libvirt.h"

#include <stdlib.h>
#include <unistd.h>

#include "text.h"
#include "tools.h"

#define SYSTEM_URI "qemu:///system"

/* It prints every error by itself otherwise. */
static void silence(void *data, virErrorPtr error)
{
	(void)data, (void)error;
}

void libvirt_error(struct str *why)
{
	const virError *error = virGetLastError();
	char clean[512];

	text_clean(clean, sizeof(clean),
		   error && error->message ? error->message : _("no reason given"));
	str_add(why, clean);
}

static bool is_installed(void)
{
	char path[64] = "/";

	for (const char *const *place = tools_libvirt; *place; place++) {
		str_copy(path + 1, sizeof(path) - 1, *place);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static void say_why_not(struct str *why)
{
	const virError *error = virGetLastError();
	const int code = error ? error->code : VIR_ERR_INTERNAL_ERROR;

	if (!is_installed()) {
		str_add(why, _("libvirt is not installed: install "
			       "libvirt-daemon-system (Debian, Ubuntu), "
			       "libvirt-daemon-kvm (Fedora) or libvirt (Arch); "
			       "\"vfio-claim vm run\" needs none"));
		return;
	}
	str_add(why, _("libvirt does not let us in: "));
	libvirt_error(why);
	if (code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_AUTH_UNAVAILABLE ||
	    code == VIR_ERR_AUTH_CANCELLED || geteuid() != 0)
		str_add(why, _("; run it as root, or join the group: usermod -aG "
			       "libvirt USER, then log in again; or allow "
			       "org.libvirt.unix.manage in polkit"));
	else
		str_add(why, _("; start it: systemctl enable --now libvirtd.socket, or "
			       "virtqemud.socket where that is installed"));
}

virConnectPtr libvirt_open(bool read_only, struct str *why)
{
	const char *uri = getenv("LIBVIRT_DEFAULT_URI");
	virConnectPtr connection;

	if (!uri || !*uri)
		uri = SYSTEM_URI;
	virSetErrorFunc(NULL, silence);
	connection = read_only ? virConnectOpenReadOnly(uri)
			       : virConnectOpenAuth(uri, virConnectAuthPtrDefault, 0);
	if (!connection)
		say_why_not(why);
	return connection;
}

virDomainPtr libvirt_find(virConnectPtr connection, const char *name, bool *ret_missing,
			  struct str *why)
{
	virDomainPtr domain = virDomainLookupByName(connection, name);
	bool missing;

	if (!domain)
		domain = virDomainLookupByUUIDString(connection, name);
	if (domain)
		return domain;
	/* what is no UUID is an invalid argument to the second look */
	missing = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
		  virGetLastErrorCode() == VIR_ERR_INVALID_ARG;
	if (ret_missing)
		*ret_missing = missing;
	if (missing)
		str_add(why, _("libvirt has no such domain; virsh list --all shows those "
			       "that it has"));
	else
		libvirt_error(why);
	return NULL;
}

char *libvirt_xml(virDomainPtr domain, struct str *why)
{
	char *xml = virDomainGetXMLDesc(domain,
					VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);

	if (!xml)
		libvirt_error(why);
	return xml;
}

bool libvirt_define(virConnectPtr connection, const char *xml, struct str *why)
{
	virDomainPtr domain =
		virDomainDefineXMLFlags(connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);

	if (!domain) {
		libvirt_error(why);
		return false;
	}
	virDomainFree(domain);
	return true;
}
