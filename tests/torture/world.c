/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.c - a scenario's runs, and the rules for what they leave; see scenario.h. */
#include "scenario.h"

#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- running --- */

static char *keep_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		err(2, "strdup");
	return copy;
}

void world_init(struct world *world, const char *program, const char *directory, const char *image,
		const char *other)
{
	static const char *const help[] = {"--help"};
	ssize_t n;

	memset(world, 0, sizeof(*world));
	world->program = program;
	world->image = tree_read(image, &world->image_size);
	world->other = tree_read(other, &world->other_size);
	world->damaged = tree_read(other, &world->other_size);
	((char *)world->damaged)[world->other_size / 2] ^= 1;
	(void)snprintf(world->root, sizeof(world->root), "%.4000s/root", directory);
	world->output = memfd_create("output", MFD_CLOEXEC);
	if (world->output < 0)
		err(2, "memfd_create");
	world->argv[0] = keep_text(program);
	world->argv[1] = keep_text(help[0]);
	(void)world_run(world, NULL, 10);
	n = pread(world->output, world->help, sizeof(world->help) - 1, 0);
	world->help[n > 0 ? n : 0] = '\0';
	free(world->argv[1]);
	world->argv[1] = keep_text("--root");
	world->argv[2] = world->root;
}

void world_done(struct world *world)
{
	free(world->argv[0]);
	free(world->argv[1]);
	free(world->image);
	free(world->other);
	free(world->damaged);
	(void)close(world->output);
}

bool world_offers(const struct world *world, const char *word)
{
	return !word || strstr(world->help, word) != NULL;
}

int world_output(struct world *world)
{
	if (ftruncate(world->output, 0) < 0 || lseek(world->output, 0, SEEK_SET) < 0)
		err(2, "output");
	return world->output;
}

int world_run(struct world *world, char *const environment[], unsigned seconds)
{
	static char *const nothing[] = {NULL};
	const struct timespec tick = {.tv_nsec = 1000000};
	int status, fd = world_output(world);
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
		(void)execve(world->program, world->argv, environment ? environment : nothing);
		_exit(127);
	}
	for (unsigned waited = 0; waited < seconds * 1000; waited++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		(void)nanosleep(&tick, NULL);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return -1;
}

void world_reset(struct world *world)
{
	static const char menu[] = "default 0\ntimeout 3\ntitle Linux\nroot (hd0)\n"
				   "kernel /boot/vmlinuz-1 root=/dev/xvda1 ro console=hvc0\n"
				   "initrd /boot/initrd.img-1\n";
	const struct scenario *scenario = world->scenario;

	tree_empty(world->root);
	tree_write_text(world->root, "boot/grub/menu.lst", scenario->menu ? scenario->menu : menu);
	tree_write_text(world->root, "boot/initrd.img-1", "initrd");
	tree_write_text(world->root, "etc/fstab", scenario->fstab ? scenario->fstab : "");
	if (scenario->config)
		tree_write_text(world->root, "etc/pvkprep.conf", scenario->config);
	scenario->setup(world);
}

static const char *say(struct world *world, const char *what, const char *path)
{
	char text[200];
	ssize_t n = pread(world->output, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	(void)snprintf(world->reason, sizeof(world->reason), "%s%s (it said: %s)", path, what,
		       text);
	return world->reason;
}

void world_begin(struct world *world, const struct scenario *scenario)
{
	size_t i;

	world->scenario = scenario;
	for (i = 0; scenario->args[i]; i++)
		world->argv[3 + i] = (char *)(uintptr_t)scenario->args[i];
	world->argv[3 + i] = NULL;
	(void)mkdir(world->root, 0755);
	world_reset(world);
	tree_look(world->root, &world->before);
	if (world_run(world, NULL, 60) != 0)
		errx(2, "%s", say(world, " fails without a fault", scenario->name));
	tree_look(world->root, &world->after);
}

/* --- the rules --- */

static bool has_ending(const char *text, const char *ending)
{
	const size_t a = strlen(text), b = strlen(ending);

	return a >= b && strcmp(text + a - b, ending) == 0;
}

/* Records and notes may be lost; what dpkg-divert leaves beside its register is dpkg's. */
static bool is_watched(const char *path)
{
	static const char own[] = "boot/pvkprep/", dpkg[] = "var/lib/dpkg/";

	if (strncmp(path, own, sizeof(own) - 1) == 0 &&
	    strncmp(path + sizeof(own) - 1, "pack", 4) != 0)
		return false;
	if (strncmp(path, dpkg, sizeof(dpkg) - 1) == 0 && !has_ending(path, "/diversions"))
		return false;
	return !tree_is_temp(path);
}

static bool holds(const struct world *world, const char *path, const void *data, size_t size)
{
	char full[PATH_MAX];
	size_t found_size;
	void *found;
	bool same;

	(void)snprintf(full, sizeof(full), "%.3000s/%s", world->root, path);
	if (!tree_find(&world->now, path))
		return false;
	found = tree_read(full, &found_size);
	same = found_size == size && memcmp(found, data, size) == 0;
	free(found);
	return same;
}

/* A refused update gives way to the kept image before that is prepared once more. */
static bool is_old_one(const struct world *world, const char *path, const struct entry *now)
{
	return tree_is_same_file(now, tree_find(&world->before, path)) ||
	       (world->scenario->has_refused && strcmp(path, IMAGE) == 0 &&
		holds(world, IMAGE, world->image, world->image_size));
}

/* What a run may leave as it was and still be content. An original is rather kept than given up. */
static bool may_stay(const struct scenario *scenario, const char *path)
{
	return (scenario->may_lag && strcmp(path, scenario->may_lag) == 0) ||
	       (scenario->gives_up_original && strcmp(path, PACKAGED) == 0);
}

/* Every watched file of `now` is as in before or (may_be_before false: only) as in after. */
static const char *check_files(struct world *world, bool may_be_before)
{
	const struct snapshot *const lists[] = {&world->before, &world->after, &world->now};

	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->count; i++) {
			const char *path = lists[l]->entries[i].path;
			const struct entry *now = tree_find(&world->now, path);

			if (!is_watched(path) ||
			    tree_is_same_file(now, tree_find(&world->after, path)))
				continue;
			if (!is_old_one(world, path, now))
				return say(world, " is neither old nor new", path);
			if (!may_be_before && !may_stay(world->scenario, path))
				return say(world, " is the old one", path);
		}
	return NULL;
}

