/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "holders.h"

#include <json-c/json.h>

#include "slurp.h"
#include "text.h"

#define SAID 4 /* holders in a sentence */
#define COMMAND_LINE_MAX (128 * 1024)

/* What is known of a command, by the 15 bytes that /proc/PID/comm has of its name. */
static const struct known {
	const char *command, *role, *advice;
} known[] = {
#define DESKTOP "desktop", N_("log out of the desktop, or stop the display manager")
	{ "Xorg", DESKTOP },
	{ "Xwayland", DESKTOP },
	{ "gnome-shell", DESKTOP },
	{ "kwin_wayland", DESKTOP },
	{ "kwin_x11", DESKTOP },
	{ "plasmashell", DESKTOP },
	{ "cosmic-comp", DESKTOP },
	{ "sway", DESKTOP },
	{ "Hyprland", DESKTOP },
	{ "labwc", DESKTOP },
	{ "niri", DESKTOP },
	{ "river", DESKTOP },
	{ "wayfire", DESKTOP },
	{ "weston", DESKTOP },
	{ "cage", DESKTOP },
	{ "gamescope", DESKTOP },
	{ "systemd-logind", DESKTOP }, /* for the session's compositor */
#undef DESKTOP
#define SOUND                                                                \
	"sound", N_("stop the sound server (systemctl --user stop pipewire " \
		    "pipewire.socket wireplumber)")
	{ "pipewire", SOUND },
	{ "pipewire-pulse", SOUND },
	{ "wireplumber", SOUND },
	{ "pulseaudio", SOUND },
#undef SOUND
	{ "nvidia-persiste", "daemon", N_("systemctl stop nvidia-persistenced") },
};

static const struct known guest = {
	.role = "guest",
	.advice = N_("shut the guest down"),
};

static const struct known *known_of(const struct holder *h)
{
	if (h->guest[0])
		return &guest;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_equal(h->command, known[i].command))
			return &known[i];
	return NULL;
}

/* ---- what a process is */

/* "guest=win,debug-threads=on" or "win", as qemu(1) takes it behind -name */
static void take_guest(const char *name, char *ret, size_t size)
{
	char text[128];

	for (const char *c = name; c; c = strchr(c, ',')) {
		c += *c == ',';
		if (str_starts(c, "guest="))
			name = c + strlen("guest=");
	}
	str_copy(text, sizeof(text), name);
	text[strcspn(text, ",")] = '\0';
	text_clean(ret, size, text);
}

static void find_guest(struct fs *root, const char *pid, char *ret, size_t size)
{
	char path[FS_PATH_MAX];
	TEXT_OWNED char *text = NULL;
	struct str p = STR_ON(path);
	size_t len;

	str_join(&p, "proc/", pid, "/cmdline", NULL);
	if (slurp(root, path, COMMAND_LINE_MAX, &text, &len) < 0 || !strstr(text, "qemu"))
		return;
	for (const char *word = text; word < text + len; word += strlen(word) + 1)
		if (str_equal(word, "-name") && word + sizeof("-name") < text + len) {
			take_guest(word + sizeof("-name"), ret, size);
			return;
		}
}

static void describe(struct fs *root, struct holder *h)
{
	char path[FS_PATH_MAX], comm[32];
	struct str p = STR_ON(path);

	str_join(&p, "proc/", h->pid, "/comm", NULL);
	if (fs_read_text(root, path, comm, sizeof(comm)) < 0)
		str_copy(comm, sizeof(comm), _("a process"));
	text_clean(h->command, sizeof(h->command), comm);
	find_guest(root, h->pid, h->guest, sizeof(h->guest));
}

/* ---- the list */

static struct holder *add(struct holders *h, const char *pid, const char *holds)
{
	struct holder *new;

