/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_apply.c - whole transactions on a small tree, with real workers, once for each form of a
 * result; originals are stashed here, not diverted, which needs dpkg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/hybrid.h"
#include "../../src/policy/apply.h"
#include "../../src/policy/record.h"
#include "../../src/system/digest.h"
#include "../../src/system/signals.h"
#include "bzbuild.h"
#include "elfbuild.h"
#include "tmptree.h"

#define VERSION	 "6.1.0-50-amd64"
#define IMAGE	 "boot/vmlinuz-" VERSION
#define PACKAGED "boot/pvkprep/packaged-" VERSION
#define RECORD	 "boot/pvkprep/" VERSION ".json"
#define MD5SUMS	 "var/lib/dpkg/info/linux-image-" VERSION ".md5sums"

static const struct kernel kernel = {
	.version = VERSION,
	.file = "vmlinuz-" VERSION,
	.packaged = "packaged-" VERSION,
	.record = VERSION ".json",
};

/* --- calls that fail on demand, and a moment to interfere; see WRAP in the Makefile --- */

enum call {
	CALL_NONE,
	CALL_FALLOCATE,
	CALL_LINKAT,
	CALL_RENAMEAT,
	CALL_FSYNC,
	CALL_COUNT
};

static struct {
	enum call call;
	int nth; /* counts down: the one that makes it 0 fails; 0: every one */
	int error;
	bool hit;
} fault;

/* Called once while the second worker, the one that decodes, is at work. */
static void (*interfere)(const struct tmptree *tree);
static const struct tmptree *interfere_tree;
static int workers;

int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size);
int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
pid_t __real_fork(void);
pid_t __wrap_fork(void);

static bool fails(enum call call)
{
	if (fault.call != call || (fault.nth > 0 && --fault.nth != 0))
		return false;
	if (fault.hit)
		return false;
	fault.hit = true;
	errno = fault.error;
	return true;
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size)
{
	return fails(CALL_FALLOCATE) ? -1 : __real_fallocate(fd, mode, offset, size);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size)
{
	return __wrap_fallocate(fd, mode, offset, size);
}

int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return fails(CALL_LINKAT) ? -1 : __real_linkat(from_fd, from, to_fd, to, flags);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(CALL_RENAMEAT) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __wrap_fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

pid_t __wrap_fork(void)
{
	pid_t pid = __real_fork();

	if (pid > 0 && ++workers == 2 && interfere)
		interfere(interfere_tree);
	return pid;
}

static void set_fault(enum call call, int nth, int error)
{
	memset(&fault, 0, sizeof(fault));
	fault.call = call;
	fault.nth = nth;
	fault.error = error;
}

/* --- the tree --- */

struct world {
	struct tmptree tree;
	struct root root;
	struct bootdir boot;
	struct config config;
	struct apply apply;
	struct stream elf;    /* what is inside */
	struct stream packed; /* the packaged image: LZ4 */
	struct stream result; /* what is made of it */
};

/* Of the whole group. */
static enum config_format format;

/* The hybrid of a packaged image and its ELF; put together here, by hybrid.h. */
static struct stream make_hybrid(const struct stream *packed, const struct stream *elf)
{
	_cleanup_free_ uint8_t *gzip = malloc((size_t)hybrid_gzip_bound(elf->size));
	struct stream hybrid;
	uint64_t size;

	assert_int_equal(
		hybrid_gzip(stream_view(elf), gzip, hybrid_gzip_bound(elf->size), &size, NULL), 0);
	hybrid.size = (size_t)hybrid_size(packed->size, size);
	hybrid.data = malloc(hybrid.size);
	assert_non_null(hybrid.data);
	hybrid_assemble(stream_view(packed), bytes_make(gzip, (size_t)size), hybrid.data);
	return hybrid;
}

/* What --prepare makes of a bzImage in the form of this group. */
static struct stream make_result(const struct stream *packed, const struct stream *elf)
{
	return format == FORMAT_HYBRID ? make_hybrid(packed, elf) : stream_copy(stream_view(elf));
}

static int make_world(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	set_fault(CALL_NONE, 0, 0);
	interfere = NULL;
	interfere_tree = &world.tree;
	tmptree_init(&world.tree);
	world.elf = bzbuild_elf();
	world.packed = bzbuild_kernel(CODEC_LZ4_LEGACY);
	world.result = make_result(&world.packed, &world.elf);
	tmptree_write(&world.tree, IMAGE, stream_view(&world.packed));
	tmptree_chmod(&world.tree, IMAGE, 0600);
	config_init(&world.config);
	world.config.originals = ORIGINALS_STASH;
	world.config.format = format;
	world.apply =
		(struct apply){.root = &world.root, .config = &world.config, .boot = &world.boot};
	*state = &world;
	if (root_open(world.tree.path, &world.root, NULL) < 0)
		return -1;
	return bootdir_open(&world.root, &world.boot, NULL);
}

static int remove_world(void **state)
{
	struct world *world = *state;

	set_fault(CALL_NONE, 0, 0);
	bootdir_close(&world->boot);
	root_close(&world->root);
	stream_done(&world->elf);
	stream_done(&world->packed);
	stream_done(&world->result);
	tmptree_done(&world->tree);
	return 0;
}

/* A run of the program of its own: /boot/pvkprep may have come or gone. */
static void reopen(struct world *world)
{
	bootdir_close(&world->boot);
	assert_int_equal(bootdir_open(&world->root, &world->boot, NULL), 0);
	workers = 0;
}

