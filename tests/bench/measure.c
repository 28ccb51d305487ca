/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure RUNS PLAN: runs the commands of a plan in turn, RUNS times over, so that whatever else
 * the machine does meanwhile falls on all of them. A line of the plan has three fields, separated
 * by tabs:
 *
 *   LABEL   SETUP (a shell command, not measured; may be empty)   COMMAND [>FILE]
 *
 * COMMAND is split at blanks and started without a shell. Prints for each label, tab separated:
 * median of user+system time (ms), median of wall time (ms), largest resident set (KiB). Time and
 * memory are those of the command and of all processes that it waited for (wait4(2)).
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINES 64
#define MAX_RUNS  101
#define MAX_WORDS 32

struct task {
	char *label, *setup, *command;
	double cpu[MAX_RUNS], wall[MAX_RUNS];
	long rss;
};

static double milliseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static _Noreturn void start(char *command)
{
	const char *out = "/dev/null";
	char *words[MAX_WORDS + 1], *rest = command, *word;
	int count = 0, fd;

	while ((word = strsep(&rest, " ")) != NULL && count < MAX_WORDS)
		if (word[0] == '>')
			out = word + 1;
		else if (word[0] != '\0')
			words[count++] = word;
	words[count] = NULL;
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0)
		err(127, "%s", out);
	execvp(words[0], words);
	err(127, "%s", words[0]);
}

static void run(struct task *task, int round)
{
	struct rusage usage;
	double begin;
	int status;
	pid_t pid;

	if (task->setup[0] != '\0' && system(task->setup) != 0)
		errx(1, "%s: setup failed", task->label);
	begin = now();
	pid = fork();
	if (pid == 0)
		start(task->command);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		err(1, "%s", task->label);
	if (status != 0)
		errx(1, "%s: failed (status %#x)", task->label, (unsigned)status);
	task->wall[round] = now() - begin;
	task->cpu[round] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
	if (usage.ru_maxrss > task->rss)
		task->rss = usage.ru_maxrss;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int read_plan(const char *path, struct task *tasks)
{
	FILE *plan = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!plan)
		err(1, "%s", path);
	while (getline(&line, &size, plan) > 0 && count < MAX_LINES) {
		char *rest = strdup(line);
		struct task *task = &tasks[count];

		if (!rest)
			err(1, "no memory");
		rest[strcspn(rest, "\n")] = '\0';
		task->label = strsep(&rest, "\t");
		task->setup = strsep(&rest, "\t");
		task->command = rest;
		if (!task->command)
			errx(1, "%s: line %d has no three fields", path, count + 1);
		count++;
	}
	free(line);
	(void)fclose(plan);
	return count;
}

int main(int argc, char **argv)
{
	static struct task tasks[MAX_LINES];
	int count, runs;

	if (argc != 3 || (runs = atoi(argv[1])) < 1 || runs > MAX_RUNS)
		errx(2, "see the head of tests/bench/measure.c");
	count = read_plan(argv[2], tasks);
	for (int round = -1; round < runs; round++) /* the first round warms the caches */
		for (int i = 0; i < count; i++)
			run(&tasks[i], round < 0 ? 0 : round);
	for (int i = 0; i < count; i++)
		printf("%s\t%.1f\t%.1f\t%ld\n", tasks[i].label, median(tasks[i].cpu, runs),
		       median(tasks[i].wall, runs), tasks[i].rss);
	return 0;
}
