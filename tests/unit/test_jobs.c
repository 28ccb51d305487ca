/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_jobs.c - the two jobs in real workers, and answers of a worker that was taken over, which
 * stands in for worker_run() (ld --wrap, see the Makefile). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../src/formats/limits.h"
#include "../../src/policy/jobs.h"
#include "bzbuild.h"

/* What the false worker answers; NULL: the real one runs. */
static const struct image *false_answer;
static int false_result;
static const uint64_t *false_size; /* likewise, for jobs_gzip() */

int __real_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err);
int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err);

int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err)
{
	if (false_size) {
		assert_int_equal(job->reply_size, sizeof(*false_size));
		memcpy(reply, false_size, sizeof(*false_size));
		*ret_answered = true;
		return false_result;
	}
	if (!false_answer)
		return __real_worker_run(job, reply, ret_answered, err);
	assert_int_equal(job->reply_size, sizeof(struct image));
	memcpy(reply, false_answer, sizeof(*false_answer));
	*ret_answered = true;
	return false_result;
}

static int reset(void **state)
{
	(void)state;
	false_answer = NULL;
	false_result = 0;
	false_size = NULL;
	return 0;
}

static uint8_t *map_output(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(map != MAP_FAILED);
	return map;
}

static void a_worker_identifies_and_examines(void **state)
{
	_cleanup_stream_ struct stream elf = bzbuild_elf();

	(void)state;
	for (enum codec codec = CODEC_GZIP; codec < CODEC_COUNT; codec++) {
		_cleanup_stream_ struct stream file = bzbuild_kernel(codec);
		uint8_t *output = map_output(elf.size);
		struct pvk_error err = {0};
		struct image image;

		assert_int_equal(jobs_identify(stream_view(&file), &image, &err), 0);
		assert_int_equal(image.codec, codec);
		assert_false(image.is_decoded);
		if (image.image_size == 0) /* an lz4 frame need not say */
			image.image_size_max = elf.size;
		if (jobs_examine(stream_view(&file), output, elf.size, &image, NULL, &err) < 0)
			fail_msg("%s: %s", codec_name(codec), err.msg);
		assert_true(image.is_decoded && image.is_elf);
		assert_memory_equal(output, elf.data, elf.size);
		(void)munmap(output, elf.size);
	}
}

static void without_an_output_memory_of_its_own_will_do(void **state)
{
	_cleanup_stream_ struct stream elf = bzbuild_elf();
	_cleanup_stream_ struct stream lz4 = stream_encode(CODEC_LZ4_LEGACY, stream_view(&elf));
	struct image image;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&lz4), &image, NULL), 0);
	assert_int_equal(image.image_size, 0); /* this stream does not say */
	assert_int_equal(jobs_examine_in_memory(stream_view(&lz4), &image, NULL, NULL), 0);
	assert_int_equal(image.image_size, elf.size);
	assert_int_equal(jobs_identify(stream_view(&elf), &image, NULL), 0);
	assert_int_equal(jobs_examine_in_memory(stream_view(&elf), &image, NULL, NULL), 0);
	assert_true(image.is_elf);
}

static void a_refusal_comes_with_what_was_found(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_zboot("gzip");
	struct pvk_error err;
	struct image image;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&file), &image, &err), -PVK_E_UNSUPPORTED);
	assert_int_equal(image.container, IMAGE_ZBOOT);
	assert_non_null(strstr(err.msg, "zboot"));
	assert_string_equal(image.problem.msg, err.msg);
}

static void a_payload_that_does_not_decode_is_the_jobs_own_error(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_kernel(CODEC_ZSTD);
	struct pvk_error err;
	struct image image;

	(void)state;
	file.data[BZBUILD_PAYLOAD + 100] ^= 0xff;
	assert_int_equal(jobs_identify(stream_view(&file), &image, NULL), 0);
	assert_true(jobs_examine_in_memory(stream_view(&file), &image, NULL, &err) < 0);
	assert_true(err.code != PVK_E_WORKER);
	assert_false(image.is_decoded);
}

/* --- a worker that was taken over --- */

