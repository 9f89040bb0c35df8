/* Datasets: ImageFolders and IDX pairs, their order, and what is refused by name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "models/data/dataset.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { SIDE = 4, PIXELS = SIDE * SIDE };

static const char names[3][48] = {"trouser", "bag", "coat"};
static const struct sotto_label_names labels = {names, 3};
static const struct sotto_picture_form form = {1, SIDE};

static void make_folder(const struct folder *folder, const char *name)
{
    struct folder_path path = folder_path(folder, name);

    assert_int_equal(mkdir(path.text, 0700), 0);
}

/* A picture of one grey value. */
static void put_picture(const struct folder *folder, const char *name, uint8_t value)
{
    struct folder_path path = folder_path(folder, name);
    uint8_t pixels[PIXELS];

    memset(pixels, value, sizeof pixels);
    assert_int_equal(sotto_picture_write(path.text, pixels, form, NULL), SOTTO_OK);
}

static void open_site(struct folder *folder)
{
    folder_open(folder);
    make_folder(folder, "bag");
    make_folder(folder, "trouser");
    put_picture(folder, "bag/b.png", 20);
    put_picture(folder, "bag/a.png", 10);
    put_picture(folder, "trouser/z.png", 30);
}

static void assert_folder_refused(const struct folder *folder, enum sotto_status expected,
                                  const char *words)
{
    struct sotto_dataset dataset;
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_dataset_open_folder(&dataset, folder->path, form, &labels, &fault),
                     expected);
    if (strstr(fault.text, words) == NULL || strstr(fault.text, folder->path) == NULL)
        fail_msg("\"%s\" does not name the file or say \"%s\"", fault.text, words);
    assert_null(dataset.pixels);
    assert_null(dataset.labels);
}

static void dataset__folder__is_in_the_order_of_label_and_name(void **state)
{
    static const uint8_t values[] = {30, 10, 20};
    static const uint32_t expected[] = {0, 1, 1};
    struct folder folder;
    struct sotto_dataset dataset;

    (void)state;
    open_site(&folder);
    folder_write(&folder, "bag/.hidden", sotto_view_text("passed over"));
    folder_write(&folder, "README.txt", sotto_view_text("passed over"));
    assert_int_equal(sotto_dataset_open_folder(&dataset, folder.path, form, &labels, NULL),
                     SOTTO_OK);
    assert_int_equal(dataset.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dataset.labels[i], expected[i]);
        assert_int_equal(dataset.pixels[i * PIXELS], values[i]);
        assert_int_equal(dataset.pixels[i * PIXELS + PIXELS - 1], values[i]);
    }
    sotto_dataset_close(&dataset);
    sotto_dataset_close(&dataset);
    folder_close(&folder);
}

static void dataset__text_renamed_to_png__is_named(void **state)
{
    struct folder folder;

    (void)state;
    open_site(&folder);
    folder_write(&folder, "bag/notes.png", sotto_view_text("these are notes"));
    assert_folder_refused(&folder, SOTTO_MALFORMED, "bag/notes.png: no PNG or JPEG");
    folder_write(&folder, "bag/notes.png", sotto_view_of("", 0));
    assert_folder_refused(&folder, SOTTO_MALFORMED, "bag/notes.png: empty");
    folder_close(&folder);
}

static void dataset__empty_class_folder__is_named(void **state)
{
    struct folder folder;

    (void)state;
    open_site(&folder);
    make_folder(&folder, "coat");
    assert_folder_refused(&folder, SOTTO_MALFORMED, "coat: an empty folder");
    folder_close(&folder);
}

static void dataset__folder_of_no_known_class__is_named(void **state)
{
    struct folder folder;

    (void)state;
    open_site(&folder);
    make_folder(&folder, "sandal");
    put_picture(&folder, "sandal/a.png", 1);
    assert_folder_refused(&folder, SOTTO_MISMATCH, "\"sandal\" is none of the 3 labels");
    folder_close(&folder);
}

static void dataset__folder_inside_a_class__is_named(void **state)
{
    struct folder folder;

    (void)state;
    open_site(&folder);
    make_folder(&folder, "bag/more");
    assert_folder_refused(&folder, SOTTO_MALFORMED, "bag/more: no file");
    folder_close(&folder);
}

