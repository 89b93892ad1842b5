/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts the power at an exact step of a program. Stands in its place in the test's image,
 * runs the real one (its own name with .real behind it) and follows its system calls.
 *
 *	program ARGUMENT...	reads /test/cut, or /run/test/cut, which has one line:
 *	    COMMAND before|after K PATTERN
 *	    COMMAND is the program's first argument; K counts the calls that match PATTERN,
 *	    a shell pattern for "NAME PATH DATA": "write * /bind *", "fsync *", "*". A call that
 *	    is not in the table below is "NUMBER". A line "log" follows every command and
 *	    cuts nothing; with "mark", or without the file, the real program runs alone.
 *	cut at NAME		cuts if that line is "script before 1 NAME"
 *	cut files NAME		prints what QEMU's fw_cfg has for the test, but for its first line;
 *				if that is NAME, waits until it is another: until the machine,
 *				saved here, was resumed with other files
 *
 * What it saw goes to QEMU's isa-debugcon at port 0xe9, a line for each call that changes
 * something. The cut is QEMU's isa-debug-exit at port 0x501: the machine is gone before
 * the instruction ends.
 */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_PORT 0xe9
#define EXIT_PORT 0x501
#define FW_CFG_PORT 0x510 /* two bytes choose an item, the next port reads it */
#define FW_CFG_LIST 0x19
#define FW_CFG_FILES "opt/vfio-claim/files"
#define EXIT_VALUE 0x2a /* QEMU's exit status is twice that, plus one */
#define MAX_TASKS 64
#define TEXT_LEN 320

enum shape {
	FD, /* a descriptor */
	FD_DATA, /* and what is written */
	PATH, /* a path */
	AT, /* a directory and a path */
	PATH_TWO, /* two paths; the second one counts */
	AT_TWO,
	OPEN_AT, /* told of only if it may write */
};

static const struct call {
	const char *name;
	long number;
	enum shape shape;
} calls[] = {
	/* clang-format off: one a line */
	{ "write", SYS_write, FD_DATA },	  { "pwrite", SYS_pwrite64, FD_DATA },
	{ "openat", SYS_openat, OPEN_AT },	  { "fsync", SYS_fsync, FD },
	{ "fdatasync", SYS_fdatasync, FD },	  { "syncfs", SYS_syncfs, FD },
	{ "ftruncate", SYS_ftruncate, FD },	  { "ioctl", SYS_ioctl, FD },
	{ "finit_module", SYS_finit_module, FD }, { "init_module", SYS_init_module, FD },
	{ "fsconfig", SYS_fsconfig, FD },	  { "fsmount", SYS_fsmount, FD },
	{ "fsopen", SYS_fsopen, PATH },		  { "mount", SYS_mount, PATH_TWO },
	{ "umount", SYS_umount2, PATH },	  { "mkdir", SYS_mkdir, PATH },
	{ "mkdirat", SYS_mkdirat, AT },		  { "rename", SYS_rename, PATH_TWO },
	{ "renameat", SYS_renameat, AT_TWO },	  { "renameat2", SYS_renameat2, AT_TWO },
	{ "unlink", SYS_unlink, PATH },		  { "unlinkat", SYS_unlinkat, AT },
	{ "execve", SYS_execve, PATH },
	/* clang-format on */
};

struct task {
	pid_t pid;
	bool marked; /* the call it is in is to be told of when it returns */
	bool cut; /* and the power is to be cut then */
	char text[TEXT_LEN]; /* that call */
};

static struct task tasks[MAX_TASKS];
static const char *command = "";
static struct {
	bool active, after;
	unsigned left;
	char pattern[TEXT_LEN];
} point;
static unsigned n_calls;

static void tell(const char *format, ...)
{
	char line[TEXT_LEN * 2];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (const char *c = line; *c; c++)
		outb((unsigned char)*c, LOG_PORT);
	outb('\n', LOG_PORT);
}

static void tell_bound(void)
{
	DIR *dir = opendir("/sys/bus/pci/drivers/vfio-pci");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strchr(entry->d_name, ':'))
			tell("bound %s", entry->d_name);
	if (dir)
		closedir(dir);
}

