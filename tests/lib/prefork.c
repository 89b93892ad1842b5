/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into a program it makes it wait, once it is linked, for calls on the socket that
 * PREFORK names; each of them is a child that runs the program's main(). See prefork.py.
 *
 * A call is a message with the arguments, each with its NUL, and the files for standard
 * output and standard error. The answer is the child's status as waitpid() gives it.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 4096

typedef int main_fn(int, char **, char **);
typedef int start_fn(main_fn *, int, char **, void (*)(void), void (*)(void),
		     void (*)(void), void *);

start_fn __libc_start_main;
extern char **environ;

static main_fn *program;
static char text[1 << 17];
static char *words[WORDS_MAX + 1];

/* The length of the text, 0 if there is no further call, -1 if it is none. */
static ssize_t receive(int from, int out[2])
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *files = CMSG_FIRSTHDR(&message);

	if (len <= 0)
		return len;
	if (!files || files->cmsg_len != CMSG_LEN(2 * sizeof(int)) || text[len - 1] ||
	    message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -1;
	memcpy(out, CMSG_DATA(files), 2 * sizeof(int));
	return len;
}

static int call(ssize_t len, const int out[2])
{
	int count = 0;

	for (char *at = text; at < text + len && count < WORDS_MAX; at += strlen(at) + 1)
		words[count++] = at;
	words[count] = NULL;
	if (dup2(out[0], STDOUT_FILENO) < 0 || dup2(out[1], STDERR_FILENO) < 0)
		return 126;
	return program(count, words, environ);
}

static int serve(int argc, char **argv, char **env)
{
	const char *name = getenv("PREFORK");
	int from = name ? atoi(name) : -1, out[2], status;
	ssize_t len;

	if (from < 0)
		return program(argc, argv, env);
	/* what the program starts is linked as ever */
	unsetenv("PREFORK");
	unsetenv("LD_PRELOAD");
	while ((len = receive(from, out)) > 0) {
		pid_t child = fork();

		if (child == 0) {
			close(from);
			return call(len, out);
		}
		close(out[0]);
		close(out[1]);
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    send(from, &status, sizeof(status), 0) != sizeof(status))
			return 125;
	}
	return len ? 125 : 0;
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_fn *start = (start_fn *)dlsym(RTLD_NEXT, "__libc_start_main");

	program = main;
	return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
