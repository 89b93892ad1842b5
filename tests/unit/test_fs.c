/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real files, in a folder of our own below the working directory. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "str.h"

static char top[200], folder[256]; /* a root made anew for every test */
static struct fs fs;

static const char *at(const char *path)
{
	static char text[2][512];
	static unsigned i;

	i = !i;
	snprintf(text[i], sizeof(text[i]), "%s/%s", folder, path);
	return text[i];
}

static void put(const char *path, const char *data, size_t len)
{
	FILE *file = fopen(at(path), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* top/root, and top/outside/secret, where nothing in the root is to lead */
static int begin(void **state)
{
	const char *tmp = getenv("UNIT_TMP");

	(void)state;
	snprintf(top, sizeof(top), "%s/fs.XXXXXX", tmp ? tmp : ".");
	if (!mkdtemp(top))
		return -1;
	snprintf(folder, sizeof(folder), "%s/root", top);
	if (mkdir(folder, 0755) || mkdir(at("sys"), 0755) || mkdir(at("etc"), 0755) ||
	    mkdir(at("../outside"), 0755))
		return -1;
	put("../outside/secret", "secret", 6);
	return fs_init(&fs, folder);
}

static int finish(void **state)
{
	char command[512];

	(void)state;
	fs_finish(&fs);
	fs_finish(&fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void reading(void **state)
{
	char buf[8];
	struct fs_meta meta;

	(void)state;
	put("sys/a", "value\n", 6);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "value");
	assert_int_equal(fs_read_file(&fs, "sys/a", buf, sizeof(buf), &meta), 0);
	assert_string_equal(buf, "value\n");
	assert_true(S_ISREG(meta.mode));
	assert_int_equal(meta.uid, geteuid());
	put("sys/empty", "", 0);
	assert_int_equal(fs_read_text(&fs, "sys/empty", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	put("sys/lines", "\n\n", 2);
	assert_int_equal(fs_read_text(&fs, "sys/lines", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(fs_read_text(&fs, "sys/none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(fs_read_text(&fs, "sys", buf, sizeof(buf)), -EISDIR);
	assert_int_equal(fs_read_text(&fs, "sys/a/b", buf, sizeof(buf)), -ENOTDIR);
	put("sys/nul", "a\0b", 3);
	assert_int_equal(fs_read_text(&fs, "sys/nul", buf, sizeof(buf)), -EPROTO);
	assert_int_equal(fs_read_file(&fs, "sys/nul", buf, sizeof(buf), NULL), -EPROTO);
}

static void too_long_to_read(void **state)
{
	char buf[8];

	(void)state;
	put("sys/a", "12345", 5);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), 0);
	put("sys/a", "123456", 6);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), 0);
	put("sys/a", "1234567", 7);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), -EFBIG);
	assert_int_equal(fs_read_file(&fs, "sys/a", buf, sizeof(buf), NULL), -EFBIG);
	put("sys/a", "123456", 6);
	assert_int_equal(fs_read_file(&fs, "sys/a", buf, sizeof(buf), NULL), 0);
	put("sys/a", "12345678901234567890", 20);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), -EFBIG);
	assert_int_equal(fs_read_file(&fs, "sys/a", buf, sizeof(buf), NULL), -EFBIG);
}

static void fifo_does_not_hang(void **state)
{
	char buf[16];
	struct fs_meta meta;

	(void)state;
	assert_int_equal(mkfifo(at("sys/fifo"), 0644), 0);
	alarm(5);
	(void)!fs_read_text(&fs, "sys/fifo", buf, sizeof(buf));
	(void)!fs_read_file(&fs, "sys/fifo", buf, sizeof(buf), &meta);
	(void)fs.ops->exists(&fs, "sys/fifo");
	alarm(0);
}

static void writing(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(fs_write_text(&fs, "sys/none", "x"), -ENOENT);
	put("sys/a", "", 0);
	assert_int_equal(fs_write_text(&fs, "sys/a", "hello"), 0);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "hello");
	assert_int_equal(fs_write_text(&fs, "sys", "x"), -EISDIR);
}

static int count(void *arg, const char *name)
{
	assert_true(!str_equal(name, ".") && !str_equal(name, ".."));
	++*(int *)arg;
	return 0;
}

static int stop(void *arg, const char *name)
{
	(void)name;
	return --*(int *)arg ? 0 : 77;
}

static void listing(void **state)
{
	char name[64];
	int n = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "sys/a-rather-long-name-of-a-file-%u", i);
		put(name, "", 0);
	}
	assert_int_equal(fs.ops->list(&fs, "sys", count, &n), 0);
	assert_int_equal(n, 300);
	n = 7;
	assert_int_equal(fs.ops->list(&fs, "sys", stop, &n), 77);
	assert_int_equal(n, 0);
	n = 0;
	assert_int_equal(fs.ops->list(&fs, "etc", count, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(fs.ops->list(&fs, "none", count, &n), -ENOENT);
	put("etc/a", "", 0);
	assert_int_equal(fs.ops->list(&fs, "etc/a", count, &n), -ENOTDIR);
}

static int list_within(void *arg, const char *name)
{
	int n = 0;

	(void)name;
	assert_int_equal(fs.ops->list(&fs, "etc", count, &n), 0);
	assert_int_equal(n, 100);
	++*(int *)arg;
	return 0;
}

/* /proc and each process's fd */
static void a_list_within_a_list(void **state)
{
	char name[64];
	int n = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "sys/a-rather-long-name-of-a-file-%u", i);
		put(name, "", 0);
		snprintf(name, sizeof(name), "etc/another-rather-long-name-of-a-file-%u",
			 i);
		put(name, "", 0);
	}
	assert_int_equal(fs.ops->list(&fs, "sys", list_within, &n), 0);
	assert_int_equal(n, 100);
}