static _Noreturn void cut_power(const char *where)
{
	tell_bound();
	tell("cut %s", where);
	outb(EXIT_VALUE, EXIT_PORT);
	/* not reached on a machine that has the device */
	tell("not cut: no isa-debug-exit");
	_exit(1);
}

/* Reads the point. False if there is none at all; `ret_command` may be "mark". */
static bool read_point(char *ret_command, size_t size)
{
	char line[TEXT_LEN] = "", name[32], when[8];
	FILE *file = fopen("/test/cut", "re");
	int at = 0;

	if (!file)
		file = fopen("/run/test/cut", "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	if (ioperm(LOG_PORT, 1, 1) < 0 || ioperm(EXIT_PORT, 1, 1) < 0)
		exit(3);
	snprintf(ret_command, size, "%s", strcmp(line, "log") == 0 ? "" : line);
	if (strcmp(line, "log") == 0 || strcmp(line, "mark") == 0)
		return true;
	if (sscanf(line, "%31s %7s %u %n", name, when, &point.left, &at) < 3 ||
	    !line[at]) {
		tell("wrong /test/cut: %s", line);
		ret_command[0] = '\0';
		return true;
	}
	snprintf(ret_command, size, "%s", name);
	snprintf(point.pattern, sizeof(point.pattern), "%s", line + at);
	point.after = strcmp(when, "after") == 0;
	return true;
}

static struct task *task_of(pid_t pid)
{
	struct task *free_one = NULL;

	for (unsigned i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].pid == pid)
			return &tasks[i];
		if (!tasks[i].pid && !free_one)
			free_one = &tasks[i];
	}
	if (!free_one) {
		tell("too many tasks");
		_exit(3);
	}
	*free_one = (struct task){ .pid = pid };
	return free_one;
}

/* Memory of a traced task, as a line of text; up to its end or `len` bytes. */
static void copy_text(pid_t pid, unsigned long from, size_t len, char *ret, size_t size)
{
	struct iovec to = { ret, len < size - 1 ? len : size - 1 };
	struct iovec there = { (void *)from, to.iov_len };
	ssize_t n = process_vm_readv(pid, &to, 1, &there, 1, 0);

	/* the string may end just before memory that is not there */
	while (n < 0 && there.iov_len > 1) {
		there.iov_len /= 2;
		n = process_vm_readv(pid, &to, 1, &there, 1, 0);
	}
	ret[n > 0 ? n : 0] = '\0';
	for (char *c = ret; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = *c == '\n' ? ' ' : '.';
}

static void path_of_fd(pid_t pid, int fd, char *ret, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	n = readlink(link, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
}

/* Describes a call. Returns whether it is worth a line. */
static bool describe(pid_t pid, long number, const uint64_t *a, char *ret, size_t size)
{
	char path[160] = "", data[48] = "";
	const struct call *call = NULL;

	for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].number == number)
			call = &calls[i];
	if (!call) {
		snprintf(ret, size, "%ld", number);
		return false;
	}
	switch (call->shape) {
	case FD_DATA:
		copy_text(pid, a[1], a[2], data, sizeof(data));
		/* fallthrough */
	case FD:
		path_of_fd(pid, (int)a[0], path, sizeof(path));
		break;
	case PATH:
		copy_text(pid, a[0], sizeof(path), path, sizeof(path));
		break;
	case AT:
	case OPEN_AT:
	case PATH_TWO:
		copy_text(pid, a[1], sizeof(path), path, sizeof(path));
		break;
	case AT_TWO:
		copy_text(pid, a[3], sizeof(path), path, sizeof(path));
		break;
	}
	snprintf(ret, size, "%s %s %s", call->name, path, data);
	return call->shape != OPEN_AT || (a[2] & (O_WRONLY | O_RDWR | O_CREAT));
}

static void enter(struct task *task, const struct __ptrace_syscall_info *info)
{
	n_calls++;
	task->cut = false;
	task->marked = describe(task->pid, (long)info->entry.nr, info->entry.args,
				task->text, sizeof(task->text));
	if (task->marked)
		tell("%s %u before %s", command, n_calls, task->text);
	if (!point.active || fnmatch(point.pattern, task->text, 0) != 0 || --point.left)
		return;
	point.active = false;
	if (!point.after)
		cut_power(task->text);
	task->cut = true;
}