static struct outcome prepare(struct world *world)
{
	struct outcome outcome;
	int r;

	reopen(world);
	r = apply_prepare(&world->apply, &kernel, &outcome);
	assert_int_equal(r < 0, outcome.kind == OUTCOME_FAILED);
	assert_int_equal(r, -outcome.error.code * (r < 0));
	return outcome;
}

static struct outcome restore(struct world *world)
{
	struct outcome outcome;
	int r;

	reopen(world);
	r = apply_restore(&world->apply, &kernel, &outcome);
	assert_int_equal(r < 0, outcome.kind == OUTCOME_FAILED);
	return outcome;
}

static void assert_prepared(struct world *world)
{
	struct outcome outcome = prepare(world);

	if (outcome.kind != OUTCOME_PREPARED)
		fail_msg("%s: %s", outcome_name(outcome.kind), outcome.error.msg);
}

static void assert_failed(const struct outcome *outcome, int code, const char *word)
{
	if (outcome->kind != OUTCOME_FAILED || outcome->error.code != code ||
	    !strstr(outcome->error.msg, word))
		fail_msg("%s, %d: '%s'", outcome_name(outcome->kind), outcome->error.code,
			 outcome->error.msg);
	assert_false(outcome->wrote);
}

static bool image_is(const struct world *world, const struct stream *content)
{
	return tmptree_holds(&world->tree, IMAGE, stream_view(content));
}

static void assert_no_temp_file(const struct world *world)
{
	assert_int_equal(tmptree_count(&world->tree, "boot"),
			 tmptree_exists(&world->tree, "boot/pvkprep") ? 2 : 1);
	if (tmptree_exists(&world->tree, "boot/pvkprep"))
		assert_int_equal(tmptree_count(&world->tree, "boot/pvkprep"),
				 tmptree_exists(&world->tree, PACKAGED) +
					 tmptree_exists(&world->tree, RECORD));
}

/* Nothing but, at most, our empty directory has come. */
static void assert_untouched(const struct world *world)
{
	assert_true(image_is(world, &world->packed));
	assert_false(tmptree_exists(&world->tree, PACKAGED));
	assert_false(tmptree_exists(&world->tree, RECORD));
	assert_no_temp_file(world);
}

static void list_md5(const struct world *world, struct bytes content)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "%s  boot/vmlinuz-" VERSION "\n", digest_md5(content).s);
	tmptree_write_text(&world->tree, MD5SUMS, line);
}

/* Replaces the image as dpkg does: a new file under the old name. */
static void install_image(const struct tmptree *tree, struct bytes content)
{
	tmptree_write(tree, "boot/new", content);
	if (__real_renameat(tree->fd, "boot/new", tree->fd, IMAGE) < 0)
		fail_msg("rename: %s", strerror(errno));
}

static bool is_same_stat(struct stat a, struct stat b)
{
	return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode &&
	       a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
	       a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

/* --- preparing --- */

static void a_kernel_is_prepared(void **state)
{
	struct world *world = *state;
	const struct stat before = tmptree_stat(&world->tree, IMAGE);
	struct outcome outcome = prepare(world);

	assert_int_equal(outcome.kind, OUTCOME_PREPARED);
	assert_true(outcome.wrote && outcome.has_image && outcome.has_packaged);
	assert_int_equal(outcome.old_size, world->packed.size);
	assert_int_equal(outcome.new_size, world->result.size);
	assert_true(image_is(world, &world->result));
	assert_int_equal(tmptree_stat(&world->tree, IMAGE).st_mode & 07777, 0600);
	assert_int_equal(tmptree_stat(&world->tree, PACKAGED).st_ino, before.st_ino);
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
	assert_true(tmptree_exists(&world->tree, RECORD));
	assert_no_temp_file(world);
}

static void a_second_run_touches_nothing(void **state)
{
	static const char *const paths[] = {"boot", IMAGE, "boot/pvkprep", PACKAGED, RECORD};
	struct world *world = *state;
	struct outcome outcome;
	struct stat before[5];

	assert_prepared(world);
	for (size_t i = 0; i < 5; i++)
		before[i] = tmptree_stat(&world->tree, paths[i]);
	for (int run = 0; run < 3; run++) {
		outcome = prepare(world);
		assert_int_equal(outcome.kind, OUTCOME_ALREADY);
		assert_false(outcome.wrote);
		assert_true(outcome.has_packaged);
		assert_int_equal(outcome.old_size, world->packed.size);
		assert_int_equal(outcome.new_size, world->result.size);
		assert_int_equal(workers, 0); /* no worker was needed */
		for (size_t i = 0; i < 5; i++)
			if (!is_same_stat(before[i], tmptree_stat(&world->tree, paths[i])))
				fail_msg("%s was touched", paths[i]);
	}
}

static void a_bzimage_or_stream_of_every_codec_is_prepared(void **state)
{
	struct world *world = *state;

	for (enum codec codec = CODEC_BZIP2; codec < CODEC_COUNT; codec++) {
		_cleanup_stream_ struct stream bzimage = bzbuild_kernel(codec);
		_cleanup_stream_ struct stream result = make_result(&bzimage, &world->elf);
		_cleanup_stream_ struct stream stream =
			stream_encode(codec, stream_view(&world->elf));

		install_image(&world->tree, stream_view(&bzimage));
		assert_prepared(world);
		assert_true(image_is(world, &result));
		install_image(&world->tree, stream_view(&stream));
		assert_prepared(world);
		assert_true(image_is(world, &world->elf)); /* in either form: it has no stub */
		assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&stream)));
	}
}

