/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main() as a program: arguments, and a kernel that never answers. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "scene.h"

#define RUN_WORDS 12

struct result {
	int status;
	char out[4096], err[4096];
};

static void take(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
}

/* Runs main() with these words, up to a NULL, in a process of its own. */
static struct result run(const char *first, ...)
{
	char *argv[RUN_WORDS + 2] = { (char *)"vfio-claim-early" };
	static struct result result;
	int out[2], err[2], argc = 1;
	va_list ap;
	pid_t pid;

	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		argv[argc++] = (char *)word;
	va_end(ap);
	assert_true(pipe(out) == 0 && pipe(err) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(err[0]);
		_exit(early_main(argc, argv));
	}
	close(out[1]);
	close(err[1]);
	take(out[0], result.out, sizeof(result.out));
	take(err[0], result.err, sizeof(result.err));
	assert_int_equal(waitpid(pid, &result.status, 0), pid);
	assert_true(WIFEXITED(result.status));
	result.status = WEXITSTATUS(result.status);
	return result;
}

static void wrong_arguments(void **state)
{
	static const struct {
		const char *words[4], *message;
	} cases[] = {
		{ { NULL }, "a command is missing" },
		{ { "stop" }, "unknown command: stop" },
		{ { "" }, "unknown command: " },
		{ { "start", "--foo" }, "unknown argument: --foo" },
		{ { "settle", "--foo" }, "unknown argument: --foo" },
		{ { "settle", "start" }, "unknown argument: start" },
		{ { "event", "add" }, "what happened, and to which function?" },
		{ { "event", "change", "0000:01:00.0" }, "neither add nor remove" },
		{ { "event", "add", "01:00.0" }, "no address as DDDD:BB:DD.F" },
		{ { "settle", "--wait=5" }, "unknown argument: --wait=5" },
		{ { "settle", "--root" }, "a value is missing behind --root" },
		{ { "start", "x" }, "unknown argument: x" },
		{ { "start", "--roots=/" }, "unknown argument: --roots=/" },
		{ { "start", "--root" }, "a value is missing behind --root" },
		{ { "start", "--root=" }, "an empty value for --root" },
		{ { "start", "--report", "" }, "an empty value for --report" },
		{ { "start", "--root=/no/such/folder" },
		  "cannot open the root: /no/such/folder" },
	};
	struct result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		r = run(cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL);
		assert_that(r.status == 2, "case %zu: %d", i, r.status);
		assert_contains(r.err, cases[i].message);
		assert_contains(r.err, "Try 'vfio-claim-early --help'");
		assert_string_equal(r.out, "");
	}
}

static void help_and_version(void **state)
{
	static const char *const help[] = { "--help", "-h" };
	struct result r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		r = run(help[i], NULL);
		assert_int_equal(r.status, 0);
		assert_contains(r.out, "Usage: vfio-claim-early start|settle");
		assert_contains(r.out, "vfio_claim=off");
	}
	r = run("--version", NULL);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "vfio-claim-early " VERSION "\n");
}

/* ---- a captured tree */

static char root[256];

