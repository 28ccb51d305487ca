/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script language: what each construct does, as GRUB 2.06 does it (script/execute.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/bootcfg/grubparse.h"
#include "grubworld.h"

struct sample {
	const char *text, *expected;
};

static void check_all(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		grubworld_check(GRUB_DIALECT_SCRIPT, samples[i].text, samples[i].expected);
}

#define CHECK(samples) check_all(samples, sizeof(samples) / sizeof((samples)[0]))

/* Starts /boot/a with what `args` expand to, after `setup`. */
#define ARGS(setup, args) setup "\nlinux /boot/a " args "\nboot\n"

static void words_expand_as_in_grub(void **state)
{
	static const struct sample samples[] = {
		{ARGS("", "a b"), "boots |(hd0)/boot/a|a b|"},
		{ARGS("x=1", "$x ${x}y \"$x z\" '$x'"), "boots |(hd0)/boot/a|1 1y \"1 z\" $x|"},
		{ARGS("", "$none \"$none\" \"\" b"), "boots |(hd0)/boot/a|  b|"},
		{ARGS("x='1  2'", "$x \"$x\""), "boots |(hd0)/boot/a|1 2 \"1  2\"|"},
		{ARGS("x=' 1 '", "a${x}b"), "boots |(hd0)/boot/a|a1b|"},
		{ARGS("", "a\\ b a\\\\b \"a\\\\b\" \"\\$x\" \"\\n\""),
		 "boots |(hd0)/boot/a|\"a b\" a\\\\b a\\\\b $x \\\\n|"},
		{ARGS("", "it\\'s 'it'\\''s' \"q\\\"q\""),
		 "boots |(hd0)/boot/a|it\\'s it\\'s q\\\"q|"},
		{ARGS("", "one \\\n two thr\\\nee"), "boots |(hd0)/boot/a|one two three|"},
		{ARGS("x='a\\b*'", "$x \"$x\""), "boots |(hd0)/boot/a|a\\\\b* a\\\\b*|"},
		{ARGS("", "a#b # not this"), "boots |(hd0)/boot/a|a#b|"},
		{ARGS("n=x", "$\"t $n ${n}\""), "boots |(hd0)/boot/a|\"t x x\"|"},
	};

	(void)state;
	CHECK(samples);
}

static void conditions_follow_the_status(void **state)
{
	static const struct sample samples[] = {
		{ARGS("if true; then x=1; else x=2; fi", "$x"), "boots |(hd0)/boot/a|1|"},
		{ARGS("if false; then x=1; elif true; then x=2; fi", "$x"),
		 "boots |(hd0)/boot/a|2|"},
		{ARGS("if ! true; then x=1; else x=2; fi", "$x"), "boots |(hd0)/boot/a|2|"},
		{ARGS("if true; false; then x=1; else x=2; fi", "$x"), "boots |(hd0)/boot/a|2|"},
		/* GRUB takes an unknown command for a success (script/execute.c). */
		{ARGS("if nosuch; then x=1; else x=2; fi", "$x"), "boots |(hd0)/boot/a|1|"},
		{ARGS("nosuch\nx=$?", "$x"), "boots |(hd0)/boot/a|0|"},
		{ARGS("false\nx=$?", "$x"), "boots |(hd0)/boot/a|1|"},
		{ARGS("load_env\nx=$?", "$x"), "boots |(hd0)/boot/a|5|"},
	};

	(void)state;
	CHECK(samples);
}

static void loops_end_as_they_should(void **state)
{
	static const struct sample samples[] = {
		{ARGS("for i in 1 2 3; do x=$x$i; done", "$x"), "boots |(hd0)/boot/a|123|"},
		{ARGS("for i in; do x=1; done", "$x"), "boots |(hd0)/boot/a||"},
		{ARGS("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; x=$x$i; done", "$x"),
		 "boots |(hd0)/boot/a|13|"},
		{ARGS("for i in 1 2 3; do if [ $i = 2 ]; then break; fi; x=$x$i; done", "$x"),
		 "boots |(hd0)/boot/a|1|"},
		{ARGS("for i in 1 2; do for j in a b; do x=$x$i$j; break 2; done; done", "$x"),
		 "boots |(hd0)/boot/a|1a|"},
		{ARGS("while [ \"$x\" != iii ]; do x=${x}i; done", "$x"),
		 "boots |(hd0)/boot/a|iii|"},
		{ARGS("until [ \"$x\" = ii ]; do x=${x}i; done", "$x"), "boots |(hd0)/boot/a|ii|"},
		{"while true; do x=1; done", "limit"},
	};

	(void)state;
	CHECK(samples);
}

static void functions_have_their_own_parameters(void **state)
{
	static const struct sample samples[] = {
		{ARGS("function f { x=\"$1-$#-$*\"; }\nf a 'b c'", "$x"),
		 "boots |(hd0)/boot/a|a-2-a b c|"},
		{ARGS("function f { shift; for i in \"$@\"; do x=\"$x<$i>\"; done; }\nf a 'b c' d",
		      "\"$x\""),
		 "boots |(hd0)/boot/a|\"<b c><d>\"|"},
		{ARGS("function f { return 3; x=no; }\nf\nx=$?$x", "$x"), "boots |(hd0)/boot/a|3|"},
		{ARGS("function f { setparams p q; x=$2; }\nf a b", "$x"),
		 "boots |(hd0)/boot/a|q|"},
		/* A command is never replaced by a function. */
		{ARGS("function true { x=no; }\ntrue", "x$x"), "boots |(hd0)/boot/a|x|"},
		{"function f { f; }\nf\n", "limit"},
		{ARGS("eval 'x=1; y=2'", "$x$y"), "boots |(hd0)/boot/a|12|"},
	};

	(void)state;
	CHECK(samples);
}

static void a_syntax_error_costs_its_line(void **state)
{
	static const struct sample samples[] = {
		{ARGS("x=1\nx=2 | true\ny=3", "$x$y"), "boots |(hd0)/boot/a|13|"},
		{ARGS("x=1\nx=2; }", "$x"), "boots |(hd0)/boot/a|1|"},
		{"linux /boot/a\nboot 'never closed\n", "falls-through"},
		{ARGS("x=\"a\n# gone\nb\"\nif [ \"$x\" = 'a\nb' ]; then y=1; fi", "$y"),
		 "boots |(hd0)/boot/a|1|"},
	};

	(void)state;
	CHECK(samples);
}

static void what_does_not_parse_is_named_with_its_line(void **state)
{
	static const char text[] = "echo a\n# comment\nif true; then\nfi\n";
	struct pvk_error err = {0};

	(void)state;
	assert_int_equal(grubparse_check(bytes_make(text, strlen(text)), &err), -PVK_E_FORMAT);
	assert_string_equal(err.msg, "line 4: syntax error");
}

static void nesting_has_a_limit(void **state)
{
	static char text[200 * 16];
	struct pvk_error err = {0};
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "if true; then\n");
	assert_int_equal(grubparse_check(bytes_make(text, len), &err), -PVK_E_LIMIT);
}