/* Loaders unpack the outer layer, and then find what they cannot read. */
static void a_bzimage_that_is_compressed_once_more_is_prepared(void **state)
{
	static const enum codec outer[] = {CODEC_GZIP, CODEC_XZ};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++) {
		_cleanup_stream_ struct stream twice =
			stream_encode(outer[i], stream_view(&world->packed));

		install_image(&world->tree, stream_view(&twice));
		list_md5(world, stream_view(&twice));
		assert_prepared(world);
		assert_true(image_is(world, &world->elf)); /* in either form: its stub is packed */
		assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&twice)));
		assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
		assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
		assert_true(image_is(world, &twice));
	}
}

static void a_gzip_of_what_the_loader_reads_is_kept(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream gzip = bzbuild_kernel(CODEC_GZIP);
	_cleanup_stream_ struct stream twice = stream_encode(CODEC_GZIP, stream_view(&gzip));

	install_image(&world->tree, stream_view(&twice));
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_true(image_is(world, &twice));
	assert_false(prepare(world).wrote);
}

static void what_the_loader_reads_is_kept_and_remembered(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream gzip = bzbuild_kernel(CODEC_GZIP);
	struct outcome outcome;
	struct stat image, record;

	install_image(&world->tree, stream_view(&gzip));
	image = tmptree_stat(&world->tree, IMAGE);
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_KEPT);
	assert_false(outcome.has_packaged);
	record = tmptree_stat(&world->tree, RECORD);
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_KEPT);
	assert_false(outcome.wrote);
	assert_true(is_same_stat(image, tmptree_stat(&world->tree, IMAGE)));
	assert_true(is_same_stat(record, tmptree_stat(&world->tree, RECORD)));
	assert_false(tmptree_exists(&world->tree, PACKAGED));
}

static void a_dry_run_writes_nothing(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream gzip = bzbuild_kernel(CODEC_GZIP);
	const struct stat before = tmptree_stat(&world->tree, "boot");
	struct outcome outcome;

	world->apply.dry_run = true;
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_WOULD_PREPARE);
	assert_int_equal(outcome.new_size, world->result.size);
	assert_false(outcome.wrote);
	assert_untouched(world);
	assert_true(is_same_stat(before, tmptree_stat(&world->tree, "boot")));
	install_image(&world->tree, stream_view(&gzip));
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_false(tmptree_exists(&world->tree, "boot/pvkprep"));
}

/* --- what is refused --- */

static void a_wrong_md5_stops_unless_forced(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	list_md5(world, bytes_make("another image", 13));
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_REFUSED, "linux-image-" VERSION);
	assert_untouched(world);
	world->apply.force = true;
	assert_prepared(world);
	assert_true(image_is(world, &world->result));
}

static void a_right_md5_is_told_with_its_package(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	list_md5(world, stream_view(&world->packed));
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_PREPARED);
	assert_string_equal(outcome.md5_package, "linux-image-" VERSION);
}

static void a_damaged_or_useless_image_stays_as_it_is(void **state)
{
	struct world *world = *state;
	_cleanup_free_ uint8_t *pvh = NULL;
	_cleanup_stream_ struct stream payload = {0}, no_pv = {0};
	struct outcome outcome;
	struct elfbuild b;
	size_t size;

	bzbuild_set(&world->packed, BZBUILD_PAYLOAD + 6, 1, 0xff);
	install_image(&world->tree, stream_view(&world->packed));
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_FAILED);
	assert_untouched(world);

	elfbuild_pvh_only(&b);
	pvh = elfbuild_make(&b, &size);
	payload = bzbuild_payload(CODEC_ZSTD, bytes_make(pvh, size));
	no_pv = bzbuild_wrap(stream_view(&payload));
	install_image(&world->tree, stream_view(&no_pv));
	outcome = prepare(world);
	assert_int_equal(outcome.error.code, PVK_E_NOT_PV);
	assert_true(image_is(world, &no_pv));
	assert_no_temp_file(world);
	install_image(&world->tree, bytes_make("text", 4));
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_FORMAT, "not a kernel image");
	assert_no_temp_file(world);
}

static void an_image_that_is_not_ours_to_trust_is_refused(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	tmptree_chmod(&world->tree, IMAGE, 0666);
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_REFUSED, "written by others");
	assert_untouched(world);
	tmptree_remove(&world->tree, IMAGE);
	outcome = prepare(world);
	assert_failed(&outcome, ENOENT, "No such file");
	tmptree_symlink(&world->tree, "../elsewhere", IMAGE);
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_REFUSED, "symbolic link to '../elsewhere'");
}

/* --- somebody else at work --- */

static void replace_image(const struct tmptree *tree)
{
	install_image(tree, bytes_make("from another hand", 17));
}

static void write_into_image(const struct tmptree *tree)
{
	tmptree_write_text(tree, IMAGE, "from another hand");
}

static void remove_image(const struct tmptree *tree)
{
	tmptree_remove(tree, IMAGE);
}

