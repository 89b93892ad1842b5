/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu_conf.h"

#include <unistd.h>

#include "text.h"

#define BLANKS " \t"

/* ---- settings */

/* Copies a value up to its line's end, or that of its list. */
static bool take_value(const char *p, char *buf, size_t size)
{
	struct str s;
	bool quoted = false;
	const bool list = *p == '[';

	str_init(&s, buf, size);
	for (; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (!quoted && *p == '#')
			p += strcspn(p, "\n");
		if (!*p || (*p == '\n' && !list))
			break;
		str_add_char(&s, *p == '\n' ? ' ' : *p);
		if (list && !quoted && *p == ']')
			break;
	}
	while (s.len && strchr(BLANKS "\r", buf[s.len - 1]))
		buf[--s.len] = '\0';
	return !s.cut;
}

bool qemu_conf_get(struct check *c, const char *key, char *buf, size_t size)
{
	const size_t len = strlen(key);
	const char *line, *p;
	bool found = false;

	if (check_read(c, QEMU_CONF) < 0)
		return false;
	for (line = c->text; line; line = (p = strchr(line, '\n')) ? p + 1 : NULL) {
		p = line + strspn(line, BLANKS);
		if (!str_starts(p, key))
			continue;
		p += len + strspn(p + len, BLANKS);
		if (*p == '=')
			found = take_value(p + 1 + strspn(p + 1, BLANKS), buf, size);
	}
	return found;
}

bool qemu_conf_has(const char *value, const char *word)
{
	const size_t len = strlen(word);
	const char *p = value;

	while ((p = strstr(p, word))) {
		if (p > value && strchr("\"'", p[-1]) && strchr("\"'", p[len]))
			return true;
		p += len;
	}
	return false;
}

/* ---- the user */

static bool number(const char *text, uint32_t *ret)
{
	const char *p = text;
	uint64_t value;

	if (!str_take_uint(&p, UINT32_MAX - 1, &value) || *p)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static void add_group(struct qemu_user *u, const char *text)
{
	if (u->n_groups < QEMU_CONF_GROUPS && number(text, &u->groups[u->n_groups]))
		u->n_groups++;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

static bool find_user(struct check *c, struct qemu_user *u)
{
	char text[64];

	if (check_read(c, "etc/passwd") < 0)
		return false;
	for (const char *line = c->text; line; line = next_line(line)) {
		text_field(line, 0, text, sizeof(text));
		if (!str_equal(text, u->name))
			continue;
		text_field(line, 2, text, sizeof(text));
		if (!number(text, &u->uid))
			return false;
		text_field(line, 3, text, sizeof(text));
		add_group(u, text);
		return true;
	}
	return false;
}

static bool is_member(const char *line, const char *name)
{
	const size_t len = strlen(name);
	const char *p = line;

	for (unsigned n = 3; n && *p && *p != '\n'; p++)
		n -= *p == ':';
	while (*p && *p != '\n') {
		const size_t word = strcspn(p, ",\n");

		if (word == len && !memcmp(p, name, len))
			return true;
		p += word + (p[word] == ',');
	}
	return false;
}

static void find_groups(struct check *c, struct qemu_user *u)
{
	char gid[64];

	if (check_read(c, "etc/group") < 0)
		return;
	for (const char *line = c->text; line; line = next_line(line)) {
		if (!is_member(line, u->name))
			continue;
		text_field(line, 2, gid, sizeof(gid));
		add_group(u, gid);
	}
}

/* "user", user or "+1000" */
static void unquote(const char *value, char *buf, size_t size)
{
	struct str s;

	value += strspn(value, "\"'");
	str_init(&s, buf, size);
	str_add_n(&s, value, strcspn(value, "\"'"));
}

bool qemu_conf_user(struct check *c, struct qemu_user *ret)
{
	/* Debian, Ubuntu; Fedora, Arch, openSUSE */
	static const char *const usual[] = { "libvirt-qemu", "qemu" };
	char value[128];
	const char *digits;

	*ret = (struct qemu_user){ 0 };
	if (qemu_conf_get(c, "user", value, sizeof(value)))
		unquote(value, ret->name, sizeof(ret->name));
	digits = ret->name + (*ret->name == '+');
	if (number(digits, &ret->uid))
		ret->known = true;
	else if (*ret->name)
		ret->known = find_user(c, ret);
	for (size_t i = 0; !*ret->name && i < ARRAY_SIZE(usual); i++) {
		str_copy(ret->name, sizeof(ret->name), usual[i]);
		ret->known = find_user(c, ret);
		if (!ret->known)
			*ret->name = '\0';
	}
	ret->root = ret->known && ret->uid == 0;
	if (ret->known)
		find_groups(c, ret);
	return *ret->name != '\0';
}

static bool may_here(const struct qemu_user *u, const struct stat *st, unsigned want)
{
	if (u->uid == st->st_uid)
		return (st->st_mode >> 6 & want) == want;
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == st->st_gid)
			return (st->st_mode >> 3 & want) == want;
	return (st->st_mode & want) == want;
}

bool qemu_user_may(const struct check *c, const struct qemu_user *user, const char *path,
		   int want)
{
	char folder[CHECK_PATH_MAX];
	struct stat st;

	if (user->root)
		return true;
	/* each folder on the way is searched */
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		struct str s = STR_ON(folder);

		str_add_n(&s, path, (size_t)(p - path));
		if (check_stat(c, folder, &st) == 0 && !may_here(user, &st, X_OK))
			return false;
	}
	return check_stat(c, path, &st) < 0 || may_here(user, &st, (unsigned)want);
}
