/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubtest.c - `test` and `[` (commands/test.c), with its own idea of precedence: `!` belongs to
 * the next condition, `-a` does nothing, `-o` closes what stands before it. */
#include "grubeval.h"

struct test {
	struct grub_eval *ev;
	const struct grub_value *args;
	size_t count, at, depth;
};

/* The state of one parenthesis level. */
struct level {
	bool is_inverted, all, any;
};

static void update(struct level *level, bool value)
{
	level->all = level->all && value != level->is_inverted;
	level->is_inverted = false;
}

static long number(struct grub_eval *ev, const char *text)
{
	bool is_negative = text[0] == '-';
	long value = (long)(int)grubcommands_number(ev, text + is_negative, 0, NULL);

	return is_negative ? -value : value;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -pgt, -plt: numbers behind a common prefix, for versions. */
static bool compare_prefixed(struct grub_eval *ev, const char *a, const char *b, bool is_greater)
{
	size_t i = 0;
	unsigned long x, y;

	while (a[i] && a[i] == b[i])
		i++;
	while (i > 0 && is_digit(a[i - 1]))
		i--;
	x = grubcommands_number(ev, a + i, 0, NULL);
	y = grubcommands_number(ev, b + i, 0, NULL);
	return is_greater ? x > y : x < y;
}

/* True: `op` is a comparison of two words, and *ret is its value. */
static bool compare(struct grub_eval *ev, const char *a, const char *op, const char *b, bool *ret)
{
	static const char *const text_ops[] = {"=", "==", "!=", "<", "<=", ">", ">="};
	static const char *const number_ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	int order = strcmp(a, b);
	const bool text[] = {order == 0, order == 0, order != 0, order<0, order <= 0, order> 0,
			     order >= 0};

	for (size_t i = 0; i < sizeof(text_ops) / sizeof(text_ops[0]); i++) {
		if (strcmp(op, text_ops[i]) == 0) {
			*ret = text[i];
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(number_ops) / sizeof(number_ops[0]); i++) {
		if (strcmp(op, number_ops[i]) == 0) {
			long x = number(ev, a), y = number(ev, b);
			const bool value[] = {x == y, x != y, x<y, x <= y, x> y, x >= y};

			*ret = value[i];
			return true;
		}
	}
	if (strcmp(op, "-pgt") != 0 && strcmp(op, "-plt") != 0)
		return false;
	*ret = compare_prefixed(ev, a, b, op[2] == 'g');
	return true;
}

static bool is_comparison(const char *op)
{
	static const char *const ops[] = {"=",	 "==",	"!=",  "<",   "<=",  ">",    ">=",  "-eq",
					  "-ne", "-lt", "-le", "-gt", "-ge", "-pgt", "-plt"};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(op, ops[i]) == 0)
			return true;
	return false;
}

static bool test_three(struct test *t, struct level *level)
{
	const struct grub_value *a = &t->args[t->at], *op = a + 1, *b = a + 2;
	bool is_time = strncmp(op->text, "-nt", 3) == 0 || strncmp(op->text, "-ot", 3) == 0;
	bool value = false;

	if (!is_time && !is_comparison(op->text))
		return false;
	if (is_time)
		value = grubeval_decide(t->ev, arena_printf(&t->ev->arena,
							    "which of '%s' and '%s' is newer",
							    a->text, b->text));
	else if (a->unknown || b->unknown)
		value = grubeval_decide(t->ev, a->unknown ? a->unknown : b->unknown);
	else
		(void)compare(t->ev, a->text, op->text, b->text, &value);
	update(level, value);
	t->at += 3;
	return true;
}

/* -s opens the file, the others list its directory: a name without '/' is one in the root. */
static bool test_file(struct grub_eval *ev, const struct grub_value *name, char what)
{
	const char *device, *path;
	enum grub_file_kind kind;
	uint64_t size;
	size_t len;

	if (name->unknown)
		return grubeval_decide(ev, name->unknown);
	if (!grubfile_resolve(ev, *name, &device, &path)) {
		/* Only -s forgets the error; the others leave it, to be printed if they succeed. */
		if (what == 's')
			ev->error = GRUB_OK;
		return false;
	}
	/* The path of these is what stands behind the first ')', wherever that is. */
	if (what != 's' && strchr(path, ')'))
		path = strchr(path, ')') + 1;
	/* No file system driver takes a directory's name without its first slash. */
	if (path[0] != '/' && (what == 's' || strchr(path, '/')))
		return false;
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/' && what != 's')
		len--;
	path = arena_printf(&ev->arena, "%s%.*s", len > 0 && path[0] == '/' ? "" : "/", (int)len,
			    path);
	kind = grubfile_stat(ev, device, path, &size);
	if (kind == GRUB_FILE_UNKNOWN)
		return grubeval_decide(ev,
				       arena_printf(&ev->arena, "whether '%s' exists", name->text));
	switch (what) {
	case 'd':
		return kind == GRUB_FILE_DIRECTORY;
	case 'e':
		return kind != GRUB_FILE_NONE;
	case 'f':
		return kind == GRUB_FILE_REGULAR;
	default:
		return kind == GRUB_FILE_REGULAR && size > 0;
	}
}

static bool test_two(struct test *t, struct level *level)
{
	const char *op = t->args[t->at].text;
	const struct grub_value *operand = &t->args[t->at + 1];
	bool value;

	if (op[0] != '-' || !op[1] || op[2] || !strchr("defsnz", op[1]))
		return false;
	if (op[1] != 'n' && op[1] != 'z')
		value = test_file(t->ev, operand, op[1]);
	else if (operand->unknown)
		value = grubeval_decide(t->ev, operand->unknown);
	else
		value = (operand->text[0] != '\0') == (op[1] == 'n');
	update(level, value);
	t->at += 2;
	return true;
}

static bool parse_level(struct test *t)
{
	struct level level = {.all = true};

	if (++t->depth > GRUB_NESTING_MAX)
		grubeval_stop(t->ev, GRUB_END_LIMIT, "test: parentheses nested too deeply");
	while (t->at < t->count) {
		const struct grub_value *arg = &t->args[t->at];

		if ((t->at + 2 < t->count && test_three(t, &level)) ||
		    (t->at + 1 < t->count && test_two(t, &level)))
			continue;
		t->at++;
		if (arg->unknown)
			update(&level, grubeval_decide(t->ev, arg->unknown));
		else if (strcmp(arg->text, ")") == 0)
			break;
		else if (strcmp(arg->text, "(") == 0)
			update(&level, parse_level(t));
		else if (strcmp(arg->text, "!") == 0)
			level.is_inverted = !level.is_inverted;
		else if (strcmp(arg->text, "-o") == 0) {
			level.any = level.any || level.all;
			level.all = true;
		} else if (strcmp(arg->text, "-a") != 0)
			update(&level, arg->text[0] != '\0');
	}
	t->depth--;
	return level.any || level.all;
}

int grubtest_run(struct grub_eval *ev, const struct grub_call *call)
{
	struct test test = {.ev = ev, .args = call->args, .count = call->n_args};

	if (test.count > 0 && strcmp(test.args[test.count - 1].text, "]") == 0)
		test.count--;
	return parse_level(&test) ? GRUB_OK : grubeval_fail(ev, GRUB_TEST_FAILURE, "false");
}