static void a_source_that_changes_meanwhile_stays_as_it_became(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	interfere = replace_image;
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_CHANGED, "replaced by somebody else");
	assert_true(tmptree_holds(&world->tree, IMAGE, bytes_make("from another hand", 17)));
	assert_false(tmptree_exists(&world->tree, PACKAGED));
	assert_no_temp_file(world);

	install_image(&world->tree, stream_view(&world->packed));
	interfere = write_into_image;
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_CHANGED, "changed by somebody else");
	assert_true(tmptree_holds(&world->tree, IMAGE, bytes_make("from another hand", 17)));
	assert_no_temp_file(world);

	install_image(&world->tree, stream_view(&world->packed));
	interfere = remove_image;
	outcome = prepare(world);
	assert_failed(&outcome, ENOENT, "cannot find it any more");
	assert_false(tmptree_exists(&world->tree, IMAGE));
	assert_int_equal(tmptree_count(&world->tree, "boot"), 1);
}

static void raise_sigterm(const struct tmptree *tree)
{
	(void)tree;
	(void)raise(SIGTERM);
}

static void a_signal_leaves_everything_as_it_was(void **state)
{
	struct world *world = *state;
	struct outcome outcome;
	sigset_t old;

	signals_block(&old);
	interfere = raise_sigterm;
	outcome = prepare(world);
	(void)signal(SIGTERM, SIG_IGN); /* forgets the one that waits */
	signals_restore(&old);
	(void)signal(SIGTERM, SIG_DFL);
	assert_failed(&outcome, PVK_E_INTERRUPTED, "interrupted");
	assert_untouched(world);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* --- later runs --- */

static void an_update_of_the_same_version_is_prepared_again(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream newer = {0}, payload = {0}, packed = {0}, result = {0};
	struct elfbuild b;

	assert_prepared(world);
	elfbuild_linux_6_12(&b);
	newer.data = elfbuild_make(&b, &newer.size);
	payload = bzbuild_payload(CODEC_ZSTD, stream_view(&newer));
	packed = bzbuild_wrap(stream_view(&payload));
	result = make_result(&packed, &newer);
	install_image(&world->tree, stream_view(&packed));
	assert_prepared(world);
	assert_true(image_is(world, &result));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&packed)));
	assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &packed));
}

static void prepare_diverted(struct world *world)
{
	static const char entry[] =
		"/boot/vmlinuz-" VERSION "\n/boot/pvkprep/packaged-" VERSION "\npvkprep\n";

	assert_prepared(world);
	tmptree_write_text(&world->tree, "var/lib/dpkg/diversions", entry);
}

/* As dpkg updates a diverted image: it writes the kept one, and the one in place is the old. */
static void divert_and_update(struct world *world, const struct stream *image)
{
	prepare_diverted(world);
	tmptree_remove(&world->tree, PACKAGED);
	tmptree_write(&world->tree, PACKAGED, stream_view(image));
}

static void an_update_that_decodes_to_the_same_is_told_and_not_written(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream zstd = bzbuild_kernel(CODEC_ZSTD);
	struct outcome outcome;
	struct stat before;

	divert_and_update(world, &zstd);
	before = tmptree_stat(&world->tree, IMAGE);
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_PREPARED);
	assert_int_equal(outcome.image.codec, CODEC_ZSTD);
	if (format == FORMAT_ELF)
		assert_true(is_same_stat(before, tmptree_stat(&world->tree, IMAGE)));
	assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
}

static void an_update_that_the_loader_reads_takes_its_place(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream gzip = bzbuild_kernel(CODEC_GZIP);

	divert_and_update(world, &gzip);
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_true(image_is(world, &gzip));
	assert_false(prepare(world).wrote);
}

/* `make install` of a kernel that has the version of a package's. */
static void somebodys_own_image_over_a_diverted_one_is_not_overwritten(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream own = bzbuild_kernel(CODEC_XZ);

	prepare_diverted(world);
	install_image(&world->tree, stream_view(&own));
	assert_failed(&(struct outcome[]){prepare(world)}[0], PVK_E_REFUSED, "neither");
	assert_true(image_is(world, &own));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
	world->apply.force = true;
	assert_prepared(world);
}

/* It may be ours, damaged; and a copy of the package's is nobody's own. */
static void what_else_is_over_a_diverted_one_is_made_anew(void **state)
{
	struct world *world = *state;

	prepare_diverted(world);
	world->result.data[world->result.size / 2] ^= 1;
	install_image(&world->tree, stream_view(&world->result));
	world->result.data[world->result.size / 2] ^= 1;
	assert_prepared(world);
	install_image(&world->tree, stream_view(&world->packed));
	assert_prepared(world);
}

static void a_kept_image_is_planned_anew_when_the_configuration_changes(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream xz = bzbuild_kernel(CODEC_XZ);
	_cleanup_stream_ struct stream result = make_result(&xz, &world->elf);
	struct outcome outcome;

	install_image(&world->tree, stream_view(&xz));
	assert_int_equal(config_set(&world->config, "kernel", "convert", "lz4", NULL), 0);
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_true(image_is(world, &xz));
	/* Another loader: the same answer, but it was thought about. */
	assert_int_equal(config_set(&world->config, "boot", "profile", "pygrub", NULL), 0);
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_KEPT);
	assert_true(outcome.wrote);
	assert_false(prepare(world).wrote);
	assert_int_equal(config_set(&world->config, "kernel", "convert", "all", NULL), 0);
	assert_prepared(world);
	assert_true(image_is(world, &result));
}

/* lz4 is nothing for pvgrub: that it shall not be converted does not make it loadable. */
static void an_image_that_may_not_be_converted_and_cannot_stay_fails(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	assert_int_equal(config_set(&world->config, "kernel", "convert", "xz", NULL), 0);
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_NOT_PV, "would not start it");
	assert_untouched(world);
}