static void links(void **state)
{
	char buf[600], name[8];

	(void)state;
	assert_int_equal(symlink("../../drivers/nouveau", at("sys/driver")), 0);
	assert_int_equal(fs.ops->link(&fs, "sys/driver", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "../../drivers/nouveau");
	assert_int_equal(fs_link_name(&fs, "sys/driver", name, sizeof(name)), 0);
	assert_string_equal(name, "nouveau");
	assert_int_equal(fs_link_name(&fs, "sys/driver", name, 7), -ENAMETOOLONG);
	assert_int_equal(fs.ops->link(&fs, "sys/driver", buf, 21), -ENAMETOOLONG);
	assert_int_equal(fs.ops->link(&fs, "sys/driver", buf, 22), 0);
	assert_int_equal(fs_link_name(&fs, "sys", name, sizeof(name)), -EINVAL);
	assert_int_equal(fs_link_name(&fs, "sys/none", name, sizeof(name)), -ENOENT);
	assert_int_equal(symlink("bare", at("sys/bare")), 0);
	assert_int_equal(fs_link_name(&fs, "sys/bare", name, sizeof(name)), 0);
	assert_string_equal(name, "bare");
}

/* A captured tree comes from somebody else: its links lead nowhere outside of it. */
static void captured_roots_are_closed(void **state)
{
	static const char *const ways[] = { "sys/up", "sys/absolute", "out/secret",
					    "../outside/secret" };
	char secret[4096], outside[4096], buf[64];

	(void)state;
	assert_true(fs.captured);
	put("sys/inside", "inside", 6);
	assert_int_equal(symlink("inside", at("sys/relative")), 0);
	assert_int_equal(symlink("/sys/inside", at("sys/rooted")), 0);
	assert_int_equal(fs_read_text(&fs, "sys/relative", buf, sizeof(buf)), 0);
	assert_int_equal(fs_read_text(&fs, "sys/rooted", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "inside");

	assert_non_null(realpath(at("../outside/secret"), secret));
	assert_non_null(realpath(at("../outside"), outside));
	assert_int_equal(symlink("../../outside/secret", at("sys/up")), 0);
	assert_int_equal(symlink(secret, at("sys/absolute")), 0);
	assert_int_equal(symlink(outside, at("out")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_int_equal(fs_read_text(&fs, ways[i], buf, sizeof(buf)), -ENOENT);
		assert_int_equal(fs_write_text(&fs, ways[i], "x"), -ENOENT);
		assert_int_equal(fs.ops->exists(&fs, ways[i]), -ENOENT);
	}
}

static void loops_end(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(symlink("b", at("sys/a")), 0);
	assert_int_equal(symlink("a", at("sys/b")), 0);
	assert_int_equal(fs_read_text(&fs, "sys/a", buf, sizeof(buf)), -ELOOP);
}

static void no_root(void **state)
{
	struct fs none;
	char path[300];

	(void)state;
	snprintf(path, sizeof(path), "%s/none", folder);
	assert_int_equal(fs_init(&none, path), -ENOENT);
	put("file", "", 0);
	assert_int_equal(fs_init(&none, at("file")), -ENOTDIR);
	assert_int_equal(fs_init(&none, "/"), 0);
	assert_false(none.captured);
	fs_finish(&none);
}

static void here(void **state)
{
	struct fs view;
	char buf[16];

	(void)state;
	put("etc/a", "x", 1);
	fs_init_here(&view);
	assert_int_equal(fs_read_text(&view, at("etc/a"), buf, sizeof(buf)), 0);
	assert_string_equal(buf, "x");
	fs_finish(&view);
}

/* The kernel gives up on ".." below a root when anything is renamed anywhere: EAGAIN. */
static void renamed_meanwhile(void **state)
{
	char buf[8];
	pid_t child;

	(void)state;
	put("sys/a", "value\n", 6);
	put("etc/one", "", 0);
	assert_int_equal(symlink("../sys/../sys/../sys/a", at("sys/link")), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (child == 0) {
		rename(at("etc/one"), at("etc/two"));
		rename(at("etc/two"), at("etc/one"));
	}
	while (access(at("etc/two"), F_OK))
		continue;
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(fs_read_text(&fs, "sys/link", buf, sizeof(buf)), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, begin, finish)
	const struct CMUnitTest tests[] = {
		WITH_ROOT(reading),	      WITH_ROOT(too_long_to_read),
		WITH_ROOT(writing),	      WITH_ROOT(fifo_does_not_hang),
		WITH_ROOT(listing),	      WITH_ROOT(links),
		WITH_ROOT(loops_end),	      WITH_ROOT(captured_roots_are_closed),
		WITH_ROOT(no_root),	      WITH_ROOT(here),
		WITH_ROOT(renamed_meanwhile), WITH_ROOT(a_list_within_a_list),
	};

	return UNIT_RUN(tests);
}
