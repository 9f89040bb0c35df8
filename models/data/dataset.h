/*
 * Labelled examples in memory, of one of two kinds. Pictures: 8-bit, [count, channels, side, side];
 * from an ImageFolder (folder/label name/picture.png|.jpg) or a pair of IDX files (plain or gzip).
 * Texts: the token indices of all texts, one after another without padding. An example has a label
 * index or none.
 */
#ifndef SOTTO_MODELS_DATA_DATASET_H
#define SOTTO_MODELS_DATA_DATASET_H

#include "core/base/bytes.h"
#include "models/data/picture.h"

enum { SOTTO_DATASET_MAX = 1000000 };

#define SOTTO_LABEL_NONE UINT32_MAX

enum sotto_dataset_kind { SOTTO_DATASET_PICTURES, SOTTO_DATASET_TEXTS };

struct sotto_dataset {
    enum sotto_dataset_kind kind;
    size_t count;
    uint32_t *labels; /* [count]; SOTTO_LABEL_NONE throughout where is_answer says what to learn */

    /* Pictures; of texts 0 and NULL. */
    uint32_t channels;
    uint32_t side;
    uint8_t *pixels; /* [count, channels, side, side] */

    /* Texts; of pictures NULL. Text i is tokens[starts[i]] to before tokens[starts[i + 1]]. */
    size_t *starts;     /* [count + 1], ascending, starts[0] = 0 */
    uint32_t *tokens;   /* [starts[count]] */
    uint8_t *is_answer; /* [starts[count]] 1: a target of the loss, predicted from the tokens before
                           it; NULL: classification. 0 at each text's first token. */
};

/* The label names in index order, borrowed. */
struct sotto_label_names {
    const char (*names)[48];
    size_t count;
};

/*
 * Reads every picture below folder/<label>/. Order: label index, then file name; so it does not
 * depend on the disk. Names that begin with a dot are passed over, as are plain files beside the
 * labels' folders. A label without a folder is no error: few sites have seen every class.
 *
 * The fault names file and remedy; the dataset is empty. SOTTO_NOT_FOUND: no such folder, or no
 * picture at all; SOTTO_MALFORMED: a file that is no picture, or a label's folder that is empty;
 * SOTTO_MISMATCH: a folder that is none of the labels; SOTTO_OVER_LIMIT, SOTTO_UNSUPPORTED,
 * SOTTO_NO_MEMORY, SOTTO_IO.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_folder(struct sotto_dataset *dataset,
                                                          const char *folder,
                                                          struct sotto_picture_form form,
                                                          const struct sotto_label_names *labels,
                                                          struct sotto_fault *fault);

/* Which part of an IDX pair. labels_path NULL: unlabelled. count 0: all from first on. */
struct sotto_idx_slice {
    const char *images_path;
    const char *labels_path;
    size_t first;
    size_t count;
};

/*
 * The pictures keep the side that the file gives them; they are square and grey.
 *
 * As sotto_idx_open, and SOTTO_MISMATCH: as many labels as pictures are wanted, with both numbers
 * in the fault; SOTTO_UNSUPPORTED: the pictures are not square. The dataset is then empty.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_idx(struct sotto_dataset *dataset,
                                                       const struct sotto_idx_slice *slice,
                                                       struct sotto_fault *fault);

/* How many texts and tokens to take memory for, and whether for is_answer too. */
struct sotto_text_shape {
    size_t count;
    size_t token_count;
    bool is_answered;
};

/*
 * Memory for texts, all zero but the labels, which are SOTTO_LABEL_NONE; the caller fills it.
 * SOTTO_NO_MEMORY: empty.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_texts(struct sotto_dataset *dataset,
                                                         struct sotto_text_shape shape);

/*
 * Copies the named examples, of either kind. SOTTO_NO_MEMORY: empty. Indices below source->count.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_subset(struct sotto_dataset *dataset,
                                                          const struct sotto_dataset *source,
                                                          const uint32_t *indices, size_t count);

void sotto_dataset_close(struct sotto_dataset *dataset);

/*
 * The logarithm of each label's share, log((n + 1/2) / (count + label_count / 2)), so that an
 * absent label has one too. 0 throughout where the examples have no labels but is_answer.
 *
 *   log_shares  out  [label_count]
 *   dataset     in   every label below label_count
 */
void sotto_dataset_log_shares(float *log_shares, const struct sotto_dataset *dataset,
                              uint32_t label_count);

#endif