static void a_lost_record_is_written_again_without_touching_the_image(void **state)
{
	struct world *world = *state;
	struct outcome outcome;
	struct stat before;

	assert_prepared(world);
	before = tmptree_stat(&world->tree, IMAGE);
	tmptree_remove(&world->tree, RECORD);
	outcome = prepare(world);
	assert_true(outcome.kind == OUTCOME_KEPT || outcome.kind == OUTCOME_ALREADY);
	assert_true(is_same_stat(before, tmptree_stat(&world->tree, IMAGE)));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
	assert_true(tmptree_exists(&world->tree, RECORD));
	assert_false(prepare(world).wrote);
}

static void a_result_that_was_merely_touched_is_still_ours(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	struct world *world = *state;
	struct outcome outcome;

	assert_prepared(world);
	assert_int_equal(utimensat(world->tree.fd, IMAGE, times, 0), 0);
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_ALREADY);
	assert_false(prepare(world).wrote);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &world->packed));
}

/* --- how the original is kept --- */

static void without_originals_none_is_kept(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	world->config.originals = ORIGINALS_NONE;
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_PREPARED);
	assert_false(outcome.has_packaged);
	assert_false(tmptree_exists(&world->tree, PACKAGED));
	assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
	outcome = restore(world);
	if (format == FORMAT_HYBRID) {
		assert_int_equal(outcome.kind, OUTCOME_RESTORED);
		assert_true(image_is(world, &world->packed));
		assert_int_equal(tmptree_count(&world->tree, "boot"), 1);
		return;
	}
	assert_failed(&outcome, PVK_E_REFUSED, "no packaged image is kept");
	assert_true(image_is(world, &world->result));
}

static void without_hard_links_the_original_is_copied(void **state)
{
	struct world *world = *state;
	const struct stat before = tmptree_stat(&world->tree, IMAGE);

	set_fault(CALL_LINKAT, 1, EPERM);
	assert_prepared(world);
	assert_true(fault.hit);
	assert_true(tmptree_stat(&world->tree, PACKAGED).st_ino != before.st_ino);
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
	assert_int_equal(tmptree_stat(&world->tree, PACKAGED).st_mode & 07777, 0600);
	assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &world->packed));
}

/* --- faults --- */

static void a_full_disk_is_told_before_anything_is_decoded(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	set_fault(CALL_FALLOCATE, 1, ENOSPC);
	outcome = prepare(world);
	assert_failed(&outcome, ENOSPC, "cannot allocate");
	if (format == FORMAT_ELF) /* the worker that identifies, not the one that decodes */
		assert_int_equal(workers, 1);
	assert_untouched(world);
}

/*
 * Each call fails once, at each of its places, with and without hard links. The image is the old
 * or the new one, whole; nothing lies about; the next run finishes the work; the original is not
 * lost.
 */
static void try_fault(struct world *world, enum call call, int nth, int error)
{
	struct outcome outcome;

	set_fault(call, nth, error);
	outcome = prepare(world);
	if (!image_is(world, &world->packed) && !image_is(world, &world->result))
		fail_msg("call %d, place %d: the image is neither", call, nth);
	assert_no_temp_file(world);
	if (image_is(world, &world->result))
		assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
	else
		assert_int_equal(outcome.kind, OUTCOME_FAILED);
}

static void no_single_fault_loses_an_image(void **state)
{
	struct world *world = *state;
	static const int errors[CALL_COUNT] = {0, ENOSPC, ENOSPC, EROFS, EIO};

	list_md5(world, stream_view(&world->packed));
	for (enum call call = CALL_FALLOCATE; call < CALL_COUNT; call++) {
		int nth;

		for (nth = 1; nth < 20; nth++) {
			bool was_hit;

			try_fault(world, call, nth, errors[call]);
			was_hit = fault.hit;
			set_fault(CALL_NONE, 0, 0);
			(void)prepare(world);
			assert_true(image_is(world, &world->result));
			assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
			assert_true(image_is(world, &world->packed));
			assert_no_temp_file(world);
			if (!was_hit)
				break;
		}
		assert_in_range(nth, 2, 19); /* the call was met, and the places came to an end */
	}
}

/* --- restoring --- */

static void the_packaged_image_comes_back_byte_for_byte(void **state)
{
	struct world *world = *state;
	const struct stat before = tmptree_stat(&world->tree, IMAGE);
	struct outcome outcome;

	assert_prepared(world);
	outcome = restore(world);
	assert_int_equal(outcome.kind, OUTCOME_RESTORED);
	assert_true(outcome.wrote);
	assert_int_equal(outcome.old_size, world->result.size);
	assert_int_equal(outcome.new_size, world->packed.size);
	assert_int_equal(tmptree_stat(&world->tree, IMAGE).st_ino, before.st_ino);
	assert_true(image_is(world, &world->packed));
	assert_int_equal(tmptree_count(&world->tree, "boot"), 1);
	/* And it can be prepared and restored again. */
	assert_prepared(world);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
}

static void a_dry_restore_writes_nothing(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	assert_prepared(world);
	world->apply.dry_run = true;
	outcome = restore(world);
	assert_int_equal(outcome.kind, OUTCOME_WOULD_RESTORE);
	assert_false(outcome.wrote);
	assert_true(image_is(world, &world->result));
	assert_true(tmptree_exists(&world->tree, PACKAGED));
	assert_true(tmptree_exists(&world->tree, RECORD));
}

