/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/policy/entries_internal.h"
#include "../../src/system/signals.h"
#include "tmptree.h"

#define OLD  "menuentry 'old' {\n\tlinux /boot/vmlinuz-8\n}\n"
#define OPEN "menuentry 'new' {\n\tlinux /boot/vmlinuz-9\n"
#define NEW  OPEN "}\n"
#define NONE "" /* no file */

#define BACK "the old one is back in place"

/* An owner is a script: $menu is the file; new, open and half have what their names say. */
struct owner_case {
	const char *script, *before, *after;
	enum entry_state state;
	bool wrote;
	const char *word;
};

static const struct owner_case cases[] = {
	{"cat $new > $menu", OLD, NEW, ENTRY_RENEWED, true, "lacks 9; "},
	{": > $menu", OLD, OLD, ENTRY_FAILED, true, "wrote no menu: " BACK},
	{"rm $menu", OLD, OLD, ENTRY_FAILED, true, "wrote no menu: " BACK},
	{": > $menu; echo why; exit 1", OLD, OLD, ENTRY_FAILED, true, "a broken menu: " BACK},
	{": > $menu; echo why; exit 1", OLD, OLD, ENTRY_FAILED, true, "(status 1): why"},
	{"rm $menu; exit 1", OLD, OLD, ENTRY_FAILED, true, BACK},
	{"head -c 30 $new > $menu; exit 1", OLD, OLD, ENTRY_FAILED, true, BACK},
	{"cat $new > $menu; printf 'x' >> $menu; exit 1", OLD, OLD, ENTRY_FAILED, true, BACK},
	{"cat $open > $menu; exit 1", OLD, OLD, ENTRY_FAILED, true, BACK},
	{": > $menu; kill -9 $$", OLD, OLD, ENTRY_FAILED, true, "was killed"},
	/* It failed before it wrote, or after: nothing to put back. */
	{"echo why; exit 1", OLD, OLD, ENTRY_FAILED, false, "lacks 9: "},
	{"cat $new > $menu; exit 1", OLD, NEW, ENTRY_FAILED, true, "lacks 9: "},
	/* There was none. */
	{": > $menu; exit 1", NONE, "", ENTRY_FAILED, true, "left a broken menu ("},
	{"exit 1", NONE, NONE, ENTRY_FAILED, false, "lacks 9: "},
};

/* A guest with one kernel, as if it were the running system. */
struct world {
	struct tmptree tree;
	struct root root;
	struct apply apply;
	struct entries_request request;
	struct kernel kernel;
	struct entries_kernel listed;
	struct entries entries;
	struct entries_work work;
	char program[128];
};

static void make_world(struct world *world, const char *script, const char *before)
{
	struct tmptree *tree = &world->tree;
	char text[1024];

	memset(world, 0, sizeof(*world));
	tmptree_init(tree);
	tmptree_write_text(tree, "boot/vmlinuz-9", "a kernel");
	tmptree_write_text(tree, "boot/vmlinuz-8", "another");
	tmptree_mkdir(tree, "boot/grub");
	if (before[0])
		tmptree_write_text(tree, "boot/grub/grub.cfg", before);
	tmptree_write_text(tree, "new", NEW);
	tmptree_write_text(tree, "open", OPEN);
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\nnew=%s/new open=%s/open menu=%s/boot/grub/grub.cfg\n%s\n",
		       tree->path, tree->path, tree->path, script);
	tmptree_write_text(tree, "owner", text);
	tmptree_chmod(tree, "owner", 0755);
	(void)snprintf(world->program, sizeof(world->program), "%s/owner", tree->path);

	assert_int_equal(root_open(tree->path, &world->root, NULL), 0);
	world->root.is_live = true;
	world->apply.root = &world->root;
	world->request.apply = &world->apply;
	(void)snprintf(world->kernel.file, sizeof(world->kernel.file), "vmlinuz-9");
	(void)snprintf(world->kernel.version, sizeof(world->kernel.version), "9");
	world->listed.kernel = &world->kernel;
	world->listed.image = tmptree_stat(tree, "boot/vmlinuz-9");
	world->work.request = &world->request;
	world->work.apply = &world->apply;
	world->work.ret = &world->entries;
	world->work.facts.kernels = &world->listed;
	world->work.facts.count = 1;
	world->entries.items[0].path = ENTRIES_GRUB_CFG;
	world->entries.count = 1;
}

static void run_owner(struct world *world)
{
	entries_run_owner(&world->work, &world->entries.items[0], world->program, "lacks 9", 1);
}

