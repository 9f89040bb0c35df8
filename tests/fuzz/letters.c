/* Every letter between a site's processes: what decodes must be spelled as it would be encoded. */
#include <stdlib.h>

#include "participant/channel/note.h"
#include "participant/channel/post.h"
#include "participant/channel/start.h"
#include "participant/channel/work.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_same(enum sotto_status encoded, const struct sotto_buffer *buffer,
                       struct sotto_view bytes)
{
    if (encoded != SOTTO_OK || !sotto_view_equal(sotto_view_buffer(buffer), bytes))
        abort();
}

#define TRY(name)                                                                                  \
    static void try_##name(struct sotto_view bytes)                                                \
    {                                                                                              \
        struct sotto_##name value = {0};                                                           \
        uint8_t room[SOTTO_LETTER_BYTES_MAX];                                                      \
        struct sotto_buffer buffer = sotto_buffer_of(room, sizeof room);                           \
                                                                                                   \
        if (sotto_##name##_decode(&value, bytes) == SOTTO_OK)                                      \
            check_same(sotto_##name##_encode(&buffer, &value), &buffer, bytes);                    \
    }

TRY(trainer_start)
TRY(sealer_start)
TRY(courier_start)
TRY(note)
TRY(loaded)
TRY(train)
TRY(adopt)
TRY(fetch)
TRY(post_answer)
TRY(post_upload)
TRY(post_leave)

static void try_values(struct sotto_view bytes)
{
    uint8_t room[64];
    struct sotto_buffer buffer = sotto_buffer_of(room, sizeof room);
    struct sotto_digest digest;
    uint32_t weight = 0;
    bool is_kept = false;

    if (sotto_ready_decode(&digest, bytes) == SOTTO_OK)
        check_same(sotto_ready_encode(&buffer, &digest), &buffer, bytes);
    buffer.length = 0;
    if (sotto_update_decode(&weight, bytes) == SOTTO_OK)
        check_same(sotto_update_encode(&buffer, weight), &buffer, bytes);
    buffer.length = 0;
    if (sotto_adopted_decode(&is_kept, bytes) == SOTTO_OK)
        check_same(sotto_adopted_encode(&buffer, is_kept), &buffer, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static void (*const trials[])(struct sotto_view) = {
        try_trainer_start, try_sealer_start, try_courier_start, try_note,
        try_loaded,        try_train,        try_adopt,         try_fetch,
        try_post_answer,   try_post_upload,  try_post_leave,    try_values};

    if (length > SOTTO_LETTER_BYTES_MAX)
        return 0;
    for (size_t index = 0; index < sizeof trials / sizeof *trials; index++)
        trials[index](sotto_view_of(bytes, length));
    return 0;
}
