// SPDX-License-Identifier: GPL-2.0-or-later
#include "preset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot_read.h"
#include "text.h"

#define VALUE_MAX FS_PATH_MAX

struct assign {
	const char *name;
	size_t name_len;
	bool append, unsure; /* something is put in by the shell */
	char value[VALUE_MAX]; /* words of an array, each on a line */
};

struct cursor {
	const char *at;
	unsigned line;
};

static char take(struct cursor *c)
{
	if (*c->at == '\n')
		c->line++;
	return *c->at++;
}

static void skip_blanks(struct cursor *c, const char *blanks)
{
	for (;;) {
		while (*c->at && strchr(blanks, *c->at))
			take(c);
		if (*c->at != '#')
			return;
		c->at += strcspn(c->at, "\n");
	}
}

static bool is_name(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

/* Up to a blank or what ends a command. */
static int take_word(struct cursor *c, struct assign *a, struct str *value)
{
	char quote = '\0';

	while (*c->at && (quote || !strchr(" \t\n;()", *c->at))) {
		const char ch = take(c);

		if (quote ? ch == quote : ch == '"' || ch == '\'')
			quote = quote ? '\0' : ch;
		else if (ch == '`' || ch == '&' || ch == '|' || ch == '<' || ch == '>' ||
			 (quote != '\'' && (ch == '$' || ch == '\\')))
			a->unsure = true;
		else
			str_add_char(value, ch);
	}
	return quote ? -EPROTO : 0;
}

static int take_array(struct cursor *c, struct assign *a, struct str *value)
{
	int r = 0;

	take(c);
	for (;;) {
		skip_blanks(c, " \t\n");
		/* no word begins with these, and none would be taken for ever */
		if (r < 0 || !*c->at || *c->at == '(' || *c->at == ';')
			return -EPROTO;
		if (*c->at == ')')
			break;
		str_add(value, value->len ? "\n" : "");
		r = take_word(c, a, value);
	}
	take(c);
	return 0;
}

/* 1 with the next assignment, 0 at the end, -EPROTO where something else stands. */
static int next(struct cursor *c, struct assign *ret)
{
	struct str value = STR_ON(ret->value);
	size_t n = 0;
	int r;

	skip_blanks(c, " \t\n;");
	if (!*c->at)
		return 0;
	ret->name = c->at;
	ret->unsure = false;
	while (is_name(ret->name[n], n == 0))
		n++;
	ret->name_len = n;
	ret->append = ret->name[n] == '+';
	c->at += n + ret->append;
	if (!n || *c->at != '=')
		return -EPROTO;
	take(c);
	r = *c->at == '(' ? take_array(c, ret, &value) : take_word(c, ret, &value);
	if (r < 0 || value.cut)
		return -EPROTO;
	c->at += strspn(c->at, " \t");
	return *c->at && !strchr("\n;#", *c->at) ? -EPROTO : 1;
}

/* ---- one preset file */

struct preset {
	const char *path, *text;
	struct str *why;
	char names[VALUE_MAX], kernel[VALUE_MAX], config[VALUE_MAX], options[VALUE_MAX];
	char cmdline[VALUE_MAX], image[VALUE_MAX];
};

static int fail(const struct preset *p, unsigned line, const char *reason)
{
	boot_at(p->why, p->path, line, reason);
	return -EPROTO;
}

/* What a variable ends up as, "" where it is never set. Names are joined: P_kver. */
static int get(const struct preset *p, const char *prefix, const char *key, char *ret)
{
	char text[256];
	struct str name = STR_ON(text), value;
	struct cursor c = { p->text, 1 };
	bool unsure = false;
	struct assign a;
	int r;

	str_init(&value, ret, VALUE_MAX);
	str_join(&name, prefix, key, NULL);
	while ((r = next(&c, &a)) > 0) {
		if (name.cut || a.name_len != name.len ||
		    memcmp(a.name, text, name.len) != 0)
			continue;
		if (!a.append)
			str_init(&value, ret, VALUE_MAX);
		else if (value.len)
			str_add_char(&value, '\n');
		unsure = a.unsure || (unsure && a.append);
		str_add(&value, a.value);
	}
	if (r < 0)
		return fail(p, c.line, _("it is more than plain assignments"));
	if (unsure || value.cut)
		return fail(p, 0, _("a value in it cannot be known without the shell"));
	return 0;
}

/* PRESET_key, or ALL_key. */
static int get_either(const struct preset *p, const char *preset, const char *key,
		      char *ret)
{
	int r = get(p, preset, key, ret);

	return r == 0 && !*ret ? get(p, "ALL", key, ret) : r;
}

static int call(struct preset *p, const char *name, bool unified, preset_fn *fn,
		void *arg)
{
	const struct preset_image image = {
		.file = p->path,
		.name = name,
		.kernel = p->kernel,
		.config = p->config + strspn(p->config, "/"),
		.options = p->options,
		.cmdline = p->cmdline,
		.path = p->image + strspn(p->image, "/"),
		.unified = unified,
	};

	if (!*image.path)
		return 0;
	/* mkinitcpio would take it from where it was called */
	if (*p->image != '/' || !path_is_plain(image.path))
		return fail(p, 0, _("an image in it has no absolute path"));
	return fn(arg, &image);
}

static int each_of_preset(struct preset *p, const char *file, const char *preset,
			  preset_fn *fn, void *arg)
{
	int r = get_either(p, preset, "_kver", p->kernel);

	if (r == 0)
		r = get_either(p, preset, "_config", p->config);
	if (r == 0)
		r = get(p, preset, "_options", p->options);
	if (r == 0)
		r = get_either(p, preset, "_cmdline", p->cmdline);
	if (r == 0)
		r = get(p, preset, "_image", p->image);
	if (r == 0)
		r = call(p, file, false, fn, arg);
	if (r == 0)
		r = get(p, preset, "_uki", p->image);
	/* as it was called before version 36 */
	if (r == 0 && !*p->image)
		r = get(p, preset, "_efi_image", p->image);
	return r == 0 ? call(p, file, true, fn, arg) : r;
}

static int each_of_file(struct preset *p, const char *file, preset_fn *fn, void *arg)
{
	char *save = NULL;
	int r = get(p, "", "PRESETS", p->names);

	for (char *name = r == 0 ? strtok_r(p->names, "\n", &save) : NULL; name && r == 0;
	     name = strtok_r(NULL, "\n", &save))
		r = each_of_preset(p, file, name, fn, arg);
	return r;
}

int preset_each(struct fs *root, preset_fn *fn, void *arg, struct str *why)
{
	NAMES_OWNED struct name_list names = { 0 };
	int r = name_list_find(root, PRESETS, ".preset", &names);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		TEXT_OWNED char *text = NULL;
		char path[FS_PATH_MAX], file[256];
		struct str s = STR_ON(path);
		struct preset *p;

		str_join(&s, PRESETS "/", names.names[i], NULL);
		str_copy(file, sizeof(file), names.names[i]);
		*strrchr(file, '.') = '\0';
		r = boot_look(root, path, &text);
		if (r < 0) {
			boot_at(why, path, 0, boot_reason(r));
			return r;
		}
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->path = path;
		p->text = text;
		p->why = why;
		r = each_of_file(p, file, fn, arg);
		free(p);
	}
	return r;
}
