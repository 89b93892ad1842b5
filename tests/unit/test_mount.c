/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a private mount asks the kernel for. */
#include "unit.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mount.h"
#include "str.h"

/* fsconfig(2)'s keys, and values where there are some, in the order of the calls */
static char asked[256];
static struct str words;
static bool created;

static long configure(va_list args)
{
	const int fd = va_arg(args, int);
	const unsigned command = va_arg(args, unsigned);
	const char *key = va_arg(args, const char *);
	const char *value = va_arg(args, const char *);

	assert_true(fcntl(fd, F_GETFD) >= 0);
	if (!key) {
		created = command == 6; /* FSCONFIG_CMD_CREATE */
		return 0;
	}
	/* what is said after that comes too late */
	assert_false(created);
	str_join(&words, words.len ? "," : "", key, value ? "=" : "", value ? value : "",
		 NULL);
	return 0;
}

/* Instead of libc's: a kernel that takes everything. */
long syscall(long number, ...)
{
	va_list args;
	long r = -1;

	va_start(args, number);
	if (number == SYS_fsopen || number == SYS_fsmount)
		r = open("/dev/null", O_PATH | O_CLOEXEC);
	else if (number == SYS_fsconfig)
		r = configure(args);
	else
		errno = ENOSYS;
	va_end(args);
	return r;
}

static const char *options(const char *type, const char *source, enum mount_use use)
{
	int fd;

	words = STR_ON(asked);
	created = false;
	fd = mount_private(type, source, use);
	assert_true(fd >= 0 && created);
	close(fd);
	return asked;
}

/* By default a file system's own setting counts, and that may be to stop the machine. */
static void damage_ends_no_boot(void **state)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "vfat" };
	static const enum mount_use uses[] = { MOUNT_READ, MOUNT_WRITE, MOUNT_LOOK };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 3; j++)
			assert_non_null(strstr(options(types[i], "/dev/a", uses[j]),
					       ",errors=remount-ro"));
}

static void only_what_the_type_knows(void **state)
{
	(void)state;
	assert_string_equal(options("xfs", "/dev/a", MOUNT_WRITE), "source=/dev/a");
	assert_string_equal(options("xfs", "/dev/a", MOUNT_LOOK),
			    "source=/dev/a,ro,norecovery");
	assert_string_equal(options("efivarfs", NULL, MOUNT_WRITE), "");
	assert_string_equal(options("ext4", "/dev/a", MOUNT_LOOK),
			    "source=/dev/a,ro,noload,errors=remount-ro");
	assert_string_equal(options("vfat", "/dev/a", MOUNT_READ),
			    "source=/dev/a,ro,errors=remount-ro");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_ends_no_boot),
		cmocka_unit_test(only_what_the_type_knows),
	};

	return UNIT_RUN(tests);
}