	for (new = h->list; new < h->list + h->n; new ++)
		if (str_equal(new->pid, pid) && str_equal(new->holds, holds))
			return NULL;
	if (h->n == HOLDERS_MAX) {
		h->more++;
		return NULL;
	}
	h->n++;
	*new = (struct holder){ .pid = "" };
	str_copy(new->pid, sizeof(new->pid), pid);
	str_copy(new->holds, sizeof(new->holds), holds);
	return new;
}

void holders_add(struct holders *h, struct fs *root, const struct open_file *file)
{
	char holds[sizeof(h->list[0].holds)];
	struct holder *new;

	text_clean(holds, sizeof(holds), file->target);
	new = add(h, file->pid, holds);
	if (new)
		describe(root, new);
}

void holders_add_kernel(struct holders *h, const char *holds)
{
	(void)add(h, "", holds);
}

void holders_note(struct holders *h, const char *note)
{
	if (h->n_notes < HOLDERS_NOTES)
		str_copy(h->notes[h->n_notes++], sizeof(h->notes[0]), note);
}

/* ---- in words */

static bool same_process(const struct holder *a, const struct holder *b)
{
	return a->pid[0] && str_equal(a->pid, b->pid);
}

/* All that one process has; returns the place behind it. */
static unsigned say_one(const struct holders *h, unsigned i, struct str *s)
{
	const struct holder *one = &h->list[i];
	const struct known *k = known_of(one);

	if (!one->pid[0]) {
		str_add(s, one->holds);
		return i + 1;
	}
	str_join(s, one->command, " (pid ", one->pid, k ? ", " : "", k ? k->role : "",
		 one->guest[0] ? " " : "", one->guest, _(") has "), one->holds, NULL);
	while (++i < h->n && same_process(&h->list[i], one))
		str_join(s, ", ", h->list[i].holds, NULL);
	str_add(s, _(" open"));
	return i;
}

void holders_say(const struct holders *h, struct str *s)
{
	unsigned i = 0, said = 0;

	for (; i < h->n && said < SAID; said++) {
		str_add(s, said ? "; " : "");
		i = say_one(h, i, s);
	}
	if (i < h->n || h->more)
		str_add(s, _("; and others"));
}

void holders_advise(const struct holders *h, struct str *s)
{
	const char *before = NULL;

	for (size_t k = 0; k <= ARRAY_SIZE(known); k++) {
		const struct known *each = k < ARRAY_SIZE(known) ? &known[k] : &guest;
		bool found = false;

		for (unsigned i = 0; i < h->n; i++)
			found = found || known_of(&h->list[i]) == each;
		if (!found || (before && str_equal(before, each->advice)))
			continue;
		before = each->advice;
		str_join(s, "; ", _(each->advice), NULL);
	}
}

/* ---- for scripts */

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, *text ? json_object_new_string(text) : NULL);
}

static struct json_object *as_json(const struct holder *h)
{
	struct json_object *object = json_object_new_object();
	const struct known *k = known_of(h);

	json_object_object_add(object, "pid",
			       h->pid[0] ? json_object_new_int(atoi(h->pid)) : NULL);
	add_text(object, "command", h->command);
	add_text(object, "role", k ? k->role : "");
	add_text(object, "guest", h->guest);
	add_text(object, "holds", h->holds);
	return object;
}

struct json_object *holders_json(const struct holders *h)
{
	struct json_object *object = json_object_new_object(),
			   *list = json_object_new_array(),
			   *notes = json_object_new_array();

	for (unsigned i = 0; i < h->n; i++)
		json_object_array_add(list, as_json(&h->list[i]));
	for (unsigned i = 0; i < h->n_notes; i++)
		json_object_array_add(notes, json_object_new_string(h->notes[i]));
	json_object_object_add(object, "holders", list);
	json_object_object_add(object, "more_holders", json_object_new_int((int)h->more));
	json_object_object_add(object, "unseen", json_object_new_int((int)h->unseen));
	json_object_object_add(object, "notes", notes);
	return object;
}
