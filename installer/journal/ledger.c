/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "library.h"
#include "words.h"

#define CALLS(CALL)                \
	CALL(nettle_sha256_digest) \
	CALL(nettle_sha256_init)   \
	CALL(nettle_sha256_update)
LIBRARY_CALLS(calls, CALLS);

void ledger_free_paths(char ***paths, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*paths)[i]);
	free(*paths);
	*paths = NULL;
	*n = 0;
}

void ledger_finish(struct ledger *ledger)
{
	for (struct ledger_file *f = ledger->files; f < ledger->files + ledger->n_files;
	     f++) {
		free(f->path);
		free(f->owner);
		args_finish(&f->ours);
		meta_finish(&f->meta);
	}
	for (size_t i = 0; i < ledger->n_programs; i++) {
		words_free(ledger->programs[i].argv);
		words_free(ledger->programs[i].undo_argv);
		free(ledger->programs[i].why);
	}
	free(ledger->files);
	free(ledger->programs);
	ledger_free_paths(&ledger->folders, &ledger->n_folders);
	ledger_free_paths(&ledger->pending, &ledger->n_pending);
	*ledger = (struct ledger){ 0 };
}

struct ledger_file *ledger_find(const struct ledger *ledger, const char *path)
{
	for (size_t i = 0; i < ledger->n_files; i++)
		if (str_equal(ledger->files[i].path, path))
			return &ledger->files[i];
	return NULL;
}

struct ledger_file *ledger_add_file(struct ledger *ledger, const char *path)
{
	struct ledger_file *bigger, f = { 0 };

	bigger = reallocarray(ledger->files, ledger->n_files + 1, sizeof(*bigger));
	if (!bigger)
		return NULL;
	ledger->files = bigger;
	f.path = strdup(path);
	if (!f.path)
		return NULL;
	bigger[ledger->n_files] = f;
	return &bigger[ledger->n_files++];
}

/* To the end: the order is that of the last plan. */
static void move_to_end(struct ledger *ledger, size_t at)
{
	const struct ledger_program p = ledger->programs[at];

	memmove(ledger->programs + at, ledger->programs + at + 1,
		(ledger->n_programs - at - 1) * sizeof(p));
	ledger->programs[ledger->n_programs - 1] = p;
}

int ledger_add_program(struct ledger *ledger, const struct step *step)
{
	struct ledger_program *bigger, p = { 0 };

	for (size_t i = 0; i < ledger->n_programs; i++)
		if (words_equal(ledger->programs[i].argv, step->argv) &&
		    words_equal(ledger->programs[i].undo_argv, step->undo_argv)) {
			ledger->programs[i].done = false;
			move_to_end(ledger, i);
			return 0;
		}
	bigger = reallocarray(ledger->programs, ledger->n_programs + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	ledger->programs = bigger;
	p.argv = words_copy(step->argv);
	p.undo_argv = step->undo_argv ? words_copy(step->undo_argv) : NULL;
	p.why = strdup(step->why);
	bigger[ledger->n_programs++] = p;
	return p.argv && p.why && (p.undo_argv || !step->undo_argv) ? 0 : -ENOMEM;
}

int ledger_add_path(char ***paths, size_t *n, const char *path)
{
	char **bigger;

	for (size_t i = 0; i < *n; i++)
		if (str_equal((*paths)[i], path))
			return 0;
	bigger = reallocarray(*paths, *n + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	*paths = bigger;
	bigger[*n] = strdup(path);
	if (!bigger[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

int ledger_ready(struct str *why)
{
	return library_load(LIBRARY_NETTLE, calls, ARRAY_SIZE(calls), why);
}

void ledger_hash(const char *data, size_t len, char ret[LEDGER_HASH_LEN])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;
	struct str s;

	str_init(&s, ret, LEDGER_HASH_LEN);
	if (!data)
		return;
	sym_nettle_sha256_init(&sha);
	sym_nettle_sha256_update(&sha, len, (const uint8_t *)data);
	sym_nettle_sha256_digest(&sha, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		str_add_hex(&s, digest[i], 2);
}