static void lie_container(struct image *image)
{
	image->container = IMAGE_ZBOOT + 1;
}

static void lie_codec(struct image *image)
{
	image->codec = CODEC_COUNT;
}

static void lie_file_size(struct image *image)
{
	image->file_size++;
}

static void lie_payload_start(struct image *image)
{
	image->payload_start = UINT64_MAX;
}

static void lie_payload_size(struct image *image)
{
	image->payload_size = image->file_size;
}

static void lie_image_size(struct image *image)
{
	image->image_size = image->image_size_max + 1;
}

static void lie_image_size_max(struct image *image)
{
	image->image_size_max = PVK_MAX_OUTPUT + 1;
}

static void lie_notes_source(struct image *image)
{
	image->elf.notes.source = XEN_NOTES_XEN_GUEST + 1;
}

static void lie_defects(struct image *image)
{
	image->elf.defects = ELF_DEFECTS_ALL + 1;
}

static void lie_wrap(struct image *image)
{
	image->wrap_count = 1;
	image->wraps[0] =
		(struct image_wrap){.codec = CODEC_LZ4_LEGACY, .plain_size = image->file_size};
}

static void lie_wrap_count(struct image *image)
{
	image->wrap_count = IMAGE_WRAPS_MAX + 1;
}

static void (*const lies[])(struct image *) = {
	lie_container,	  lie_codec,	  lie_file_size,      lie_payload_start,
	lie_payload_size, lie_image_size, lie_image_size_max, lie_notes_source,
	lie_defects,	  lie_wrap,	  lie_wrap_count,
};

static void an_impossible_answer_is_not_taken(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_kernel(CODEC_LZ4_LEGACY);
	struct image honest;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&file), &honest, NULL), 0);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct image answer = honest, image;
		struct pvk_error err;

		lies[i](&answer);
		false_answer = &answer;
		if (jobs_identify(stream_view(&file), &image, &err) != -PVK_E_WORKER)
			fail_msg("lie %zu was taken", i);
		assert_non_null(strstr(err.msg, "impossible answer"));
		assert_int_equal(image.file_size, 0);
	}
}

static void change_container(struct image *image)
{
	image->container = IMAGE_COMPRESSED;
}

static void change_codec(struct image *image)
{
	image->codec = CODEC_XZ;
}

static void change_size(struct image *image)
{
	image->image_size--;
}

static void change_decoded(struct image *image)
{
	image->is_decoded = false;
}

static void change_elf(struct image *image)
{
	image->is_elf = false;
}

static void (*const changes[])(struct image *) = {change_container, change_codec, change_size,
						  change_decoded, change_elf};

/* What the headers said cannot change by decoding, and success means decoded. */
static void an_answer_that_contradicts_the_first_is_not_taken(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_kernel(CODEC_LZ4_LEGACY);
	struct image first, examined;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&file), &first, NULL), 0);
	examined = first;
	assert_int_equal(jobs_examine_in_memory(stream_view(&file), &examined, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct image answer = examined, image = first;
		struct pvk_error err;

		changes[i](&answer);
		false_answer = &answer;
		if (jobs_examine(stream_view(&file), NULL, 0, &image, NULL, &err) != -PVK_E_WORKER)
			fail_msg("change %zu was taken", i);
		assert_memory_equal(&image, &first, sizeof(image));
	}
}

