// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-claim images: whether the image of every installed kernel is as the configuration
 * wants it. For the hook that runs after an image was built.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "command.h"
#include "conf.h"
#include "initramfs.h"
#include "text.h"

#define WHY_MAX 2304

static const char *only, *only_image; /* --kernel, --image */

struct images {
	struct fs *root;
	const struct initramfs *generator;
	bool wanted; /* no configuration: nothing of ours may be there */
	bool colour;
	struct json_object *list; /* NULL: in words */
};

/* ---- one image */

static void print_image(const struct images *images, const char *release, int r,
			const char *why)
{
	printf("%s: ", release);
	text_print(stdout, images->colour, r == 0 ? TEXT_GOOD : TEXT_BAD, "%s",
		   r == 0 ? _("ok") : _("problem"));
	if (r < 0)
		printf(": %s\n", why);
	else
		printf(": %s\n", images->wanted ? _("it holds what the next boot needs")
						: _("it holds nothing of vfio-claim"));
}

static void add_image(const struct images *images, const char *release, int r,
		      const char *why)
{
	struct json_object *image = json_object_new_object();
	char path[FS_PATH_MAX];

	json_object_object_add(image, "kernel", json_object_new_string(release));
	json_object_object_add(
		image, "image",
		only_image || images->generator->image(images->root, release, 0, path,
						       sizeof(path)) == 0
			? json_object_new_string(only_image ? only_image : path)
			: NULL);
	json_object_object_add(image, "ok", json_object_new_boolean(r == 0));
	json_object_object_add(image, "detail",
			       r < 0 ? json_object_new_string(why) : NULL);
	json_object_array_add(images->list, image);
}

static bool check_image(const struct images *images, const char *release)
{
	char text[WHY_MAX];
	struct str why = STR_ON(text);
	const int r = only_image ? initramfs_check_image(images->root, images->generator,
							 release, only_image,
							 images->wanted, &why)
				 : initramfs_check(images->root, images->generator,
						   release, images->wanted, &why);

	if (r < 0 && !why.len)
		str_add(&why, str_errno(r));
	if (images->list)
		add_image(images, release, r, text);
	else
		print_image(images, release, r, text);
	return r == 0;
}

/* ---- all of them */

static int complain(const char *what)
{
	fprintf(stderr, "vfio-claim: %s\n", what);
	return EXIT_REFUSED;
}

static int check_all(const struct images *images)
{
	struct initramfs_kernels kernels;
	bool good = true, any = false;
	int r;

	if (only)
		return check_image(images, only) ? EXIT_DONE : EXIT_REFUSED;
	r = initramfs_kernels(images->root, &kernels);
	if (r < 0) {
		fprintf(stderr, _("vfio-claim: /lib/modules: %s\n"), str_errno(r));
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < kernels.n; i++) {
		if (!initramfs_boots(images->root, kernels.release[i]))
			continue;
		good = check_image(images, kernels.release[i]) && good;
		any = true;
	}
	if (!any)
		return complain(_("no installed kernel was found"));
	return good ? EXIT_DONE : EXIT_REFUSED;
}

static void print_json(const struct images *images)
{
	struct json_object *all = json_object_new_object();

	json_object_object_add(all, "version", json_object_new_int(1));
	json_object_object_add(all, "generator",
			       json_object_new_string(images->generator->name));
	json_object_object_add(all, "wanted", json_object_new_boolean(images->wanted));
	json_object_object_add(all, "images", images->list);
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

static int run(struct context *context)
{
	struct fs *root = &context->root;
	struct images images = { .root = root, .colour = context->colour };
	char evidence_text[512], why_text[512];
	struct str evidence = STR_ON(evidence_text), why = STR_ON(why_text);
	int status;

	if (only_image && !only)
		return complain(_("--image needs the kernel's release: --kernel"));
	images.generator = initramfs_find(root, &evidence, &why);
	if (!images.generator)
		return complain(why_text);
	images.wanted = root->ops->exists(root, CONF_PATH) != -ENOENT;
	if (context->json)
		images.list = json_object_new_array();
	status = check_all(&images);
	if (context->json)
		print_json(&images);
	return status;
}

static bool take_option(int option, const char *value)
{
	if (option == 'i') {
		only_image = value + strspn(value, "/");
		return *value == '/' && *only_image;
	}
	only = value;
	return option == 'k' && initramfs_release_is_sane(value);
}

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "image", required_argument, NULL, 'i' },
	COMMON_OPTIONS,
};

const struct command cmd_images = {
	.name = "images",
	.summary = "Whether the initramfs of every kernel holds what it should",
	.help = "  --kernel REL    of this release only\n"
		"  --image FILE    in this file, with --kernel\n",
	.options = options,
	.option = take_option,
	.run = run,
	.hidden = true,
};
