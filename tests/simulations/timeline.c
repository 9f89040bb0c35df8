#include "simulations/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/entropy.h"

static void timeline__posts_out_of_order__come_out_by_time_then_by_posting(void **state)
{
    struct sotto_timeline timeline = {0};
    struct sotto_entropy entropy;
    struct sotto_post post = {0}, before = {0};

    (void)state;
    sotto_entropy_init_seeded(&entropy, 1);
    for (int i = 0; i < 1000; i++) {
        post.at_ms = sotto_entropy_below(&entropy, 50);
        assert_int_equal(sotto_timeline_add(&timeline, &post, (struct sotto_view){0}), SOTTO_OK);
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sotto_timeline_take(&timeline, &post), SOTTO_OK);
        assert_true(i == 0 || post.at_ms > before.at_ms ||
                    (post.at_ms == before.at_ms && post.order > before.order));
        before = post;
        free(post.bytes);
    }
    assert_int_equal(sotto_timeline_take(&timeline, &post), SOTTO_NOT_FOUND);
    sotto_timeline_close(&timeline);
}

static void timeline__bytes__are_copied(void **state)
{
    struct sotto_timeline timeline = {0};
    char bytes[] = "soft";
    struct sotto_post post = {.at_ms = 1};

    (void)state;
    assert_int_equal(sotto_timeline_add(&timeline, &post, sotto_view_of(bytes, 4)), SOTTO_OK);
    bytes[0] = 'l';
    assert_int_equal(sotto_timeline_take(&timeline, &post), SOTTO_OK);
    assert_int_equal(post.length, 4);
    assert_memory_equal(post.bytes, "soft", 4);
    free(post.bytes);
    sotto_timeline_close(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeline__posts_out_of_order__come_out_by_time_then_by_posting),
        cmocka_unit_test(timeline__bytes__are_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
