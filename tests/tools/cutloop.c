/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cutloop PVKPREP ROOT VERSION STEP [COUNT]: cuts ROOT/boot/vmlinuz-VERSION at every multiple of
 * STEP below its size, from the end on (the last COUNT of them), and runs --prepare on each. Every
 * run must answer 1 with one line that names the file, and leave the file and its directory as they
 * were. Prints the number of cuts; 0 if all were refused.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned count_entries(const char *path)
{
	unsigned count = 0;
	DIR *dir = opendir(path);

	if (!dir)
		err(1, "%s", path);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/* Runs the program, its stderr in `text`; its exit status, or -1 if it died. */
static int run(char *const argv[], char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0)
		err(1, "cannot run");
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, 1);
		(void)dup2(ends[1], 2);
		(void)close(ends[0]);
		(void)close(ends[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	(void)close(ends[1]);
	while (used < size - 1 && (n = read(ends[0], text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	(void)close(ends[0]);
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_one_line_about(const char *text, const char *name)
{
	const char *end = strchr(text, '\n');

	return strncmp(text, "pvkprep: '", 10) == 0 && end && end[1] == '\0' && strstr(text, name);
}

int main(int argc, char **argv)
{
	char root_option[] = "--root", prepare[] = "--prepare";
	char boot[4096], file[4096], name[512], text[8192];
	unsigned cuts = 0, bad = 0;
	struct stat before, after;
	off_t step;
	long most;

	if (argc != 5 && argc != 6)
		errx(2, "see the head of tests/tools/cutloop.c");
	(void)snprintf(boot, sizeof(boot), "%s/boot", argv[2]);
	(void)snprintf(name, sizeof(name), "/boot/vmlinuz-%s'", argv[3]);
	(void)snprintf(file, sizeof(file), "%s/boot/vmlinuz-%s", argv[2], argv[3]);
	step = atol(argv[4]);
	most = argc == 6 ? atol(argv[5]) : LONG_MAX;
	if (stat(file, &before) < 0 || step <= 0)
		err(1, "%s", file);
	for (off_t size = (before.st_size - 1) / step * step; size >= 0 && cuts < most;
	     size -= step, cuts++) {
		char *const child[] = {argv[1], root_option, argv[2], prepare, argv[3], NULL};
		const unsigned entries = count_entries(boot);
		int status;

		if (truncate(file, size) < 0 || stat(file, &before) < 0)
			err(1, "%s", file);
		status = run(child, text, sizeof(text));
		if (stat(file, &after) < 0 || status != 1 || !is_one_line_about(text, name) ||
		    after.st_ino != before.st_ino || after.st_size != size ||
		    after.st_mtim.tv_nsec != before.st_mtim.tv_nsec ||
		    count_entries(boot) != entries) {
			printf("cut at %lld: status %d, %s\n", (long long)size, status, text);
			bad++;
		}
	}
	printf("%u cuts, %u not refused\n", cuts, bad);
	return bad > 0 || cuts == 0;
}
