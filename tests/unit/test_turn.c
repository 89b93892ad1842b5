/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nobody changes hands while what comes late is claimed, nor the other way round. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "handover.h"
#include "release.h"
#include "state.h"
#include "turn.h"

static struct fs root;
static struct holders holders;
static char text[1024];

static void file(const char *name)
{
	const int fd = openat(root.root_fd, name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool awaited(void)
{
	return faccessat(root.root_fd, REPORT_AWAITED_PATH, F_OK, 0) == 0;
}

static int begin(void **state)
{
	(void)state;
	assert_int_equal(fs_init(&root, getenv("UNIT_TMP")), 0);
	root.captured = false;
	(void)mkdirat(root.root_fd, "run", 0755);
	(void)mkdirat(root.root_fd, "run/vfio-claim", 0755);
	file(REPORT_AWAITED_PATH);
	fake_slept_ms = 0;
	text[0] = '\0';
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_finish(&root);
	return 0;
}

static void an_event_is_waited_for(void **state)
{
	static const struct {
		handover_fn *change;
		bool dry_run;
		enum handover result;
	} cases[] = {
		{ handover_claim, false, HANDOVER_IN_USE },
		{ handover_release, false, HANDOVER_IN_USE },
		/* there is no such claim */
		{ handover_claim, true, HANDOVER_REFUSED },
		{ handover_release, true, HANDOVER_REFUSED },
	};
	const int event = state_lock(&root);

	(void)state;
	assert_true(event >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const bool waits = cases[i].result == HANDOVER_IN_USE;
		struct str what = STR_ON(text);

		fake_slept_ms = 0;
		assert_int_equal(cases[i].change(&root, "gaming", cases[i].dry_run,
						 &holders, &what),
				 cases[i].result);
		assert_int_equal(fake_slept_ms, waits ? 14000 : 0);
		assert_int_equal(strstr(text, "try again") != NULL, waits);
		assert_true(awaited());
	}
	close(event);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str what = STR_ON(text);

		assert_int_equal(cases[i].change(&root, "gaming", false, &holders, &what),
				 HANDOVER_REFUSED);
	}
	assert_int_equal(turn_keep_out(&root), 0);
	turn_let_in();
}

/* A boot that was not good goes back all the same. */
static void the_screen_does_not_wait_for_ever(void **state)
{
	static struct report boot;
	const int event = state_lock(&root);
	struct str what = STR_ON(text);

	(void)state;
	boot = (struct report){ .stage = "start", .n_claims = 1, .n_functions = 1 };
	boot.claims[0] = (struct report_claim){ .name = "gaming",
						.outcome = OUTCOME_CLAIMED,
						.n = 1 };
	assert_true(event >= 0);
	assert_int_equal(release_all(&root, &boot, &what), VERDICT_RELEASED);
	assert_int_equal(fake_slept_ms, 14000);
	assert_contains(text, "still being claimed, and may stay so; gaming was given");
	assert_false(awaited());
	close(event);
	what = STR_ON(text);
	assert_int_equal(release_all(&root, &boot, &what), VERDICT_RELEASED);
	assert_int_equal(fake_slept_ms, 14000);
}

static void an_event_waits(void **state)
{
	int event;

	(void)state;
	assert_int_equal(turn_keep_out(&root), 0);
	assert_int_equal(state_lock(&root), -EBUSY);
	turn_let_in();
	turn_let_in();
	event = state_lock(&root);
	assert_true(event >= 0);
	close(event);
}

static void a_stuck_worker_does_not_keep_it(void **state)
{
	int ends[2], event;
	char done;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(turn_keep_out(&root), 0);
	pid = fork();
	if (pid == 0) {
		turn_let_in();
		(void)!write(ends[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &done, 1), 1);
	/* the copy alone is gone */
	assert_int_equal(state_lock(&root), -EBUSY);
	turn_let_in();
	event = state_lock(&root);
	assert_true(event >= 0);
	close(event);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_is_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(the_screen_does_not_wait_for_ever, begin,
						end),
		cmocka_unit_test_setup_teardown(an_event_waits, begin, end),
		cmocka_unit_test_setup_teardown(a_stuck_worker_does_not_keep_it, begin,
						end),
	};

	return UNIT_RUN(tests);
}
