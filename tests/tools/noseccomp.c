/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noseccomp absent|refused COMMAND...: runs it as on a kernel that was built without seccomp
 * (seccomp(2) and prctl(2) know nothing of it), or on one that has it and takes no filter. Wants
 * root.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(x)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (x), 0, 1)
#define ANSWER(error)	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LENGTH(program) (sizeof(program) / sizeof((program)[0]))

/*
 * Answers seccomp(2), and prctl(2) that asks for it or sets it. The first argument's lower half is
 * enough: prctl(2) takes an int.
 */
#define ANSWERS(seccomp, get, set)                                                   \
	{                                                                            \
		LOAD(nr), SKIP_UNLESS(SYS_seccomp), seccomp,                         \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0), ALLOW, \
			LOAD(args[0]), SKIP_UNLESS(PR_GET_SECCOMP), get,             \
			SKIP_UNLESS(PR_SET_SECCOMP), set, ALLOW,                     \
	}

static struct sock_filter absent[] = ANSWERS(ANSWER(ENOSYS), ANSWER(EINVAL), ANSWER(EINVAL));
static struct sock_filter refused[] = ANSWERS(ANSWER(EACCES), ALLOW, ANSWER(EACCES));

int main(int argc, char **argv)
{
	struct sock_fprog program = {LENGTH(absent), absent};

	if (argc < 3)
		errx(2, "see the head of tests/tools/noseccomp.c");
	if (strcmp(argv[1], "refused") == 0)
		program = (struct sock_fprog){LENGTH(refused), refused};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		err(2, "cannot take seccomp away");
	(void)execv(argv[2], argv + 2);
	err(2, "%s", argv[2]);
}