static void with_nothing_kept_there_is_nothing_to_restore(void **state)
{
	struct world *world = *state;
	struct outcome outcome = restore(world);

	assert_int_equal(outcome.kind, OUTCOME_PACKAGED);
	assert_false(outcome.wrote);
	assert_untouched(world);
	tmptree_remove(&world->tree, IMAGE);
	outcome = restore(world);
	assert_failed(&outcome, ENOENT, "No such file");
}

static void without_a_record_dpkgs_md5_speaks_for_the_kept_image(void **state)
{
	struct world *world = *state;

	list_md5(world, stream_view(&world->packed));
	assert_prepared(world);
	tmptree_remove(&world->tree, RECORD);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &world->packed));
}

/* Restores fail for the reason, and change nothing; with --force they go through. */
static void assert_restored_only_by_force(struct world *world, const char *word)
{
	_cleanup_stream_ struct stream kept = tmptree_read(&world->tree, PACKAGED);
	struct outcome outcome = restore(world);

	assert_failed(&outcome, PVK_E_REFUSED, word);
	assert_true(tmptree_exists(&world->tree, IMAGE));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&kept)));
	world->apply.force = true;
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &kept));
}

static void a_kept_image_that_nothing_speaks_for_is_not_put_back(void **state)
{
	struct world *world = *state;

	assert_prepared(world);
	tmptree_remove(&world->tree, RECORD);
	if (format == FORMAT_HYBRID) { /* which holds the same image */
		assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
		assert_true(image_is(world, &world->packed));
	} else {
		assert_restored_only_by_force(world, "nothing tells");
	}
}

static void a_kept_image_that_dpkg_does_not_know_is_not_put_back(void **state)
{
	struct world *world = *state;

	list_md5(world, stream_view(&world->packed));
	assert_prepared(world);
	list_md5(world, bytes_make("newer", 5));
	assert_restored_only_by_force(world, "is not the one of package");
}

static void a_damaged_kept_image_is_not_put_back(void **state)
{
	struct world *world = *state;

	assert_prepared(world);
	world->packed.data[world->packed.size - 1] ^= 1;
	tmptree_write(&world->tree, PACKAGED, stream_view(&world->packed));
	assert_restored_only_by_force(world, "digest is not the recorded one");
}

static void an_image_in_place_that_is_another_is_not_replaced(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream newer = bzbuild_kernel(CODEC_XZ);

	assert_prepared(world);
	install_image(&world->tree, stream_view(&newer));
	assert_restored_only_by_force(world, "was not made from the kept one");
}

/* As a run leaves it that could not finish: both names stand for the packaged image. */
static void two_names_of_the_packaged_image_need_no_proof(void **state)
{
	struct world *world = *state;

	tmptree_mkdir(&world->tree, "boot/pvkprep");
	assert_int_equal(__real_linkat(world->tree.fd, IMAGE, world->tree.fd, PACKAGED, 0), 0);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &world->packed));
	assert_false(tmptree_exists(&world->tree, PACKAGED));
}

static void a_restore_that_fails_changes_nothing(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	assert_prepared(world);
	set_fault(CALL_RENAMEAT, 1, EROFS);
	outcome = restore(world);
	assert_failed(&outcome, EROFS, "rename the kept image");
	assert_true(image_is(world, &world->result));
	assert_true(tmptree_exists(&world->tree, RECORD));
	set_fault(CALL_NONE, 0, 0);
	assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
}

/* --- forms --- */

static void want(struct world *world, enum config_format wanted, enum config_originals originals)
{
	world->config.format = wanted;
	world->config.originals = originals;
}

/* Prepared in `from`, then `to` is wanted, with the record or without. */
static void a_change_of_form_is_made_from_the_kept_original(void **state)
{
	struct world *world = *state;

	for (int turn = 0; turn < 4; turn++) {
		const enum config_format from = turn % 2 ? FORMAT_ELF : FORMAT_HYBRID;
		const enum config_format to = turn % 2 ? FORMAT_HYBRID : FORMAT_ELF;

		want(world, from, ORIGINALS_STASH);
		assert_prepared(world);
		if (turn >= 2)
			tmptree_remove(&world->tree, RECORD);
		want(world, to, ORIGINALS_STASH);
		assert_prepared(world);
		assert_true(image_is(world, to == FORMAT_ELF ? &world->elf : &world->result));
		assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
		assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
		assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
		assert_true(image_is(world, &world->packed));
		assert_int_equal(tmptree_count(&world->tree, "boot"), 1);
	}
}

static void a_hybrid_becomes_an_elf_by_the_original_in_it(void **state)
{
	static const enum config_originals originals[] = {ORIGINALS_STASH, ORIGINALS_NONE};
	struct world *world = *state;

	for (size_t i = 0; i < 2; i++) {
		want(world, FORMAT_HYBRID, ORIGINALS_NONE);
		assert_prepared(world);
		list_md5(world, stream_view(&world->packed)); /* of the original, not of the file */
		want(world, FORMAT_ELF, originals[i]);
		assert_prepared(world);
		assert_true(image_is(world, &world->elf));
		if (originals[i] == ORIGINALS_NONE) {
			assert_false(tmptree_exists(&world->tree, PACKAGED));
			continue;
		}
		assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
		assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
		assert_true(image_is(world, &world->packed));
	}
}

