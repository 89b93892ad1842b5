/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* name of the set, file, what it is for, packages */
#define LIBRARIES(LIBRARY)                                                          \
	LIBRARY(ARCHIVE, "libarchive.so.13", "initramfs images and snapshots",      \
		N_("libarchive13 or libarchive13t64 (Debian, Ubuntu), libarchive "  \
		   "(Fedora, Arch)"))                                               \
	LIBRARY(KMOD, "libkmod.so.2", "whether kernels have the modules",           \
		N_("libkmod2 (Debian, Ubuntu), kmod-libs (Fedora), kmod (Arch)"))   \
	LIBRARY(NETTLE, "libnettle.so.8", "whether a file was edited since",        \
		N_("libnettle8 or libnettle8t64 (Debian, Ubuntu), nettle (Fedora, " \
		   "Arch)"))                                                        \
	LIBRARY(PCI, "libpci.so.3", "names of PCI functions",                       \
		N_("libpci3 (Debian, Ubuntu), pciutils-libs (Fedora), pciutils (Arch)"))

/* For packagers: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ */
#define NOTE_TYPE 0x407c0c0a
#define NOTE_TEXT(file, purpose)                                \
	"[{\"feature\":\"" file "\",\"description\":\"" purpose \
	"\",\"priority\":\"recommended\",\"soname\":[\"" file "\"]}]"
#define NOTE(set, file, purpose, packages)                                          \
	static const struct {                                                       \
		uint32_t name_size, text_size, type;                                \
		char name[4];                                                       \
		_Alignas(4) char text[sizeof(NOTE_TEXT(file, purpose))];            \
	} note_##set __attribute__((used, section(".note.dlopen"), aligned(4))) = { \
		4, sizeof(NOTE_TEXT(file, purpose)), NOTE_TYPE, "FDO",              \
		NOTE_TEXT(file, purpose)                                            \
	};
LIBRARIES(NOTE)

#define ENTRY(set, file, purpose, packages) [LIBRARY_##set] = { file, packages },
static const struct {
	const char *file, *packages;
} libraries[LIBRARY_COUNT] = { LIBRARIES(ENTRY) };

static int missing(enum library library, struct str *why)
{
	const char *error = dlerror(); /* names the file, or the one that that needs */
	char text[512];

	snprintf(text, sizeof(text), _("a library cannot be loaded (%s): install %s"),
		 error ? error : libraries[library].file, _(libraries[library].packages));
	str_add(why, text);
	return -ELIBACC;
}

int library_load(enum library library, const struct library_call *calls, size_t n,
		 struct str *why)
{
	static void *handles[LIBRARY_COUNT];
	void *found;

	/* RTLD_NOW: what is too old is missing now, and not in the middle of something */
	if (!handles[library])
		handles[library] =
			dlopen(libraries[library].file, RTLD_NOW | RTLD_NODELETE);
	if (!handles[library])
		return missing(library, why);
	for (size_t i = 0; i < n; i++) {
		found = dlsym(handles[library], calls[i].name);
		if (!found)
			return missing(library, why);
		memcpy(calls[i].at, &found, sizeof(found));
	}
	return 0;
}