static void end_world(struct world *world)
{
	root_close(&world->root);
	tmptree_done(&world->tree);
}

static void check(const struct world *world, const struct owner_case *wanted)
{
	const struct entry *entry = &world->entries.items[0];
	const char *path = "boot/grub/grub.cfg";
	const bool is_there = tmptree_exists(&world->tree, path);

	if (entry->state != wanted->state || world->entries.wrote != wanted->wrote ||
	    !strstr(entry->reason, wanted->word))
		fail_msg("%s: state %d, wrote %d, '%s'", wanted->script, (int)entry->state,
			 world->entries.wrote, entry->reason);
	if (is_there ? !tmptree_holds(&world->tree, path,
				      bytes_make(wanted->after, strlen(wanted->after)))
		     : wanted->after[0] != '\0')
		fail_msg("%s: another menu", wanted->script);
	/* No temporary file, and no copy that nobody asked for. */
	assert_int_equal(tmptree_count(&world->tree, "boot/grub"), is_there);
}

static void what_an_owner_leaves_by_failing_stands_only_if_it_is_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;

		make_world(&world, cases[i].script, cases[i].before);
		run_owner(&world);
		check(&world, &cases[i]);
		end_world(&world);
	}
}

/* What it has begun it would go on with, if it were not killed with its programs. */
static void an_owner_that_is_interrupted_while_it_writes_is_undone(void **state)
{
	static const struct owner_case wanted = {
		"(: > $menu; sleep 2; cat $open >> $menu)", OLD, OLD, ENTRY_FAILED, true, BACK,
	};
	struct world world;
	sigset_t old;
	pid_t helper;

	(void)state;
	make_world(&world, wanted.script, wanted.before);
	signals_block(&old);
	helper = fork();
	if (helper == 0) {
		while (tmptree_stat(&world.tree, "boot/grub/grub.cfg").st_size > 0)
			(void)poll(NULL, 0, 10);
		_exit(kill(getppid(), SIGTERM) == 0 ? 0 : 1);
	}
	run_owner(&world);
	assert_true(signals_pending());
	(void)signal(SIGTERM, SIG_IGN);
	signals_restore(&old);
	(void)signal(SIGTERM, SIG_DFL);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	check(&world, &wanted);
	(void)poll(NULL, 0, 3000);
	check(&world, &wanted);
	end_world(&world);
}

struct refresh_case {
	const char *script, *before, *after;
	int result;
	const char *word;
};

static const struct refresh_case refreshes[] = {
	{"cat $new > $menu", OLD, NEW, 0, ""},
	{"exit 0", OLD, OLD, 0, ""},
	{": > $menu", OLD, OLD, -PVK_E_REFUSED, "wrote no menu; the old menu is back in place"},
	{"rm $menu", OLD, OLD, -PVK_E_REFUSED, "wrote no menu; the old menu is back in place"},
	{": > $menu; echo why; exit 1", OLD, OLD, -PVK_E_REFUSED, "why; the old menu is back"},
	{"cat $open > $menu; exit 1", OLD, OLD, -PVK_E_REFUSED, "the old menu is back in place"},
	{"echo why; exit 1", OLD, OLD, -PVK_E_REFUSED, "failed (status 1): why"},
	{"cat $new > $menu", NONE, NONE, 0, ""},
};

static void a_menu_that_is_merely_renewed_survives_its_owner(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refreshes) / sizeof(refreshes[0]); i++) {
		const struct refresh_case *wanted = &refreshes[i];
		struct pvk_error err = {0};
		struct world world;
		int r;

		make_world(&world, wanted->script, wanted->before);
		r = entries_run_owner_guarded(&world.root, ENTRIES_GRUB_CFG, world.program, &err);
		if (r != wanted->result || !strstr(err.msg, wanted->word))
			fail_msg("%s: %d, '%s'", wanted->script, r, err.msg);
		if (wanted->after[0] &&
		    !tmptree_holds(&world.tree, "boot/grub/grub.cfg",
				   bytes_make(wanted->after, strlen(wanted->after))))
			fail_msg("%s: another menu", wanted->script);
		assert_int_equal(tmptree_count(&world.tree, "boot/grub"), wanted->after[0] != '\0');
		end_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_owner_leaves_by_failing_stands_only_if_it_is_good),
		cmocka_unit_test(an_owner_that_is_interrupted_while_it_writes_is_undone),
		cmocka_unit_test(a_menu_that_is_merely_renewed_survives_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
