/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor under every tool: loads module files and gives functions to vfio-pci, without
 * a single check. Arguments with a slash are files, in the order of their dependencies;
 * the others are addresses.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY);

	syscall(SYS_finit_module, fd, "", 0);
	close(fd);
}

static void bind(const char *address)
{
	char path[64] = DEVICES;

	strcat(strcat(path, address), "/driver_override");
	put(path, "vfio-pci");
	put("/sys/bus/pci/drivers/vfio-pci/bind", address);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strchr(argv[i], '/'))
			load(argv[i]);
		else
			bind(argv[i]);
	return 0;
}
