/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

static volatile int *shared;

static int begin(void **state)
{
	(void)state;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED;
}

static int finish(void **state)
{
	(void)state;
	return munmap((void *)shared, 4096);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void store(void *arg)
{
	*shared = *(int *)arg;
}

static void die(void *arg)
{
	*shared = 1;
	raise(*(int *)arg);
}

static void hang(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void ignore_and_hang(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	hang(arg);
}

static void late_store(void *arg)
{
	(void)arg;
	usleep(150 * 1000);
	*shared = 5;
}

static void it_ends(void **state)
{
	int value = 42;

	(void)state;
	assert_int_equal(worker_run(store, &value, 10000), WORKER_DONE);
	assert_int_equal(*shared, 42);
	/* and is reaped */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void it_takes_its_time(void **state)
{
	(void)state;
	assert_int_equal(worker_run(late_store, NULL, 10000), WORKER_DONE);
	assert_int_equal(*shared, 5);
}

static void it_dies(void **state)
{
	int signals[] = { SIGKILL, SIGSEGV, SIGTERM };

	(void)state;
	/* the sanitizer would make an exit out of it */
	signal(SIGSEGV, SIG_DFL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(worker_run(die, &signals[i], 10000), WORKER_DIED);
		assert_int_equal(*shared, 1);
	}
}

static void it_is_late(void **state)
{
	void (*const workers[])(void *) = { hang, ignore_and_hang };
	long begun;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begun = now_ms();
		assert_int_equal(worker_run(workers[i], NULL, 100), WORKER_LATE);
		assert_in_range(now_ms() - begun, 100, 5000);
		/* killed: it does nothing any more */
		assert_true(waitpid(-1, NULL, 0) > 0);
		assert_int_equal(waitpid(-1, NULL, 0), -1);
	}
}

static void no_time_at_all(void **state)
{
	(void)state;
	assert_int_equal(worker_run(hang, NULL, 0), WORKER_LATE);
	assert_true(waitpid(-1, NULL, 0) > 0);
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void no_descriptor_is_left_open(void **state)
{
	unsigned before = open_files();
	int value = 1;

	(void)state;
	assert_int_equal(worker_run(store, &value, 1000), WORKER_DONE);
	assert_int_equal(worker_run(hang, NULL, 1), WORKER_LATE);
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_int_equal(open_files(), before);
}

int main(void)
{
#define SHARED(test) cmocka_unit_test_setup_teardown(test, begin, finish)
	const struct CMUnitTest tests[] = {
		SHARED(it_ends),	SHARED(it_takes_its_time),
		SHARED(it_dies),	SHARED(it_is_late),
		SHARED(no_time_at_all), SHARED(no_descriptor_is_left_open),
	};

	return UNIT_RUN(tests);
}
