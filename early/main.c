/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim-early: gives the functions of /etc/vfio-claim.conf to vfio-pci before any
 * other driver can load. Its exit status is 0 unless its arguments are wrong: no boot
 * fails because of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "kmod.h"
#include "say.h"
#include "settle.h"
#include "state.h"
#include "worker.h"

#ifndef VERSION
#error VERSION is set by the Makefile
#endif

#define DEADLINE_MS 10000
#define RECOVER_MS 2000

static const char usage[] =
	"Usage: vfio-claim-early start|settle [OPTION]...\n"
	"       vfio-claim-early event add|remove ADDRESS [OPTION]...\n"
	"\n"
	"Gives the PCI functions of /etc/vfio-claim.conf to vfio-pci, or says why the\n"
	"host keeps them. Made for the initramfs:\n"
	"\n"
	"  start           before udev runs; counts the boot in an EFI variable\n"
	"  settle          once disks are there; counts it on the boot partition, binds\n"
	"                  what start holds, and looks for vfio-claim.off\n"
	"  event           for udev: a function came or went; claims it late\n"
	"\n"
	"  --wait          settle: wait for every partition that is looked at, 7 s in all\n"
	"  --root DIR      a captured machine below DIR instead of this one\n"
	"  --config FILE   instead of etc/vfio-claim.conf below the root\n"
	"  --cmdline FILE  instead of proc/cmdline below the root\n"
	"  --report FILE   instead of run/vfio-claim/report.json below the root\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"\n"
	"The kernel argument vfio_claim=off leaves everything to the host.\n"
	"See vfio-claim-early(8) and vfio-claim.conf(5).\n";

struct arguments {
	const char *root, *config, *cmdline, *report;
	bool wait;
	struct pci_address address;
	bool removed;
};

static void put(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static int wrong(const char *what, const char *word)
{
	put(STDERR_FILENO, "vfio-claim-early: ");
	put(STDERR_FILENO, what);
	put(STDERR_FILENO, word);
	put(STDERR_FILENO, "\nTry 'vfio-claim-early --help'.\n");
	return 2;
}

/* What udev says, behind "event". */
static int parse_event(int argc, char **argv, struct arguments *ret)
{
	if (argc < 4)
		return wrong("event: what happened, and to which function?", "");
	ret->removed = str_equal(argv[2], "remove");
	if (!ret->removed && !str_equal(argv[2], "add"))
		return wrong("event: neither add nor remove: ", argv[2]);
	if (!pci_address_parse(argv[3], &ret->address))
		return wrong("event: no address as DDDD:BB:DD.F: ", argv[3]);
	return 0;
}

static int parse(int argc, char **argv, int first, struct arguments *ret)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = {
		{ "--root", &ret->root },
		{ "--config", &ret->config },
		{ "--cmdline", &ret->cmdline },
		{ "--report", &ret->report },
	};

	for (int i = first; i < argc; i++) {
		size_t o, len = 0;

		if (!strcmp(argv[i], "--wait")) {
			ret->wait = true;
			continue;
		}
		for (o = 0; o < ARRAY_SIZE(options); o++) {
			len = strlen(options[o].name);
			if (!strncmp(argv[i], options[o].name, len) &&
			    (!argv[i][len] || argv[i][len] == '='))
				break;
		}
		if (o == ARRAY_SIZE(options))
			return wrong("unknown argument: ", argv[i]);
		if (argv[i][len] == '=')
			*options[o].value = argv[i] + len + 1;
		else if (i + 1 < argc)
			*options[o].value = argv[++i];
		else
			return wrong("a value is missing behind ", argv[i]);
		if (!**options[o].value)
			return wrong("an empty value for ", options[o].name);
	}
	return 0;
}

struct stage {
	const char *name;
	void (*run)(void *arg);
	void (*recover)(void *arg); /* after a worker that did not come to its end */
	/* what earlier stages left; NULL: there is none */
	int (*load)(struct fs *root, struct start_state *ret);
};

static void run_start(void *arg)
{
	start_run(arg);
}

/* A worker that hangs for ever must not keep it. */
static void leave_lock(const struct start *start)
{
	if (start->lock >= 0)
		close(start->lock);
}

static void run_settle(void *arg)
{
	leave_lock(arg);
	settle_run(arg);
}

static void run_event(void *arg)
{
	leave_lock(arg);
	event_run(arg);
}

static void recover(void *arg)
{
	start_recover(arg);
}

static void recover_event(void *arg)
{
	event_recover(arg);
}

static const struct stage stages[] = {
	{ "start", run_start, recover, NULL },
	{ "settle", run_settle, recover, state_take },
	{ "event", run_event, recover_event, state_load },
};

