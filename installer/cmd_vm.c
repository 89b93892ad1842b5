/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm: a program of its own, for it needs the libraries of libvirt, and this
 * one has to start without them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "str.h"
#include "text.h"

#define PROGRAM "vfio-claim-vm"
#define LIBRARY "libvirt.so.0"

/* The loader would only name the file. The usual places first: to load it takes time. */
static bool has_libvirt(void)
{
	static const char *const places[] = { "/usr/lib/x86_64-linux-gnu/" LIBRARY,
					      "/usr/lib64/" LIBRARY,
					      "/usr/lib/" LIBRARY };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], F_OK) == 0)
			return true;
	return dlopen(LIBRARY, RTLD_LAZY) != NULL;
}

static int become(int argc, char **argv)
{
	char here[4096];
	ssize_t len = readlink("/proc/self/exe", here, sizeof(here) - sizeof(PROGRAM));
	char *slash;

	(void)argc;
	if (!has_libvirt()) {
		fputs(_("vfio-claim: libvirt's library is not installed: install libvirt0 "
			"(Debian, Ubuntu), libvirt-libs (Fedora) or libvirt (Arch)\n"),
		      stderr);
		return EXIT_REFUSED;
	}
	/* where it was built, or else where it is installed */
	if (len > 0) {
		here[len] = '\0';
		slash = strrchr(here, '/');
		memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
		execv(here, argv);
	}
	execv(LIBDIR "/" PROGRAM, argv);
	fprintf(stderr,
		_("vfio-claim: %s cannot be started: %s; install vfio-claim "
		  "again\n"),
		LIBDIR "/" PROGRAM, strerror(errno));
	return EXIT_REFUSED;
}

const struct command cmd_vm = {
	.name = "vm",
	.summary = N_("Makes virtual machines that use a claim, and checks them"),
	.become = become,
};