static void an_open_question_that_does_not_matter_is_no_unknown(void **state)
{
	static const struct sample samples[] = {
		{ARGS("if [ -f /boot/maybe ]; then y=1; fi", "x"), "boots |(hd0)/boot/a|x|"},
		{ARGS("if [ -f /boot/maybe ]; then y=1; fi", "x$y"), "unknown"},
		{ARGS("if cmp /a /b; then y=1; fi", "x"), "boots |(hd0)/boot/a|x|"},
		{ARGS("search --set=root --fs-uuid maybe", "x"), "unknown"},
		{ARGS("search --set=other --fs-uuid maybe", "x"), "boots |(hd0)/boot/a|x|"},
		{"source /boot/maybe\n", "unknown"},
		{"linux /boot/maybe\nboot\n", "unknown"},
	};

	(void)state;
	CHECK(samples);
}

#define DIGITS	"0 1 2 3 4 5 6 7 8 9"
#define TEN(x)	x x x x x x x x x x
#define ASK(n)	"if [ -f /boot/maybe ]; then x" n "=1; fi\n"
#define COUNT	"for a in " DIGITS "; do for b in " DIGITS "; do for c in " DIGITS "; do "
#define COUNTED "; done; done; done"

static void what_takes_too_long_is_unknown_however_it_is_spread(void **state)
{
	static const struct sample samples[] = {
		{ARGS(COUNT "true" COUNTED, "x"), "boots |(hd0)/boot/a|x|"},
		/* 64 evaluations, a thousand commands each. */
		{ARGS(ASK("1") ASK("2") ASK("3") ASK("4") ASK("5") ASK("6") COUNT "true" COUNTED,
		      "x"),
		 "unknown"},
		{ARGS(COUNT "v$a$b$c=1" COUNTED, "x"), "boots |(hd0)/boot/a|x|"},
		{ARGS(COUNT "v$a$b$c=1; w$a$b$c=1" COUNTED, "x"), "limit"},
		{ARGS(COUNT "echo " TEN(TEN(TEN("$a"))) COUNTED, "x"), "limit"},
		{ARGS(COUNT "v$a$b$c=1; unset v$a$b$c; w$a$b$c=1; unset w$a$b$c" COUNTED, "x"),
		 "boots |(hd0)/boot/a|x|"},
	};

	(void)state;
	CHECK(samples);
}

static void an_unknown_loader_variable_shows_in_the_command_line(void **state)
{
	static const struct grub_setting settings[] = {{"v", NULL, "the hoster's variable"}};
	struct grubworld world = grubworld_usual;
	struct grub_prediction *p;

	(void)state;
	world.settings = settings;
	world.n_settings = 1;
	p = grubworld_predict(&world, GRUB_DIALECT_SCRIPT, "linux /boot/a $v\nboot\n");
	assert_int_equal(p->end, GRUB_END_BOOTS);
	assert_string_equal(p->boot.cmdline_unknown, "the hoster's variable");
	grubscript_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_expand_as_in_grub),
		cmocka_unit_test(conditions_follow_the_status),
		cmocka_unit_test(loops_end_as_they_should),
		cmocka_unit_test(functions_have_their_own_parameters),
		cmocka_unit_test(a_syntax_error_costs_its_line),
		cmocka_unit_test(what_does_not_parse_is_named_with_its_line),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(an_open_question_that_does_not_matter_is_no_unknown),
		cmocka_unit_test(what_takes_too_long_is_unknown_however_it_is_spread),
		cmocka_unit_test(an_unknown_loader_variable_shows_in_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