static void an_elf_without_its_original_stays(void **state)
{
	struct world *world = *state;
	struct outcome outcome;
	struct stat before;

	want(world, FORMAT_ELF, ORIGINALS_NONE);
	assert_prepared(world);
	before = tmptree_stat(&world->tree, IMAGE);
	want(world, FORMAT_HYBRID, ORIGINALS_NONE);
	for (int run = 0; run < 2; run++) {
		outcome = prepare(world);
		assert_int_equal(outcome.kind, OUTCOME_ALREADY);
		assert_true(outcome.lacks_original);
		assert_false(outcome.wrote);
		assert_int_equal(outcome.format, FORMAT_ELF);
		assert_int_equal(workers, 0);
	}
	assert_true(is_same_stat(before, tmptree_stat(&world->tree, IMAGE)));
}

static void either_form_is_fine_for_auto(void **state)
{
	struct world *world = *state;

	for (enum config_format made = FORMAT_ELF; made <= FORMAT_HYBRID; made++) {
		want(world, made, ORIGINALS_STASH);
		assert_prepared(world);
		want(world, FORMAT_AUTO, ORIGINALS_STASH);
		assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
		tmptree_remove(&world->tree, RECORD);
		assert_int_equal(prepare(world).kind, OUTCOME_ALREADY);
		assert_true(image_is(world, made == FORMAT_ELF ? &world->elf : &world->result));
	}
}

static void auto_makes_a_hybrid_where_no_original_is_kept(void **state)
{
	struct world *world = *state;

	want(world, FORMAT_AUTO, ORIGINALS_NONE);
	assert_prepared(world);
	assert_true(image_is(world, &world->result));
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	want(world, FORMAT_AUTO, ORIGINALS_STASH);
	assert_prepared(world);
	assert_true(image_is(world, &world->elf));
}

static void a_hybrid_is_not_made_under_secure_boot(void **state)
{
	static const char variable[] =
		"sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	struct world *world = *state;
	struct outcome outcome;

	tmptree_write(&world->tree, variable, bytes_make("\x06\0\0\0\x01", 5));
	assert_prepared(world); /* another tree's firmware is nobody's */
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	world->root.is_live = true;
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_REFUSED, "Secure Boot is on");
	assert_untouched(world);
	want(world, FORMAT_AUTO, ORIGINALS_NONE);
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_REFUSED, "Secure Boot is on");
	want(world, FORMAT_ELF, ORIGINALS_STASH);
	assert_prepared(world);
	assert_true(image_is(world, &world->elf));
}

static void a_damaged_hybrid_is_made_anew_from_the_original_in_it(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream damaged = stream_copy(stream_view(&world->result));

	want(world, FORMAT_HYBRID, ORIGINALS_NONE);
	damaged.data[damaged.size - 20] ^= 1;
	install_image(&world->tree, stream_view(&damaged));
	assert_prepared(world);
	assert_true(image_is(world, &world->result));
}

/* Neither half is whole: nothing is known any more, and nothing is touched. */
static void a_hybrid_that_is_damaged_in_both_halves_fails(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream damaged = stream_copy(stream_view(&world->result));
	struct outcome outcome;

	damaged.data[damaged.size - 20] ^= 1;
	damaged.data[BZBUILD_PAYLOAD + 20] ^= 1;
	install_image(&world->tree, stream_view(&damaged));
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_FAILED);
	assert_true(image_is(world, &damaged));
	outcome = restore(world);
	assert_failed(&outcome, PVK_E_CORRUPT, "is damaged");
	assert_true(image_is(world, &damaged));
}

/* The payload starts, but of the original is nothing to be had: that still boots, so it stays. */
static void a_hybrid_whose_original_is_damaged_stays(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream damaged = stream_copy(stream_view(&world->result));

	damaged.data[BZBUILD_PAYLOAD + 20] ^= 1;
	install_image(&world->tree, stream_view(&damaged));
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_true(image_is(world, &damaged));
}

static void a_hybrid_that_came_from_elsewhere_is_known_by_itself(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	install_image(&world->tree, stream_view(&world->result));
	outcome = prepare(world);
	assert_int_equal(outcome.kind, OUTCOME_ALREADY);
	assert_int_equal(outcome.format, FORMAT_HYBRID);
	assert_int_equal(outcome.old_size, world->packed.size);
	assert_false(outcome.has_packaged);
	assert_false(prepare(world).wrote);
	assert_int_equal(restore(world).kind, OUTCOME_RESTORED);
	assert_true(image_is(world, &world->packed));
}

/* Nothing but its size is the recorded result's: it must not be taken for that. */
static void an_update_as_large_as_the_result_is_no_result(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream zstd = bzbuild_kernel(CODEC_ZSTD), newer = {0};
	_cleanup_free_ uint8_t *certificates = calloc(1, world->result.size);

	assert_prepared(world);
	assert_true(zstd.size < world->result.size);
	newer = stream_join(stream_view(&zstd),
			    bytes_make(certificates, world->result.size - zstd.size));
	install_image(&world->tree, stream_view(&newer));
	want(world, FORMAT_ELF, ORIGINALS_STASH);
	assert_prepared(world);
	assert_true(image_is(world, &world->elf));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&newer)));
}

/* The kept original is the source, and the image in place is another one by now. */
static void an_image_that_comes_during_a_change_of_form_stays(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	want(world, FORMAT_ELF, ORIGINALS_STASH);
	assert_prepared(world);
	want(world, FORMAT_HYBRID, ORIGINALS_STASH);
	interfere = replace_image;
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_CHANGED, "replaced by somebody else");
	assert_true(tmptree_holds(&world->tree, IMAGE, bytes_make("from another hand", 17)));
	assert_true(tmptree_holds(&world->tree, PACKAGED, stream_view(&world->packed)));
}

