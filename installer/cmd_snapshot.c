/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim snapshot: this machine as an archive that --root replays once it is
 * unpacked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "snapshot.h"
#include "command.h"
#include "text.h"

static bool scrubbed, force;

struct output {
	int dir, fd;
	const char *name; /* in dir */
	char *temporary; /* "-": NULL */
};

static int say(const char *file, int error)
{
	fprintf(stderr, _("vfio-claim: %s: %s\n"), file, strerror(-error));
	return EXIT_REFUSED;
}

static int open_folder(const char *file, const char **name)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	int fd;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(folder);
	*name = slash ? slash + 1 : file;
	return fd;
}

/* 0600: it holds what only root could read, as the addresses in /proc/iomem. */
static int make_temporary(struct output *out)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	if (asprintf(&out->temporary, ".%s.new", out->name) < 0) {
		out->temporary = NULL;
		return -ENOMEM;
	}
	out->fd = openat(out->dir, out->temporary, flags, 0600);
	/* what a killed run left behind */
	if (out->fd < 0 && errno == EEXIST && unlinkat(out->dir, out->temporary, 0) == 0)
		out->fd = openat(out->dir, out->temporary, flags, 0600);
	return out->fd < 0 ? -errno : 0;
}

static int open_output(const char *file, struct output *out)
{
	*out = (struct output){ .dir = -1, .fd = STDOUT_FILENO };
	if (str_equal(file, "-"))
		return 0;
	out->fd = -1;
	out->dir = open_folder(file, &out->name);
	if (out->dir < 0)
		return out->dir;
	if (!force && faccessat(out->dir, out->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return make_temporary(out);
}

/* Under its own name once it is whole and on the disk. */
static int publish(const struct output *out)
{
	if (fsync(out->fd) < 0)
		return -errno;
	if (renameat2(out->dir, out->temporary, out->dir, out->name,
		      force ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	/* a file system that cannot keep out another's: it was not there before */
	if (errno == EINVAL &&
	    renameat(out->dir, out->temporary, out->dir, out->name) == 0)
		return 0;
	return -errno;
}

static void close_output(struct output *out, bool done)
{
	if (out->temporary) {
		if (out->fd >= 0)
			close(out->fd);
		if (!done && out->fd >= 0)
			unlinkat(out->dir, out->temporary, 0);
		free(out->temporary);
	}
	if (out->dir >= 0)
		close(out->dir);
}

static int write_snapshot(struct fs *root, enum snapshot_how how, int fd,
			  struct snapshot_result *result)
{
	struct inventory inventory;
	struct scrub *scrub = NULL;
	int r;

	r = inventory_take(&inventory, root);
	if (r == 0 && scrubbed)
		r = scrub_new(root, &scrub);
	if (r == 0)
		r = snapshot_write(&inventory, scrub, how, fd, result);
	scrub_free(scrub);
	inventory_finish(&inventory);
	return r;
}

static int print_json(const char *file, const struct snapshot_result *result)
{
	struct json_object *o = json_object_new_object();
	const char *text;

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "entries",
			       json_object_new_int64((int64_t)result->written));
	json_object_object_add(o, "unreadable",
			       json_object_new_int64((int64_t)result->unreadable));
	json_object_object_add(o, "scrubbed", json_object_new_boolean(scrubbed));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		puts(text);
	json_object_put(o);
	return text ? EXIT_DONE : EXIT_REFUSED;
}

static int report(const struct context *context, const char *file,
		  const struct snapshot_result *result)
{
	char name[512];

	if (result->unreadable)
		fprintf(stderr,
			ngettext(
				"vfio-claim: %zu file could not be read and is missing%s\n",
				"vfio-claim: %zu files could not be read and are missing%s\n",
				result->unreadable),
			result->unreadable,
			geteuid() ? _("; run it as root for all of them") : "");
	if (str_equal(file, "-"))
		return EXIT_DONE;
	text_clean(name, sizeof(name), file);
	if (context->json)
		return print_json(name, result);
	printf(_("%s: %zu entries. To look at it elsewhere:\n"
		 "  mkdir machine && tar -xf %s -C machine\n"
		 "  vfio-claim list --root machine\n"),
	       name, result->written, name);
	if (!scrubbed)
		puts(_("It holds serial numbers, UUIDs and the host's name; --scrub "
		       "replaces them."));
	return EXIT_DONE;
}

static int run(struct context *context)
{
	enum snapshot_how how = SNAPSHOT_PLAIN;
	struct snapshot_result result;
	struct output out;
	const char *file;
	char text[640];
	struct str why = STR_ON(text);
	int r;

	if (context->n_arguments != 1) {
		fputs(_("vfio-claim: snapshot takes one FILE\n"), stderr);
		return EXIT_USAGE;
	}
	file = context->arguments[0];
	if (!str_equal(file, "-") && !snapshot_how(file, &how)) {
		fprintf(stderr,
			_("vfio-claim: %s: its name must end in .tar, .tar.gz or "
			  ".tar.zst\n"),
			file);
		return EXIT_USAGE;
	}
	if (str_equal(file, "-") && isatty(STDOUT_FILENO)) {
		fputs(_("vfio-claim: an archive is not for a terminal; name a FILE\n"),
		      stderr);
		return EXIT_USAGE;
	}
	if (snapshot_ready(&why) < 0) {
		fprintf(stderr, "vfio-claim: %s\n", text);
		return EXIT_REFUSED;
	}
	r = open_output(file, &out);
	if (r == 0)
		r = write_snapshot(&context->root, how, out.fd, &result);
	if (r == 0 && out.temporary)
		r = publish(&out);
	close_output(&out, r == 0);
	if (r == -EEXIST && !force) {
		fprintf(stderr, _("vfio-claim: %s exists already; --force replaces it\n"),
			file);
		return EXIT_REFUSED;
	}
	return r < 0 ? say(file, r) : report(context, file, &result);
}

static bool option(int c, const char *value)
{
	(void)value;
	if (c == 's')
		scrubbed = true;
	else
		force = true;
	return true;
}

static const struct option options[] = {
	{ "scrub", no_argument, NULL, 's' },
	{ "force", no_argument, NULL, 'f' },
	COMMON_OPTIONS,
};

const struct command cmd_snapshot = {
	.name = "snapshot",
	.summary = N_("This machine as an archive, for bug reports: --root replays it"),
	.arguments = "FILE",
	.help = N_("  FILE            .tar, .tar.gz or .tar.zst; - is stdout\n"
		   "  --scrub         replace serial numbers, UUIDs and the host's name\n"
		   "  --force         replace FILE if it exists\n"),
	.options = options,
	.option = option,
	.run = run,
};
