/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubeval.h - the inside of the evaluator: shared by grub*.c and menulst*.c, by nobody else.
 *
 * What GRUB keeps in global variables (its environment, grub_errno, the loaded kernel, "break is
 * under way") lives in struct grub_eval. An end (a boot, a menu that waits, an unanswerable
 * question) leaves at once, through grubeval_stop(), to grubscript_predict().
 */
#ifndef PVK_GRUBEVAL_H
#define PVK_GRUBEVAL_H

#include "arena.h"
#include "grubast.h"
#include "grubscript.h"

/* include/grub/err.h: the numbers that $? shows. */
enum grub_status {
	GRUB_STATUS_UNKNOWN = -1, /* ours: the command exists, its success cannot be known */
	GRUB_OK = 0,
	GRUB_TEST_FAILURE = 1,
	GRUB_BAD_MODULE = 2,
	GRUB_OUT_OF_MEMORY = 3,
	GRUB_BAD_FILE_TYPE = 4,
	GRUB_FILE_NOT_FOUND = 5,
	GRUB_BAD_FILENAME = 7,
	GRUB_BAD_NUMBER = 10,
	GRUB_OUT_OF_RANGE = 11,
	GRUB_UNKNOWN_DEVICE = 12,
	GRUB_BAD_DEVICE = 13,
	GRUB_UNKNOWN_COMMAND = 16,
	GRUB_INVALID_COMMAND = 17,
	GRUB_BAD_ARGUMENT = 18,
	GRUB_BAD_OS = 21,
	GRUB_NO_KERNEL = 22,
	GRUB_BAD_FONT = 23,
	GRUB_MENU = 27,
	GRUB_ACCESS_DENIED = 30,
	GRUB_EXTRACTOR = 31,
};

struct grub_value {
	const char *text;    /* NULL: not set. What is unknown in it is shown as ${name} */
	const char *unknown; /* why it is not known; NULL: it is */
};

struct grub_variable {
	const char *name;
	struct grub_value value;
	bool is_exported;
	struct grub_variable *next;
};

struct grub_context {
	struct grub_variable *variables;
	unsigned n_variables;
	struct grub_menu *menu; /* NULL: none yet */
	struct grub_context *outer;
};

/* Positional parameters of a function or an entry. */
struct grub_scope {
	struct grub_value *args;
	size_t n_args;
};

struct grub_eval {
	struct arena arena;
	const struct grub_host *host;
	struct grub_prediction *out;
	jmp_buf stop;

	const bool *guesses; /* answers to open questions, in the order in which they come up */
	unsigned n_questions;
	const char *questions[GRUB_QUESTIONS_MAX];

	struct grub_context *context;
	unsigned lookups; /* of variables, in this evaluation and those before it */
	struct grub_function *functions;
	struct grub_scope *scope;
	unsigned extractors; /* extract_entries_* under way */
	unsigned nesting;
	const char *file; /* being read */
	unsigned line;

	int error; /* grub_errno */
	const char *error_text;
	unsigned errors_printed;
	struct grub_message **last_message;
	const char *status_unknown; /* why the last GRUB_STATUS_UNKNOWN */

	unsigned long loops, breaks;
	bool is_continue;
	bool is_returning;

	bool is_loaded;
	struct grub_boot boot;
	enum {
		GRUB_LEGACY_GUESS,
		GRUB_LEGACY_LINUX,
		GRUB_LEGACY_MULTIBOOT,
		GRUB_LEGACY_OTHER
	} legacy;
	const char *forced_entry;
};

struct grub_call {
	const char *name;
	const struct grub_value *args;
	size_t n_args;
	const struct grub_block *block;
};

/* --- grubeval.c: running --- */

_Noreturn void grubeval_stop(struct grub_eval *ev, enum grub_end end, const char *reason);
bool grubeval_decide(struct grub_eval *ev, const char *question);

/* Is the status 0? Decides where it is unknown. */
bool grubeval_is_success(struct grub_eval *ev, int status);