/* The worker did not come to its end: what it did not finish is undone and reported. */
static void give_up(struct start *start, const struct stage *stage, enum worker_end end)
{
	struct report *report = &start->state->report;
	char detail[REPORT_DETAIL_LEN];
	struct str s = STR_ON(detail);

	str_join(&s, end == WORKER_LATE ? "no end after 10 s" : "the worker died",
		 ", at: ", start->state->log.step[0] ? start->state->log.step : "reading",
		 NULL);
	if (worker_run(stage->recover, start, RECOVER_MS) == WORKER_DONE)
		str_add(&s, report->detail);
	else
		str_add(&s, "; NOT given back: that did not end either");
	report_warn(report, reason_name(REASON_DEADLINE), detail);
	if (report->n_claims == 0) {
		report->reason = REASON_DEADLINE;
		str_copy(report->detail, sizeof(report->detail), detail);
	}
	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].reason == REASON_DEADLINE)
			str_copy(report->claims[i].detail,
				 sizeof(report->claims[i].detail), detail);
	report_summarise(report);
}

static void bounded(struct start *start, const struct stage *stage,
		    const struct arguments *a)
{
	struct report *report = &start->state->report;
	struct timespec begin, now;
	enum worker_end end;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	report->stage = stage->name;
	str_copy(report->kernel, sizeof(report->kernel), start->release);
	end = worker_run(stage->run, start, DEADLINE_MS);
	if (end != WORKER_DONE)
		give_up(start, stage, end);
	else if (start->state->nothing_new)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	report->elapsed_us = (uint64_t)((now.tv_sec - begin.tv_sec) * 1000000 +
					(now.tv_nsec - begin.tv_nsec) / 1000);
	if (a->report)
		r = report_write(start->here, a->report, report);
	else
		r = report_write(start->root, REPORT_PATH, report);
	say_report(start->root, report);
	if (r < 0)
		say_line(start->root, 4, "the report cannot be written");
}

static int load(struct start *start, const struct stage *stage)
{
	static struct report before;
	const bool event = stage->run == run_event;
	int r;

	/* there is no state while settle has it, but it may leave one */
	r = start->root->ops->exists(start->root,
				     event ? REPORT_AWAITED_PATH : STATE_PATH);
	if (r < 0)
		return r;
	start->lock = state_lock(start->root);
	/* settle goes on without it: what is held must not stay so */
	if (start->lock < 0 && event)
		return start->lock;
	r = stage->load(start->root, start->state);
	before = start->state->report;
	start->before = &before;
	return r;
}

static void say_unusable(struct start *start, const struct stage *stage, int error)
{
	char text[200];
	struct str s = STR_ON(text);

	if (stage->run == run_event) {
		pci_address_add(&s, start->address);
		str_join(&s, start->removed ? " went" : " came",
			 " and is not looked at: ", NULL);
	}
	str_join(&s, "/" STATE_PATH " cannot be used: ", str_errno(error), NULL);
	if (stage->run == run_event && !start->removed)
		str_add(&s, "; later \"vfio-claim claim\" takes it");
	say_line(start->root, 4, text);
}

/* True if there is something to do. */
static bool prepare(struct start *start, const struct stage *stage)
{
	int r;

	start->state = mmap(NULL, sizeof(*start->state), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start->state == MAP_FAILED) {
		say_line(start->root, 4, "the host keeps everything: out of memory");
		return false;
	}
	r = stage->load ? load(start, stage) : 0;
	if (r < 0 && r != -ENOENT)
		say_unusable(start, stage, r);
	return r == 0;
}

static int run(const struct stage *stage, const struct arguments *a)
{
	static struct start_work work;
	struct fs here, root;
	struct start start = {
		.root = &root,
		.here = &here,
		.config = a->config,
		.cmdline = a->cmdline,
		.finder = partition_finder_blkid(),
		.work = &work,
		.address = a->address,
		.removed = a->removed,
		.lock = -1,
	};
	int r;

	r = fs_init(&root, a->root);
	if (r < 0)
		return wrong("cannot open the root: ", a->root);
	fs_init_here(&here);
	machine_release(&root, start.release);
	start.wait = a->wait;
	start.loader = module_loader_kmod(&root, start.release);
	if (prepare(&start, stage))
		bounded(&start, stage, a);
	fs_finish(&root);
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments a = { .root = "/" };
	int r = 0;

	if (argc >= 2 && (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))) {
		put(STDOUT_FILENO, usage);
		return 0;
	}
	if (argc >= 2 && str_equal(argv[1], "--version")) {
		put(STDOUT_FILENO, "vfio-claim-early " VERSION "\n");
		return 0;
	}
	if (argc < 2)
		return wrong("a command is missing", "");
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (!str_equal(argv[1], stages[i].name))
			continue;
		if (stages[i].run == run_event)
			r = parse_event(argc, argv, &a);
		if (r == 0)
			r = parse(argc, argv, stages[i].run == run_event ? 4 : 2, &a);
		return r ? r : run(&stages[i], &a);
	}
	return wrong("unknown command: ", argv[1]);
}
