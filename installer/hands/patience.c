/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "patience.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "turn.h"

#define INTERVAL_S 1 /* a device node does not tell who closes it */
#define TIMEOUT_MAX (7 * 24 * 3600)

bool patience_option(struct patience *patience, int letter, const char *value)
{
	uint64_t seconds;

	patience->when_free = true;
	if (letter == 'f')
		return true;
	if (letter != 'T' || !str_take_uint(&value, TIMEOUT_MAX, &seconds) || *value ||
	    !seconds)
		return false;
	patience->timeout_s = (unsigned)seconds;
	return true;
}

static enum handover attempt(struct context *context, handover_fn *change,
			     struct holders *holders, struct str *what)
{
	enum handover result;
	int turn = -EPERM;

	what->len = 0;
	if (!context->dry_run && !context->root.captured)
		turn = turn_take(&context->root, false);
	if (turn == -EAGAIN) {
		*holders = (struct holders){ .n = 0 };
		str_add(what, _("another vfio-claim changes hands just now; try again"));
		return HANDOVER_IN_USE;
	}
	result = change(&context->root, context->arguments[0], context->dry_run, holders,
			what);
	if (turn >= 0)
		close(turn);
	return result;
}

/* Once, and again when it is somebody else. */
static void tell(const struct holders *holders, const struct str *what, char *told,
		 size_t size)
{
	char text[1024];
	struct str s = STR_ON(text);

	if (holders->n) {
		holders_say(holders, &s);
		holders_advise(holders, &s);
	} else {
		str_add(&s, what->buf);
	}
	if (str_equal(text, told))
		return;
	fprintf(stderr, _("vfio-claim: waiting: %s\n"), text);
	str_copy(told, size, text);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

static enum handover wait_and_try(struct context *context,
				  const struct patience *patience, handover_fn *change,
				  const sigset_t *signals, struct holders *holders,
				  struct str *what)
{
	const struct timespec interval = { .tv_sec = INTERVAL_S };
	const long end = now() + patience->timeout_s;
	char told[1024] = "";
	enum handover result;

	while ((result = attempt(context, change, holders, what)) == HANDOVER_IN_USE) {
		tell(holders, what, told, sizeof(told));
		if (patience->timeout_s && now() >= end)
			break;
		if (sigtimedwait(signals, NULL, &interval) > 0) {
			what->len = 0;
			str_join(what, context->arguments[0],
				 _(": not waited for any longer; nothing was changed"),
				 NULL);
			return HANDOVER_INTERRUPTED;
		}
	}
	if (result != HANDOVER_IN_USE)
		return result;
	what->len = 0;
	str_join(what, told, _("; still so after "), NULL);
	str_add_uint(what, patience->timeout_s);
	str_add(what, _(" s: nothing was changed"));
	return result;
}

enum handover patience_run(struct context *context, const struct patience *patience,
			   handover_fn *change, struct holders *holders, struct str *what)
{
	const struct timespec at_once = { .tv_sec = 0 };
	enum handover result;
	sigset_t signals, before;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (patience->when_free && !context->dry_run)
		result = wait_and_try(context, patience, change, &signals, holders, what);
	else
		result = attempt(context, change, holders, what);
	/* what came in the middle of a change came too late */
	while (sigtimedwait(&signals, NULL, &at_once) > 0)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (result == HANDOVER_IN_USE && patience->when_free && context->dry_run) {
		str_add(what, _("; it would be waited for"));
		return HANDOVER_DONE;
	}
	return result;
}