static void texts_of_an_answer_end(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_kernel(CODEC_LZ4_LEGACY);
	struct image answer, image;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&file), &answer, NULL), 0);
	memset(answer.version, 'x', sizeof(answer.version));
	memset(answer.detail, 'x', sizeof(answer.detail));
	memset(answer.problem.msg, 'x', sizeof(answer.problem.msg));
	memset(answer.elf.kernel_version, 'x', sizeof(answer.elf.kernel_version));
	memset(answer.elf.notes.loader, 'x', sizeof(answer.elf.notes.loader));
	memset(answer.elf.notes.features, 'x', sizeof(answer.elf.notes.features));
	memset(answer.elf.notes.xen_version, 'x', sizeof(answer.elf.notes.xen_version));
	false_answer = &answer;
	assert_int_equal(jobs_identify(stream_view(&file), &image, NULL), 0);
	assert_int_equal(strlen(image.version), sizeof(image.version) - 1);
	assert_int_equal(strlen(image.detail), sizeof(image.detail) - 1);
	assert_int_equal(strlen(image.problem.msg), sizeof(image.problem.msg) - 1);
	assert_int_equal(strlen(image.elf.kernel_version), sizeof(image.elf.kernel_version) - 1);
	assert_int_equal(strlen(image.elf.notes.loader), sizeof(image.elf.notes.loader) - 1);
	assert_int_equal(strlen(image.elf.notes.features), sizeof(image.elf.notes.features) - 1);
	assert_int_equal(strlen(image.elf.notes.xen_version),
			 sizeof(image.elf.notes.xen_version) - 1);
}

/* What a worker that was taken over says of a problem is printed as it is. */
static void the_problem_of_an_answer_is_made_safe_for_terminals(void **state)
{
	_cleanup_stream_ struct stream file = bzbuild_kernel(CODEC_LZ4_LEGACY);
	struct image answer, image;

	(void)state;
	assert_int_equal(jobs_identify(stream_view(&file), &answer, NULL), 0);
	(void)snprintf(answer.problem.msg, sizeof(answer.problem.msg), "a\x1b[2J\nb\xff\x7f");
	memset(&answer.is_elf, 0x40, 1);
	false_answer = &answer;
	assert_int_equal(jobs_identify(stream_view(&file), &image, NULL), 0);
	assert_string_equal(image.problem.msg, "a?[2J?b??");
	assert_true(image.is_elf == true);
}

/* --- the payload of a hybrid --- */

static void a_worker_makes_the_payload_of_a_hybrid(void **state)
{
	_cleanup_stream_ struct stream elf = bzbuild_elf();
	const uint64_t room = hybrid_gzip_bound(elf.size);
	uint8_t *output = map_output((size_t)room), *plain = map_output(elf.size);
	struct decode_sink sink = {
		.data = plain, .capacity = elf.size, .memory_limit = PVK_MAX_DECODER_MEMORY};
	uint64_t size = 0;

	(void)state;
	assert_int_equal(jobs_gzip(stream_view(&elf), output, room, NULL, &size, NULL), 0);
	assert_int_equal(decode_gzip(bytes_make(output, (size_t)size), &sink, NULL), 0);
	assert_int_equal(sink.length, elf.size);
	assert_memory_equal(plain, elf.data, elf.size);
	assert_int_equal(jobs_gzip(stream_view(&elf), output, size - 1, NULL, &size, NULL),
			 -PVK_E_LIMIT);
	(void)munmap(output, (size_t)room);
	(void)munmap(plain, elf.size);
}

static void an_impossible_size_of_a_payload_is_not_taken(void **state)
{
	static const uint64_t sizes[] = {0, 101, UINT64_MAX};
	uint8_t output[100];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t size = 42;

		false_size = &sizes[i];
		assert_int_equal(jobs_gzip(bytes_make("image", 5), output, sizeof(output), NULL,
					   &size, NULL),
				 -PVK_E_WORKER);
		assert_int_equal(size, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_worker_identifies_and_examines, reset),
		cmocka_unit_test_setup(without_an_output_memory_of_its_own_will_do, reset),
		cmocka_unit_test_setup(a_refusal_comes_with_what_was_found, reset),
		cmocka_unit_test_setup(a_payload_that_does_not_decode_is_the_jobs_own_error, reset),
		cmocka_unit_test_setup(an_impossible_answer_is_not_taken, reset),
		cmocka_unit_test_setup(an_answer_that_contradicts_the_first_is_not_taken, reset),
		cmocka_unit_test_setup(texts_of_an_answer_end, reset),
		cmocka_unit_test_setup(a_worker_makes_the_payload_of_a_hybrid, reset),
		cmocka_unit_test_setup(an_impossible_size_of_a_payload_is_not_taken, reset),
		cmocka_unit_test_setup(the_problem_of_an_answer_is_made_safe_for_terminals, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