/* grub_error(): remembers the message; answers the code. */
int grubeval_fail(struct grub_eval *ev, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int grubeval_unknown(struct grub_eval *ev, const char *why);
void grubeval_print_error(struct grub_eval *ev);

int grubeval_run_text(struct grub_eval *ev, const char *text, const unsigned *lines);

/* A text that is no file: an entry's body, the argument of eval. */
int grubeval_run_source(struct grub_eval *ev, const char *source);
int grubeval_call_function(struct grub_eval *ev, struct grub_function *function,
			   const struct grub_call *call);

/* --- grubvars.c: the environment --- */

struct grub_value grubvars_get(struct grub_eval *ev, const char *name);
const char *grubvars_text(struct grub_eval *ev, const char *name);
void grubvars_set(struct grub_eval *ev, const char *name, const char *text);
void grubvars_set_value(struct grub_eval *ev, const char *name, struct grub_value value);
void grubvars_unset(struct grub_eval *ev, const char *name);
void grubvars_export(struct grub_eval *ev, const char *name);
void grubvars_open(struct grub_eval *ev, bool is_all);
void grubvars_close(struct grub_eval *ev);

/* --- grubexpand.c, grubwild.c: words to arguments --- */

struct grub_value *grubexpand_words(struct grub_eval *ev, const struct grub_word *words,
				    size_t *ret_count);

/* File names for a word with '*' or '?'; *ret_count 0: it stays as it is. `word` is still in the
 * form with backslashes. */
const char *const *grubwild_expand(struct grub_eval *ev, const char *word, size_t *ret_count,
				   const char **ret_unknown);
bool grubwild_has_pattern(const char *word);

/* --- grubcommands.c --- */

/* Runs a command that the platform has: true and *ret_status; false: there is none. */
bool grubcommands_run(struct grub_eval *ev, const struct grub_call *call, int *ret_status);

/* The first argument that is not known, or NULL. */
const char *grubcommands_unknown_arg(const struct grub_call *call);

/* strtoul of kern/misc.c; on failure sets the error. *ret_end may be NULL. */
unsigned long grubcommands_number(struct grub_eval *ev, const char *text, int base,
				  const char **ret_end);

/* --- gruboptions.c: lib/arg.c --- */

enum {
	GRUB_OPTION_STRING = 1,	  /* takes a value */
	GRUB_OPTION_OPTIONAL = 2, /* which may be missing */
	GRUB_OPTION_REPEATABLE = 4,
};

#define GRUB_OPTIONS_DASH     1 /* unknown options are arguments */
#define GRUB_OPTIONS_AT_START 2

struct grub_option {
	const char *name;
	char letter;
	int flags;
};

struct grub_options {
	struct grub_value *values[12]; /* per option; repeatable ones hold all */
	size_t counts[12];	       /* 0: not given */
	struct grub_value *args;
	size_t n_args;
};

/* False: an error is set (or --help was asked for, which is no error but does nothing). */
bool gruboptions_parse(struct grub_eval *ev, const struct grub_call *call,
		       const struct grub_option *options, int flags, struct grub_options *ret);

/* --- grubfile.c: files by GRUB path --- */

/* Splits "(device)/path", or takes $root; false: an error is set. */
bool grubfile_resolve(struct grub_eval *ev, struct grub_value name, const char **ret_device,
		      const char **ret_path);
enum grub_file_kind grubfile_stat(struct grub_eval *ev, const char *device, const char *path,
				  uint64_t *ret_size);

/* The content; NO: an error is set. UNKNOWN does not return: what a file that nobody can read
 * would do is anybody's guess. */
bool grubfile_read(struct grub_eval *ev, struct grub_value name, struct bytes *ret);

/* --- grubbasics.c: the small commands --- */

int grubbasics_set(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_unset(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_export(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_insmod(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_break(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_return(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_shift(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_setparams(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_eval(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_sleep(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_loadfont(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_loopback(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_tr(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_time(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_cat(struct grub_eval *ev, const struct grub_call *call);
int grubbasics_probe(struct grub_eval *ev, const struct grub_call *call);

/* --- the commands with a file of their own --- */

int grubtest_run(struct grub_eval *ev, const struct grub_call *call);
int grubsearch_run(struct grub_eval *ev, const struct grub_call *call);
int grubsearch_run_simple(struct grub_eval *ev, const struct grub_call *call);
int grubloadenv_load(struct grub_eval *ev, const struct grub_call *call);
int grubloadenv_save(struct grub_eval *ev, const struct grub_call *call);
int grubloadenv_list(struct grub_eval *ev, const struct grub_call *call);
int grubregexp_run(struct grub_eval *ev, const struct grub_call *call);
int grubload_kernel(struct grub_eval *ev, const struct grub_call *call);
int grubload_initrd(struct grub_eval *ev, const struct grub_call *call);
int grubload_module(struct grub_eval *ev, const struct grub_call *call);
int grubload_boot(struct grub_eval *ev, const struct grub_call *call);
int grubload_legacy_kernel(struct grub_eval *ev, const struct grub_call *call);
int grubload_legacy_initrd(struct grub_eval *ev, const struct grub_call *call);
int grubload_legacy_initrd_nounzip(struct grub_eval *ev, const struct grub_call *call);
int grubconfig_source(struct grub_eval *ev, const struct grub_call *call);
int grubconfig_legacy(struct grub_eval *ev, const struct grub_call *call);
int grubconfig_normal(struct grub_eval *ev, const struct grub_call *call);
int grubmenu_define(struct grub_eval *ev, const struct grub_call *call);

/* --- menulst.c: a menu.lst, translated line by line, run into the current menu --- */

void menulst_run(struct grub_eval *ev, struct bytes file);

/* menulstrules.c: the script that a line comes to. False: no such command there. */
struct menulst_line {
	const char *script; /* NULL: none */
	const char *suffix; /* for behind the whole file; NULL: none */
};

bool menulstrules_translate(struct grub_eval *ev, const char *name, size_t len, const char *rest,
			    bool is_in_entry, struct menulst_line *ret);

/* --- grubmenu.c --- */

struct grub_menu *grubmenu_current(struct grub_eval *ev);
void grubmenu_add(struct grub_eval *ev, struct grub_menu *menu, const struct grub_entry *entry);

/* Shows the menu and follows what it does; returns only when a submenu gives up. */
void grubmenu_show(struct grub_eval *ev, struct grub_menu *menu, bool is_auto);

/* Does the entry match one component of `default`? */
bool grubmenu_entry_matches(const char *id, const char *spec);

#endif
