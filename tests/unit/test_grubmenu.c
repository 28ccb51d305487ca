/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The menu with nobody at the keyboard: default, timeout, fallback, submenus (normal/menu.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "grubworld.h"

#define ENTRIES                                                   \
	"menuentry A { linux /boot/a; }\n"                        \
	"menuentry B --id bid { linux /boot/b; }\n"               \
	"submenu S --id sid { menuentry X { linux /boot/c x; }\n" \
	"menuentry 'Y>Z' --id yid { linux /boot/c y; }\n}\n"

static void check_default(const char *value, const char *expected)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "timeout=1\nset default='%s'\n" ENTRIES, value);
	grubworld_check(GRUB_DIALECT_SCRIPT, text, expected);
}

static void default_is_a_number_a_title_an_id_or_a_path(void **state)
{
	static const struct {
		const char *value, *expected;
	} samples[] = {
		{"0", "boots A|(hd0)/boot/a||"},
		{"1", "boots B|(hd0)/boot/b||"},
		{" 1", "boots B|(hd0)/boot/b||"},
		{"01", "boots B|(hd0)/boot/b||"},
		{"0x1", "boots B|(hd0)/boot/b||"},
		{"1 and more", "boots B|(hd0)/boot/b||"},
		{"B", "boots B|(hd0)/boot/b||"},
		{"bid", "boots B|(hd0)/boot/b||"},
		{"2", "boots X|(hd0)/boot/c|x|"},
		{"2>1", "boots Y>Z|(hd0)/boot/c|y|"},
		{"sid>yid", "boots Y>Z|(hd0)/boot/c|y|"},
		{"S>Y>>Z", "boots Y>Z|(hd0)/boot/c|y|"},
		{"S>nosuch", "boots X|(hd0)/boot/c|x|"},
		/* Whatever is not there means the first entry. */
		{"", "boots A|(hd0)/boot/a||"},
		{"3", "boots A|(hd0)/boot/a||"},
		{"-1", "boots A|(hd0)/boot/a||"},
		{"nosuch", "boots A|(hd0)/boot/a||"},
		{"99999999999999999999999", "boots A|(hd0)/boot/a||"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check_default(samples[i].value, samples[i].expected);
}

static void without_a_timeout_the_menu_waits(void **state)
{
	static const struct {
		const char *line, *expected;
	} samples[] = {
		{"", "waits"},
		{"timeout=", "waits"},
		{"timeout=-1", "waits"},
		{"timeout=soon", "waits"},
		{"timeout=0", "boots A|(hd0)/boot/a||"},
		{"timeout=5.5", "boots A|(hd0)/boot/a||"},
		{"timeout=5\ntimeout_style=hidden", "boots A|(hd0)/boot/a||"},
		{"timeout_style=hidden", "waits"},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s\n" ENTRIES, samples[i].line);
		grubworld_check(GRUB_DIALECT_SCRIPT, text, samples[i].expected);
	}
}

static void a_failed_entry_needs_a_fallback(void **state)
{
	static const struct {
		const char *line, *expected;
	} samples[] = {
		{"", "waits"},
		{"fallback=1", "boots B|(hd0)/boot/b||"},
		{"fallback='3 2 1'", "boots X|(hd0)/boot/c|x|"},
		{"fallback=B", "waits"},
		{"fallback=9", "leaves"}, /* GRUB crashes */
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "timeout=1\ndefault=3\n%s\n" ENTRIES
			       "menuentry F { linux /boot/nosuch; }\n",
			       samples[i].line);
		grubworld_check(GRUB_DIALECT_SCRIPT, text, samples[i].expected);
	}
}

static void what_an_entry_loaded_is_started_whatever_else_failed(void **state)
{
	(void)state;
	grubworld_check(GRUB_DIALECT_SCRIPT,
			"timeout=1\nmenuentry A { nosuch; linux /boot/a; initrd /boot/nosuch; }\n",
			"boots A|(hd0)/boot/a||");
	grubworld_check(GRUB_DIALECT_SCRIPT, "timeout=1\nmenuentry A { linux /boot/bad; }\n",
			"waits");
	grubworld_check(GRUB_DIALECT_SCRIPT, "timeout=1\n", "falls-through");
}

static void submenus_see_exported_variables_only(void **state)
{
	(void)state;
	grubworld_check(GRUB_DIALECT_SCRIPT,
			"timeout=1\nx=1\ny=2\nexport y\n"
			"submenu S { menuentry \"E$x$y\" { linux /boot/a $x$y; }\n}\n",
			"boots E2|(hd0)/boot/a|2|");
}

static void a_password_waits_for_somebody(void **state)
{
	(void)state;
	grubworld_check(GRUB_DIALECT_SCRIPT,
			"timeout=1\nsuperusers=root\nmenuentry A { linux /boot/a; }\n", "waits");
	grubworld_check(
		GRUB_DIALECT_SCRIPT,
		"timeout=1\nsuperusers=root\nmenuentry A --unrestricted { linux /boot/a; }\n",
		"boots A|(hd0)/boot/a||");
}

static void the_menu_is_handed_out_as_it_is_shown(void **state)
{
	struct grub_prediction *p = grubworld_predict(
		&grubworld_usual, GRUB_DIALECT_SCRIPT,
		"timeout=7\ndefault=bid\nfallback='0 1'\ntimeout_style=menu\n" ENTRIES);
	const struct grub_menu *menu = p->menu;

	(void)state;
	assert_int_equal(menu->n_entries, 3);
	assert_string_equal(menu->chosen->title, "B");
	assert_string_equal(menu->default_value, "bid");
	assert_string_equal(menu->fallback, "0 1");
	assert_int_equal(menu->seconds, 7);
	assert_int_equal(menu->chosen->line, 6);
	assert_true(menu->entries->next->next->is_submenu);
	assert_string_equal(p->entry, "bid");
	assert_true(p->pause >= 7 && p->pause < 8);
	grubscript_free(p);
}

static void a_missing_initrd_costs_ten_seconds(void **state)
{
	struct grub_prediction *p = grubworld_predict(
		&grubworld_usual, GRUB_DIALECT_SCRIPT,
		"timeout=1\nmenuentry A { linux /boot/a; initrd /boot/nosuch; }\n");

	(void)state;
	assert_int_equal(p->end, GRUB_END_BOOTS);
	assert_string_equal(p->boot.failed_initrd, "/boot/nosuch");
	assert_true(p->pause > 10.9 && p->pause < 11.1);
	grubscript_free(p);
}

static void too_many_entries_are_a_limit(void **state)
{
	(void)state;
	grubworld_check(GRUB_DIALECT_SCRIPT,
			"while true; do menuentry A { linux /boot/a; }; done\n", "limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_is_a_number_a_title_an_id_or_a_path),
		cmocka_unit_test(without_a_timeout_the_menu_waits),
		cmocka_unit_test(a_failed_entry_needs_a_fallback),
		cmocka_unit_test(what_an_entry_loaded_is_started_whatever_else_failed),
		cmocka_unit_test(submenus_see_exported_variables_only),
		cmocka_unit_test(a_password_waits_for_somebody),
		cmocka_unit_test(the_menu_is_handed_out_as_it_is_shown),
		cmocka_unit_test(a_missing_initrd_costs_ten_seconds),
		cmocka_unit_test(too_many_entries_are_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