static void leave(struct task *task, const struct __ptrace_syscall_info *info)
{
	if (task->marked || task->cut)
		tell("%s %u after %s = %lld", command, n_calls, task->text,
		     (long long)info->exit.rval);
	if (task->cut)
		cut_power(task->text);
	task->marked = false;
}

static void stopped_at_call(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter(task_of(pid), &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(task_of(pid), &info);
}

/* Follows until the first process has ended; its status is returned. */
static int follow(pid_t first)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC;
	int status, result = 0;
	pid_t pid;

	ptrace(PTRACE_SETOPTIONS, first, 0, options);
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			task_of(pid)->pid = 0;
			if (pid == first) {
				result = WIFEXITED(status) ? WEXITSTATUS(status)
							   : 128 + WTERMSIG(status);
				break;
			}
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			stopped_at_call(pid);
		else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
	return result;
}

static int run_followed(const char *real, char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(real, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		tell("cannot follow %s", real);
		return 3;
	}
	return follow(pid);
}

static uint32_t read_number(unsigned n_bytes)
{
	uint32_t number = 0;

	while (n_bytes--)
		number = number << 8 | inb(FW_CFG_PORT + 1);
	return number;
}

/* Chooses the files. Returns their size, 0 if there are none. */
static uint32_t find_files(void)
{
	outw(FW_CFG_LIST, FW_CFG_PORT);
	for (uint32_t left = read_number(4); left; left--) {
		uint32_t size = read_number(4), item = read_number(2);
		char name[56];

		read_number(2);
		for (unsigned i = 0; i < sizeof(name); i++)
			name[i] = (char)inb(FW_CFG_PORT + 1);
		if (strcmp(name, FW_CFG_FILES) == 0) {
			outw((unsigned short)item, FW_CFG_PORT);
			return size;
		}
	}
	return 0;
}

/* Reads the files' first line. Returns how much is behind it. */
static uint32_t read_place(char *ret, size_t size)
{
	uint32_t left = find_files();
	size_t n = 0;

	for (char c; left && (left--, c = (char)inb(FW_CFG_PORT + 1)) != '\n';)
		if (n < size - 1)
			ret[n++] = c;
	ret[n] = '\0';
	return left;
}

static int give_files(const char *name)
{
	char place[32];

	if (ioperm(LOG_PORT, 1, 1) < 0 || ioperm(FW_CFG_PORT, 2, 1) < 0)
		return 3;
	read_place(place, sizeof(place));
	if (strcmp(place, name) == 0) {
		tell("waiting %s", name);
		while (strcmp(place, name) == 0) {
			usleep(20000);
			read_place(place, sizeof(place));
		}
	}
	/* once more: the machine may have been saved in the middle of that line */
	for (uint32_t left = read_place(place, sizeof(place)); left; left--)
		putchar(inb(FW_CFG_PORT + 1));
	return 0;
}

int main(int argc, char **argv)
{
	char real[256], wanted[32];
	int status;

	if (argc == 3 && strcmp(argv[1], "at") == 0) {
		if (!read_point(wanted, sizeof(wanted)))
			return 0;
		tell("script %s", argv[2]);
		if (strcmp(wanted, "script") == 0 && strcmp(point.pattern, argv[2]) == 0)
			cut_power(argv[2]);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "files") == 0)
		return give_files(argv[2]);
	snprintf(real, sizeof(real), "%s.real", argv[0]);
	if (!read_point(wanted, sizeof(wanted)) || strcmp(wanted, "mark") == 0) {
		execv(real, argv);
		return 127;
	}
	command = argc > 1 ? argv[1] : "";
	point.active = strcmp(wanted, command) == 0;
	tell("run %s", command);
	status = run_followed(real, argv);
	tell("end %s %u calls, status %d%s", command, n_calls, status,
	     point.active ? ", point not reached" : "");
	return status;
}