/* The trailer is in order, and what it vouches for is no kernel: of the payload we can say more. */
static void an_original_that_is_no_kernel_is_not_used(void **state)
{
	struct world *world = *state;
	_cleanup_stream_ struct stream hybrid = {0};

	bzbuild_set(&world->packed, BZBUILD_PAYLOAD, 4, 0); /* no magic number that is known */
	hybrid = make_hybrid(&world->packed, &world->elf);
	install_image(&world->tree, stream_view(&hybrid));
	assert_int_equal(prepare(world).kind, OUTCOME_KEPT);
	assert_true(image_is(world, &hybrid));
}

static void an_image_that_a_loader_has_no_room_for_does_not_become_a_hybrid(void **state)
{
	struct world *world = *state;
	_cleanup_free_ uint8_t *certificates = calloc(1, 8192);
	_cleanup_stream_ struct stream packed = {0};
	struct outcome outcome;

	bzbuild_set(&world->packed, BZ_INIT_SIZE, 4, world->elf.size);
	packed = stream_join(stream_view(&world->packed), bytes_make(certificates, 8192));
	install_image(&world->tree, stream_view(&packed));
	outcome = prepare(world);
	assert_failed(&outcome, PVK_E_UNSUPPORTED, "init_size");
	assert_true(image_is(world, &packed));
	want(world, FORMAT_ELF, ORIGINALS_STASH);
	assert_prepared(world);
}

static void every_outcome_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(outcome_name((enum outcome_kind)i),
						outcome_name((enum outcome_kind)j));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		TEST(a_kernel_is_prepared),
		TEST(a_second_run_touches_nothing),
		TEST(a_bzimage_or_stream_of_every_codec_is_prepared),
		TEST(a_bzimage_that_is_compressed_once_more_is_prepared),
		TEST(a_gzip_of_what_the_loader_reads_is_kept),
		TEST(what_the_loader_reads_is_kept_and_remembered),
		TEST(a_dry_run_writes_nothing),
		TEST(a_wrong_md5_stops_unless_forced),
		TEST(a_right_md5_is_told_with_its_package),
		TEST(a_damaged_or_useless_image_stays_as_it_is),
		TEST(an_image_that_is_not_ours_to_trust_is_refused),
		TEST(a_source_that_changes_meanwhile_stays_as_it_became),
		TEST(a_signal_leaves_everything_as_it_was),
		TEST(an_update_of_the_same_version_is_prepared_again),
		TEST(an_update_that_decodes_to_the_same_is_told_and_not_written),
		TEST(an_update_that_the_loader_reads_takes_its_place),
		TEST(somebodys_own_image_over_a_diverted_one_is_not_overwritten),
		TEST(what_else_is_over_a_diverted_one_is_made_anew),
		TEST(a_kept_image_is_planned_anew_when_the_configuration_changes),
		TEST(an_image_that_may_not_be_converted_and_cannot_stay_fails),
		TEST(a_lost_record_is_written_again_without_touching_the_image),
		TEST(a_result_that_was_merely_touched_is_still_ours),
		TEST(without_originals_none_is_kept),
		TEST(without_hard_links_the_original_is_copied),
		TEST(a_full_disk_is_told_before_anything_is_decoded),
		TEST(no_single_fault_loses_an_image),
		TEST(the_packaged_image_comes_back_byte_for_byte),
		TEST(a_dry_restore_writes_nothing),
		TEST(with_nothing_kept_there_is_nothing_to_restore),
		TEST(without_a_record_dpkgs_md5_speaks_for_the_kept_image),
		TEST(a_kept_image_that_nothing_speaks_for_is_not_put_back),
		TEST(a_kept_image_that_dpkg_does_not_know_is_not_put_back),
		TEST(a_damaged_kept_image_is_not_put_back),
		TEST(an_image_in_place_that_is_another_is_not_replaced),
		TEST(two_names_of_the_packaged_image_need_no_proof),
		TEST(a_restore_that_fails_changes_nothing),
	};
	const struct CMUnitTest forms[] = {
		TEST(a_change_of_form_is_made_from_the_kept_original),
		TEST(a_hybrid_becomes_an_elf_by_the_original_in_it),
		TEST(an_elf_without_its_original_stays),
		TEST(either_form_is_fine_for_auto),
		TEST(auto_makes_a_hybrid_where_no_original_is_kept),
		TEST(a_hybrid_is_not_made_under_secure_boot),
		TEST(a_damaged_hybrid_is_made_anew_from_the_original_in_it),
		TEST(a_hybrid_that_is_damaged_in_both_halves_fails),
		TEST(a_hybrid_whose_original_is_damaged_stays),
		TEST(a_hybrid_that_came_from_elsewhere_is_known_by_itself),
		TEST(an_update_as_large_as_the_result_is_no_result),
		TEST(an_image_that_comes_during_a_change_of_form_stays),
		TEST(an_original_that_is_no_kernel_is_not_used),
		TEST(an_image_that_a_loader_has_no_room_for_does_not_become_a_hybrid),
		cmocka_unit_test(every_outcome_has_a_name_of_its_own),
	};
	int failed;

	format = FORMAT_ELF;
	failed = cmocka_run_group_tests_name("elf", tests, NULL, NULL);
	format = FORMAT_HYBRID;
	failed += cmocka_run_group_tests_name("hybrid", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("forms", forms, NULL, NULL);
}