/* Wherever else it is kept, or made of it what was wanted. */
static bool needs_no_original(const struct world *world)
{
	return world->scenario->is_in_hybrid ||
	       (world->scenario->gives_up_original &&
		tree_is_same_file(tree_find(&world->now, IMAGE), tree_find(&world->after, IMAGE)));
}

static const char *check_original(struct world *world)
{
	const struct scenario *scenario = world->scenario;
	const bool other = scenario->keeps_other;
	const void *data = other ? world->other : world->image;
	const size_t size = other ? world->other_size : world->image_size;

	if (!needs_no_original(world) && !holds(world, IMAGE, data, size) &&
	    !holds(world, PACKAGED, data, size))
		return say(world, "the packaged image is gone", "");
	if (scenario->has_damaged && !holds(world, IMAGE_2, world->damaged, world->other_size) &&
	    !holds(world, PACKAGED_2, world->damaged, world->other_size))
		return say(world, "the second packaged image is gone", "");
	if (scenario->has_refused && !holds(world, IMAGE, world->damaged, world->other_size) &&
	    !holds(world, REFUSED, world->damaged, world->other_size))
		return say(world, "the refused image is gone", "");
	return NULL;
}

static bool has_temp(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++)
		if (tree_is_temp(snapshot->entries[i].path))
			return true;
	return false;
}

/* A run that freezes the file system must not leave it so: thawing succeeds only where it was. */
static bool is_frozen(const struct world *world)
{
	char path[PATH_MAX];
	bool frozen;
	int fd;

	(void)snprintf(path, sizeof(path), "%.4000s/boot", world->root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	frozen = fd >= 0 && ioctl(fd, FITHAW, 0) == 0;
	(void)close(fd);
	return frozen;
}

const char *world_check(struct world *world, const struct ending *ending)
{
	const char *reason;
	struct stat st;

	if (is_frozen(world))
		return say(world, "the file system is left frozen", "");
	if (ending->hung)
		return say(world, "did not end", "");
	if (ending->crashed)
		return say(world, "crashed", "");
	tree_look(world->root, &world->now);
	reason = check_files(world, ending->status != 0 || world->scenario->is_hook);
	if (!reason)
		reason = check_original(world);
	if (!reason && !ending->may_leave_temp && has_temp(&world->now))
		reason = say(world, "a temporary file is left", "");
	if (!reason && ending->status > 0 && !ending->may_be_silent &&
	    fstat(world->output, &st) == 0 && st.st_size == 0)
		reason = say(world, "failed without a word", "");
	return reason;
}

const char *world_repair(struct world *world, const struct ending *ending)
{
	const char *reason, *path;

	if (world_run(world, NULL, 60) != 0)
		return say(world, "the next run fails", "");
	tree_look(world->root, &world->now);
	reason = check_files(world, false);
	if (!reason)
		reason = check_original(world);
	if (!reason && !ending->could_not_remove && has_temp(&world->now))
		reason = say(world, "the next run leaves a temporary file", "");
	if (reason)
		return reason;
	if (world_run(world, NULL, 60) != 0)
		return say(world, "the second run fails", "");
	/* What cannot be prepared is tried again by every run. */
	if (world->scenario->has_damaged)
		return NULL;
	tree_look(world->root, &world->again);
	path = tree_first_change(&world->now, &world->again);
	return path ? say(world, " is touched by the second run", path) : NULL;
}
