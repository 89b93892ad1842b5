/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a whole file by rename: the old one or the new one, and nothing else in the
 * folder.
 */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "fs.h"
#include "str.h"

static char folder[256];
static struct fs fs;
static enum fs_how how;

static const char *at(const char *path)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s/%s", folder, path);
	return text;
}

static int begin(void **state)
{
	const char *top = getenv("UNIT_TMP");

	(void)state;
	how = FS_QUICK;
	snprintf(folder, sizeof(folder), "%s/replace.XXXXXX", top ? top : ".");
	if (!mkdtemp(folder) || mkdir(at("run"), 0755))
		return -1;
	return fs_init(&fs, folder);
}

static int begin_durable(void **state)
{
	int r = begin(state);

	how = FS_DURABLE;
	return r;
}

static int finish(void **state)
{
	char command[512];

	(void)state;
	fs_finish(&fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static int replace(const char *path, const char *text)
{
	return fs.ops->replace(&fs, path, text, strlen(text), how);
}

static void assert_content(const char *path, const char *text)
{
	char buf[64];

	assert_int_equal(fs_read_file(&fs, path, buf, sizeof(buf), NULL), 0);
	assert_string_equal(buf, text);
}

static int count(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

static void assert_entries(const char *path, int expected)
{
	int n = 0;

	assert_int_equal(fs.ops->list(&fs, path, count, &n), 0);
	assert_int_equal(n, expected);
}

static void makes_and_replaces(void **state)
{
	struct stat st;

	(void)state;
	umask(022);
	assert_int_equal(replace("run/us/report", "one"), 0);
	assert_content("run/us/report", "one");
	assert_int_equal(stat(at("run/us"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(at("run/us/report"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(replace("run/us/report", ""), 0);
	assert_content("run/us/report", "");
	assert_entries("run/us", 1);
	assert_int_equal(replace("top", "x"), 0);
	assert_content("top", "x");
}

static void only_one_folder_is_made(void **state)
{
	(void)state;
	assert_int_equal(replace("run/a/b/report", "x"), -ENOENT);
	assert_entries("run", 0);
}

static void what_was_left_behind_is_no_obstacle(void **state)
{
	(void)state;
	assert_int_equal(replace("run/.report.new", "a killed run left this"), 0);
	assert_int_equal(replace("run/report", "new"), 0);
	assert_entries("run", 1);
	/* nor a trap */
	assert_int_equal(replace("victim", "precious"), 0);
	assert_int_equal(symlink("../victim", at("run/.report.new")), 0);
	assert_int_equal(replace("run/report", "newer"), 0);
	assert_content("victim", "precious");
	assert_content("run/report", "newer");
	assert_entries("run", 1);
}

static void a_link_is_replaced_not_followed(void **state)
{
	(void)state;
	assert_int_equal(replace("victim", "precious"), 0);
	assert_int_equal(symlink("../victim", at("run/report")), 0);
	assert_int_equal(replace("run/report", "new"), 0);
	assert_content("victim", "precious");
	assert_content("run/report", "new");
}

static void failures_leave_the_old_one(void **state)
{
	(void)state;
	assert_int_equal(replace("run/us/report", "old"), 0);
	/* a folder in the way of the rename */
	assert_int_equal(mkdir(at("run/folder"), 0755), 0);
	assert_int_not_equal(replace("run/folder", "x"), 0);
	assert_entries("run", 2);
	/* of the temporary name */
	assert_int_equal(mkdir(at("run/us/.report.new"), 0755), 0);
	assert_int_not_equal(replace("run/us/report", "x"), 0);
	assert_content("run/us/report", "old");
	assert_int_equal(rmdir(at("run/us/.report.new")), 0);
	/* a file in place of the folder */
	assert_int_equal(replace("run/us/report/x", "x"), -ENOTDIR);
	assert_int_equal(replace("run/us/report/x/y", "x"), -ENOTDIR);
	assert_entries("run/us", 1);
}

/* The file size limit stands for a full disk. */
static void a_full_disk_leaves_the_old_one(void **state)
{
	struct rlimit old, limit;
	char *data = calloc(1, 64 * 1024);
	int r;

	(void)state;
	assert_int_equal(replace("run/report", "old"), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){ 4096, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = fs.ops->replace(&fs, "run/report", data, 64 * 1024, how);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	free(data);
	assert_int_equal(r, -EFBIG);
	assert_content("run/report", "old");
	assert_entries("run", 1);
}

static void long_names(void **state)
{
	char path[2 * FS_PATH_MAX] = "run/";

	(void)state;
	memset(path + 4, 'n', 251);
	assert_int_equal(replace(path, "x"), -ENAMETOOLONG);
	memset(path + 4, 'n', sizeof(path) - 5);
	path[300] = '/';
	assert_int_equal(replace(path, "x"), -ENAMETOOLONG);
	assert_entries("run", 0);
}

static void folders_are_not_followed_out(void **state)
{
	char outside[4096];

	(void)state;
	/* seen from the root, neither is there */
	assert_int_equal(mkdir(at("outside"), 0755), 0);
	assert_non_null(realpath(at("outside"), outside));
	fs_finish(&fs);
	assert_int_equal(fs_init(&fs, at("run")), 0);
	assert_int_equal(symlink(outside, at("run/absolute")), 0);
	assert_int_equal(symlink("../outside", at("run/up")), 0);
	assert_int_not_equal(replace("absolute/report", "x"), 0);
	assert_int_not_equal(replace("up/report", "x"), 0);
	/* above the root is the root */
	assert_int_equal(replace("../outside/report", "x"), 0);
	assert_entries("outside", 1);
	fs_finish(&fs);
	assert_int_equal(fs_init(&fs, folder), 0);
	assert_entries("outside", 0);
	assert_content("run/outside/report", "x");
}

int main(void)
{
#define WITH_ROOT(test)                                             \
	cmocka_unit_test_setup_teardown(test, begin, finish),       \
	{                                                           \
#test "_durably", test, begin_durable, finish, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_ROOT(makes_and_replaces),
		WITH_ROOT(only_one_folder_is_made),
		WITH_ROOT(what_was_left_behind_is_no_obstacle),
		WITH_ROOT(a_link_is_replaced_not_followed),
		WITH_ROOT(failures_leave_the_old_one),
		WITH_ROOT(a_full_disk_leaves_the_old_one),
		WITH_ROOT(long_names),
		WITH_ROOT(folders_are_not_followed_out),
	};

	return UNIT_RUN(tests);
}