static void dataset__nothing_there__says_what_is_needed(void **state)
{
    struct folder folder;
    struct folder absent;

    (void)state;
    folder_open(&folder);
    assert_folder_refused(&folder, SOTTO_NOT_FOUND, "no picture in it");
    absent = folder;
    folder_close(&folder);
    snprintf(absent.path, sizeof absent.path, "no/such/folder");
    assert_folder_refused(&absent, SOTTO_NOT_FOUND, "give a folder with one folder of pictures");
}

/* `count` pictures of 2 x 2 pixels and as many labels; the header may say something else. */
static void put_idx(const struct folder *folder, uint8_t picture_count, uint8_t label_count)
{
    uint8_t pictures[16 + 255 * 4] = {0, 0, 8, 3, 0, 0, 0, picture_count, 0, 0, 0, 2, 0, 0, 0, 2};
    uint8_t marks[8 + 255] = {0, 0, 8, 1, 0, 0, 0, label_count};

    for (size_t i = 0; i < 255; i++) {
        memset(pictures + 16 + 4 * i, (int)i, 4);
        marks[8 + i] = (uint8_t)(i % 3);
    }
    folder_write(folder, "images", sotto_view_of(pictures, 16 + 4 * (size_t)picture_count));
    folder_write(folder, "labels", sotto_view_of(marks, 8 + (size_t)label_count));
}

static enum sotto_status open_idx(struct sotto_dataset *dataset, const struct folder *folder,
                                  bool is_labelled, struct sotto_fault *fault)
{
    struct folder_path images = folder_path(folder, "images");
    struct folder_path marks = folder_path(folder, "labels");
    struct sotto_idx_slice slice = {images.text, is_labelled ? marks.text : NULL, 4, 3};

    return sotto_dataset_open_idx(dataset, &slice, fault);
}

static void dataset__idx_slice__has_its_pictures_and_labels(void **state)
{
    struct folder folder;
    struct sotto_dataset dataset;

    (void)state;
    folder_open(&folder);
    put_idx(&folder, 9, 9);
    assert_int_equal(open_idx(&dataset, &folder, true, NULL), SOTTO_OK);
    assert_int_equal(dataset.count, 3);
    assert_int_equal(dataset.side, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dataset.pixels[4 * i], 4 + i);
        assert_int_equal(dataset.labels[i], (4 + i) % 3);
    }
    sotto_dataset_close(&dataset);
    assert_int_equal(open_idx(&dataset, &folder, false, NULL), SOTTO_OK);
    assert_int_equal(dataset.labels[0], SOTTO_LABEL_NONE);
    sotto_dataset_close(&dataset);
    folder_close(&folder);
}

static void dataset__idx_pair_of_different_counts__both_are_in_the_fault(void **state)
{
    struct folder folder;
    struct sotto_dataset dataset;
    struct sotto_fault fault = {0};

    (void)state;
    folder_open(&folder);
    put_idx(&folder, 9, 8);
    assert_int_equal(open_idx(&dataset, &folder, true, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "9 pictures"));
    assert_non_null(strstr(fault.text, "8 labels"));
    assert_null(dataset.pixels);
    folder_close(&folder);
}

static void dataset__subset__copies_the_named_examples(void **state)
{
    static const uint32_t chosen[] = {2, 0, 2};
    struct folder folder;
    struct sotto_dataset whole;
    struct sotto_dataset subset;

    (void)state;
    open_site(&folder);
    assert_int_equal(sotto_dataset_open_folder(&whole, folder.path, form, &labels, NULL), SOTTO_OK);
    assert_int_equal(sotto_dataset_open_subset(&subset, &whole, chosen, 3), SOTTO_OK);
    sotto_dataset_close(&whole);
    assert_int_equal(subset.count, 3);
    assert_int_equal(subset.pixels[0], 20);
    assert_int_equal(subset.pixels[PIXELS], 30);
    assert_int_equal(subset.labels[2], 1);
    sotto_dataset_close(&subset);
    folder_close(&folder);
}