static void put(const char *path, const char *text)
{
	char full[600];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		(void)mkdir(full, 0755);
		*c = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static void put_link(const char *path, const char *target)
{
	char full[600];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

#define PLACE "sys/devices/pci0000:00/"

static void put_function(const char *place, const char *address, const char *uevent,
			 int group)
{
	char path[256], target[256];

	snprintf(path, sizeof(path), PLACE "%s/uevent", place);
	put(path, uevent);
	snprintf(path, sizeof(path), PLACE "%s/driver_override", place);
	put(path, "(null)\n");
	snprintf(path, sizeof(path), PLACE "%s/iommu_group", place);
	snprintf(target, sizeof(target), "/sys/kernel/iommu_groups/%d", group);
	put_link(path, target);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", place);
	put_link(path, target);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/type", group);
	put(path, "DMA-FQ\n");
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices/%s", group,
		 address);
	put(path, "");
}

static int plant(void **state)
{
	const char *top = getenv("UNIT_TMP");

	(void)state;
	snprintf(root, sizeof(root), "%s/main.XXXXXX", top ? top : ".");
	if (!mkdtemp(root))
		return -1;
	put("proc/cmdline", "quiet\n");
	put("proc/sys/kernel/osrelease", "6.1.0-planted\n");
	put("run/x", "");
	put("sys/class/iommu/dmar0", "");
	put("sys/bus/pci/devices/.x", "");
	put("sys/bus/pci/drivers/vfio-pci/unbind", "");
	put("sys/bus/pci/drivers/vfio-pci/bind", "");
	put("sys/bus/pci/drivers_probe", "");
	put_function("0000:00:02.0", "0000:00:02.0",
		     "PCI_CLASS=30000\nPCI_ID=8086:4680\nPCI_SUBSYS_ID=1043:8694\n", 2);
	put_function("0000:00:01.0/0000:01:00.0", "0000:01:00.0",
		     "PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 1);
	put("etc/vfio-claim.conf",
	    "[claim gaming]\nfunction = 0000:01:00.0 path=0000:00:01.0/00.0 id=10de:2484 "
	    "subsystem=1043:87c1 class=030000\n");
	return 0;
}

static int clear(void **state)
{
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static struct json_object *planted_report(void)
{
	char path[600], text[16 * 1024];
	int fd;

	snprintf(path, sizeof(path), "%s/run/vfio-claim/report.json", root);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	take(fd, text, sizeof(text));
	return json_of(text, strlen(text));
}

/* A tree does not answer as a kernel: the bind is written, and no driver link appears. */
static void a_captured_tree(void **state)
{
	struct json_object *json;
	struct result r;

	(void)state;
	r = run("start", "--root", root, NULL);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "");
	assert_contains(
		r.err,
		"vfio-claim: gaming: the host keeps it: bind-failed: 0000:01:00.0");
	json = planted_report();
	assert_json(json, "kernel", "6.1.0-planted");
	assert_json(json, "reason", "bind-failed");
	json_object_put(json);
}

static void files_named_by_the_caller(void **state)
{
	char conf[600], cmdline[600], report[600];
	struct result r;

	(void)state;
	put("other.conf", "[claim x\n");
	put("other.cmdline", "vfio_claim=on");
	snprintf(conf, sizeof(conf), "--config=%s/other.conf", root);
	snprintf(cmdline, sizeof(cmdline), "--cmdline=%s/other.cmdline", root);
	snprintf(report, sizeof(report), "--report=%s/other.json", root);
	r = run("start", "--root", root, conf, cmdline, report, NULL);
	assert_int_equal(r.status, 0);
	assert_contains(r.err, "config-error: ");
	assert_contains(r.err, "other.conf:1: expected ] at the end");
	assert_int_equal(access(strchr(report, '=') + 1, R_OK), 0);
}

/* Nothing was left to it: no word, no report. */
static void nothing_to_settle(void **state)
{
	char path[600];
	struct result r;

	(void)state;
	r = run("settle", "--root", root, NULL);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	snprintf(path, sizeof(path), "%s/run/vfio-claim/report.json", root);
	assert_int_equal(access(path, F_OK), -1);
	/* nor can anybody else leave something to it */
	put("run/vfio-claim/state", "rubbish");
	r = run("settle", "--root", root, NULL);
	assert_int_equal(r.status, 0);
	assert_contains(r.err, "vfio-claim: /run/vfio-claim/state cannot be used");
	assert_int_equal(access(path, F_OK), -1);
}

/* Both stages, with a record on the boot partition: a tree's is its boot/. */
static void held_and_settled(void **state)
{
	struct json_object *json;
	struct result r;

	(void)state;
	put("boot/vmlinuz", "");
	put("etc/vfio-claim.partitions", "1234abcd-01\n");
	r = run("start", "--root", root, NULL);
	assert_int_equal(r.status, 0);
	json = planted_report();
	assert_json(json, "outcome", "held");
	json_object_put(json);
	put("boot/vfio-claim.off", "");
	r = run("settle", "--root", root, NULL);
	assert_int_equal(r.status, 0);
	assert_contains(r.err, "off: vfio-claim.off lies on partition 1234abcd-01");
	json = planted_report();
	assert_json(json, "stage", "settle");
	assert_json(json, "reason", "off");
	json_object_put(json);
	r = run("settle", "--root", root, NULL);
	assert_string_equal(r.err, "");
}

/* The write that binds never returns. Takes the deadline's 10 s. */
static void a_kernel_that_hangs(void **state)
{
	struct timespec begin, end;
	struct json_object *json;
	char path[600];
	struct result r;

	(void)state;
	snprintf(path, sizeof(path), "%s/sys/bus/pci/drivers/vfio-pci/bind", root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	r = run("start", "--root", root, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(r.status, 0);
	assert_in_range(end.tv_sec - begin.tv_sec, 9, 14);
	assert_contains(r.err,
			"gaming: the host keeps it: deadline: no end after 10 s, at: "
			"binding 0000:01:00.0");
	json = planted_report();
	assert_json(json, "reason", "deadline");
	assert_json(json, "outcome", "kept");
	json_object_put(json);
	/* the override was cleared by the one who came after */
	snprintf(path, sizeof(path),
		 "%s/" PLACE "0000:00:01.0/0000:01:00.0/driver_override", root);
	assert_int_equal(access(path, F_OK), 0);
	take(open(path, O_RDONLY), r.out, sizeof(r.out));
	assert_int_equal(r.out[0], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test_setup_teardown(a_captured_tree, plant, clear),
		cmocka_unit_test_setup_teardown(files_named_by_the_caller, plant, clear),
		cmocka_unit_test_setup_teardown(nothing_to_settle, plant, clear),
		cmocka_unit_test_setup_teardown(held_and_settled, plant, clear),
		cmocka_unit_test_setup_teardown(a_kernel_that_hangs, plant, clear),
	};

	return UNIT_RUN(tests);
}