static void dataset__log_shares__count_every_label_and_half_a_picture_more(void **state)
{
    static uint32_t marks[] = {1, 1, 1, 2};
    const struct sotto_dataset dataset = {.count = 4, .labels = marks};
    float log_shares[4];

    (void)state;
    sotto_dataset_log_shares(log_shares, &dataset, 4);
    assert_true(fabs(exp(log_shares[0]) - 0.5 / 6) < 1e-6);
    assert_true(fabs(exp(log_shares[1]) - 3.5 / 6) < 1e-6);
    assert_true(fabs(exp(log_shares[2]) - 1.5 / 6) < 1e-6);
    assert_true(fabs(exp(log_shares[3]) - 0.5 / 6) < 1e-6);
}

/* Three texts of two, one and three tokens. */
static void open_texts(struct sotto_dataset *texts, bool is_answered)
{
    static const size_t starts[] = {0, 2, 3, 6};

    assert_int_equal(sotto_dataset_open_texts(texts, (struct sotto_text_shape){3, 6, is_answered}),
                     SOTTO_OK);
    assert_int_equal(texts->kind, SOTTO_DATASET_TEXTS);
    memcpy(texts->starts, starts, sizeof starts);
    for (uint32_t i = 0; i < 6; i++)
        texts->tokens[i] = 10 + i;
}

static void dataset__subset_of_texts__moves_tokens_labels_and_answers(void **state)
{
    const uint32_t chosen[] = {2, 0};
    const uint32_t expected[] = {13, 14, 15, 10, 11};
    struct sotto_dataset whole;
    struct sotto_dataset subset;

    (void)state;
    open_texts(&whole, true);
    whole.is_answer[4] = 1;
    whole.labels[0] = 7;
    assert_int_equal(sotto_dataset_open_subset(&subset, &whole, chosen, 2), SOTTO_OK);
    sotto_dataset_close(&whole);
    assert_int_equal(subset.kind, SOTTO_DATASET_TEXTS);
    assert_int_equal(subset.starts[1], 3);
    assert_int_equal(subset.starts[2], 5);
    assert_memory_equal(subset.tokens, expected, sizeof expected);
    assert_memory_equal(subset.is_answer, "\0\1\0\0\0", 5);
    assert_int_equal(subset.labels[0], SOTTO_LABEL_NONE);
    assert_int_equal(subset.labels[1], 7);
    sotto_dataset_close(&subset);
}

static void dataset__subset_of_texts_to_classify__has_no_answers(void **state)
{
    const uint32_t chosen[] = {1};
    struct sotto_dataset whole;
    struct sotto_dataset subset;

    (void)state;
    open_texts(&whole, false);
    assert_int_equal(sotto_dataset_open_subset(&subset, &whole, chosen, 1), SOTTO_OK);
    assert_null(subset.is_answer);
    assert_null(subset.pixels);
    assert_int_equal(subset.tokens[0], 12);
    sotto_dataset_close(&subset);
    sotto_dataset_close(&whole);
}

static void dataset__log_shares_of_answers__are_zero(void **state)
{
    struct sotto_dataset texts;
    float log_shares[2] = {5, 5};

    (void)state;
    open_texts(&texts, true);
    sotto_dataset_log_shares(log_shares, &texts, 2);
    assert_true(log_shares[0] == 0 && log_shares[1] == 0);
    sotto_dataset_close(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dataset__folder__is_in_the_order_of_label_and_name),
        cmocka_unit_test(dataset__text_renamed_to_png__is_named),
        cmocka_unit_test(dataset__empty_class_folder__is_named),
        cmocka_unit_test(dataset__folder_of_no_known_class__is_named),
        cmocka_unit_test(dataset__folder_inside_a_class__is_named),
        cmocka_unit_test(dataset__nothing_there__says_what_is_needed),
        cmocka_unit_test(dataset__idx_slice__has_its_pictures_and_labels),
        cmocka_unit_test(dataset__idx_pair_of_different_counts__both_are_in_the_fault),
        cmocka_unit_test(dataset__subset__copies_the_named_examples),
        cmocka_unit_test(dataset__log_shares__count_every_label_and_half_a_picture_more),
        cmocka_unit_test(dataset__subset_of_texts__moves_tokens_labels_and_answers),
        cmocka_unit_test(dataset__subset_of_texts_to_classify__has_no_answers),
        cmocka_unit_test(dataset__log_shares_of_answers__are_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
