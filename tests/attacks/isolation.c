/*
 * A coordinator that tells each holder another survivor set, so as to learn one participant's
 * update alone: t holders are to say the victim's self mask, and for each of its neighbours t
 * holders its mask key. Ring sets of large cohorts, with colluders that answer everything.
 *
 * A participant reveals if its set has itself, at least t of its neighbours and as many members as
 * the floor. With the inclusion step t of its neighbours that survive must also have confirmed the
 * very same set.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secagg/secaggplus/graph/ring.h"
#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

enum { VICTIMS = 4 };

struct ring_set {
    uint32_t cohort;
    uint32_t neighbours;
    uint32_t threshold;
    double corrupt_fraction;
};

static const struct ring_set ring_sets[] = {
    {1000, 314, 179, 0.05},
    {100, 72, 39, 0.05},
};

/*
 * Everybody is called by its place in the ring of a made-up cohort; dead[holder * cohort + place]:
 * it was told so.
 */
struct stage {
    struct ring_set set;
    uint32_t *around; /* [cohort][neighbours] places of a place's neighbours, its share holders */
    bool *colludes;
    bool *dead;
    uint32_t *lies; /* [cohort] how many neighbours a holder was told are dead */
    struct sotto_entropy entropy;
};

/* The ring that participants compute, with places in place of seats. */
static void place_neighbours(struct stage *stage, struct sotto_ring *ring)
{
    const uint32_t count = stage->set.neighbours;
    uint32_t *place_of = calloc(stage->set.cohort, sizeof *place_of);

    assert_non_null(place_of);
    for (uint32_t place = 0; place < stage->set.cohort; place++)
        place_of[ring->order[place]] = place;
    for (uint32_t place = 0; place < stage->set.cohort; place++) {
        uint32_t *row = stage->around + (size_t)place * count;

        sotto_ring_neighbours(row, ring, place, count);
        for (uint32_t slot = 0; slot < count; slot++)
            row[slot] = place_of[row[slot]];
    }
    free(place_of);
}

static void draw_ring(struct stage *stage)
{
    const uint32_t cohort = stage->set.cohort;
    struct sotto_digest *leaves = calloc(cohort, sizeof *leaves);
    struct sotto_digest context;
    struct sotto_arena arena;
    struct sotto_ring ring;

    assert_non_null(leaves);
    sotto_entropy_fill(&stage->entropy, &context, sizeof context);
    sotto_entropy_fill(&stage->entropy, leaves, cohort * sizeof *leaves);
    assert_int_equal(sotto_arena_open(&arena, (size_t)cohort * 64 + 4096), SOTTO_OK);
    assert_int_equal(sotto_ring_init(&ring, &arena, cohort), SOTTO_OK);
    sotto_ring_place(&ring, &context, leaves, cohort);
    place_neighbours(stage, &ring);
    sotto_arena_close(&arena);
    free(leaves);
}

static void stage_open(struct stage *stage, const struct ring_set *set)
{
    uint32_t left = (uint32_t)(set->corrupt_fraction * set->cohort);

    *stage = (struct stage){.set = *set};
    stage->colludes = calloc(set->cohort, sizeof *stage->colludes);
    stage->dead = calloc((size_t)set->cohort * set->cohort, sizeof *stage->dead);
    stage->lies = calloc(set->cohort, sizeof *stage->lies);
    stage->around = calloc((size_t)set->cohort * set->neighbours, sizeof *stage->around);
    assert_true(stage->colludes != NULL && stage->dead != NULL && stage->lies != NULL &&
                stage->around != NULL);
    seed_open(&stage->entropy, "isolation");
    draw_ring(stage);
    while (left > 0) {
        bool *one = &stage->colludes[sotto_entropy_below(&stage->entropy, set->cohort)];

        left -= *one ? 0 : 1;
        *one = true;
    }
}

static void stage_close(struct stage *stage)
{
    free(stage->colludes);
    free(stage->dead);
    free(stage->lies);
    free(stage->around);
}

static void stage_forget(struct stage *stage)
{
    memset(stage->dead, 0, (size_t)stage->set.cohort * stage->set.cohort * sizeof *stage->dead);
    memset(stage->lies, 0, stage->set.cohort * sizeof *stage->lies);
}

static uint32_t neighbour_of(const struct stage *stage, uint32_t place, uint32_t slot)
{
    return stage->around[(size_t)place * stage->set.neighbours + slot];
}

static bool *told(const struct stage *stage, uint32_t holder, uint32_t place)
{
    return &stage->dead[(size_t)holder * stage->set.cohort + place];
}

static uint32_t honest_victim(struct stage *stage)
{
    for (;;) {
        uint32_t place = (uint32_t)sotto_entropy_below(&stage->entropy, stage->set.cohort);

        if (!stage->colludes[place])
            return place;
    }
}

/* What a set must have for its receiver to go on, whoever else was told it. */
static bool looks_honest(const struct stage *stage, uint32_t holder)
{
    uint32_t alive = 0;
    uint32_t members = 0;

    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++)
        alive += !*told(stage, holder, neighbour_of(stage, holder, slot));
    for (uint32_t place = 0; place < stage->set.cohort; place++)
        members += !*told(stage, holder, place);
    return !*told(stage, holder, holder) && alive >= stage->set.threshold &&
           members > stage->set.threshold;
}

static bool is_same_set(const struct stage *stage, uint32_t left, uint32_t right)
{
    return memcmp(told(stage, left, 0), told(stage, right, 0),
                  stage->set.cohort * sizeof *stage->dead) == 0;
}

static bool is_confirmed(const struct stage *stage, uint32_t holder)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++) {
        uint32_t other = neighbour_of(stage, holder, slot);

        if (!*told(stage, holder, other))
            count += stage->colludes[other] || is_same_set(stage, holder, other);
    }
    return count >= stage->set.threshold;
}

static uint32_t reveal_all(bool *reveals, const struct stage *stage, bool has_inclusion)
{
    uint32_t count = 0;

    for (uint32_t holder = 0; holder < stage->set.cohort; holder++) {
        reveals[holder] =
            looks_honest(stage, holder) && (!has_inclusion || is_confirmed(stage, holder));
        count += reveals[holder] && !stage->colludes[holder];
    }
    return count;
}

/* Shares of one kind that the coordinator gets of an owner: colluders tell both. */
static uint32_t shares_told(const struct stage *stage, const bool *reveals, uint32_t owner,
                            bool of_mask_key)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++) {
        uint32_t holder = neighbour_of(stage, owner, slot);

        count += stage->colludes[holder] ||
                 (reveals[holder] && *told(stage, holder, owner) == of_mask_key);
    }
    return count;
}

static bool is_isolated(const struct stage *stage, const bool *reveals, uint32_t victim)
{
    if (shares_told(stage, reveals, victim, false) < stage->set.threshold)
        return false;
    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++) {
        uint32_t other = neighbour_of(stage, victim, slot);

        if (!stage->colludes[other] &&
            shares_told(stage, reveals, other, true) < stage->set.threshold)
            return false;
    }
    return true;
}

static uint32_t count_isolated(const struct stage *stage, bool has_inclusion)
{
    bool *reveals = calloc(stage->set.cohort, sizeof *reveals);
    uint32_t count = 0;

    assert_non_null(reveals);
    (void)reveal_all(reveals, stage, has_inclusion);
    for (uint32_t place = 0; place < stage->set.cohort; place++)
        count += !stage->colludes[place] && is_isolated(stage, reveals, place);
    free(reveals);
    return count;
}

/* The honest holder of `owner` that was lied to least and may still be lied to. */
static bool choose_holder(const struct stage *stage, uint32_t *chosen, uint32_t owner)
{
    const uint32_t lies_max = stage->set.neighbours - stage->set.threshold;
    bool found = false;

    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++) {
        uint32_t holder = neighbour_of(stage, owner, slot);

        if (stage->colludes[holder] || *told(stage, holder, owner) ||
            stage->lies[holder] >= lies_max)
            continue;
        if (!found || stage->lies[holder] < stage->lies[*chosen])
            *chosen = holder;
        found = true;
    }
    return found;
}

/* Tells as many holders of `owner` that it is dead as its mask key needs. */
static void kill_for_its_holders(struct stage *stage, uint32_t owner)
{
    uint32_t needed = stage->set.threshold;
    uint32_t holder = 0;

    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++)
        needed -= stage->colludes[neighbour_of(stage, owner, slot)] ? 1 : 0;
    for (; needed > 0 && choose_holder(stage, &holder, owner); needed--) {
        *told(stage, holder, owner) = true;
        stage->lies[holder]++;
    }
}

static void lie_greedily(struct stage *stage, uint32_t victim)
{
    stage_forget(stage);
    for (uint32_t slot = 0; slot < stage->set.neighbours; slot++) {
        uint32_t other = neighbour_of(stage, victim, slot);

        if (!stage->colludes[other])
            kill_for_its_holders(stage, other);
    }
}

static bool are_neighbours(const struct stage *stage, uint32_t left, uint32_t right)
{
    uint32_t apart = (left + stage->set.cohort - right) % stage->set.cohort;

    return apart != 0 && (apart <= stage->set.neighbours / 2 ||
                          apart >= stage->set.cohort - stage->set.neighbours / 2);
}

/* Tells a whole arc that a place is dead, if each of its members can lose one more neighbour. */
static void kill_for_arc(struct stage *stage, uint32_t first, uint32_t end, uint32_t place)
{
    const uint32_t lies_max = stage->set.neighbours - stage->set.threshold;

    if (place >= first && place < end)
        return;
    for (uint32_t holder = first; holder < end; holder++)
        if (are_neighbours(stage, holder, place) && stage->lies[holder] >= lies_max)
            return;
    for (uint32_t holder = first; holder < end; holder++) {
        *told(stage, holder, place) = true;
        stage->lies[holder] += are_neighbours(stage, holder, place);
    }
}

/*
 * Arcs of `length` places are told one set each, so that the confirmations inside an arc agree.
 * Each begins its list of dead ones elsewhere, so that all of the victim's neighbours get on some.
 */
static void lie_in_arcs(struct stage *stage, uint32_t victim, uint32_t length)
{
    const struct ring_set *set = &stage->set;

    stage_forget(stage);
    for (uint32_t first = 0; first < set->cohort; first += length) {
        uint32_t end = first + length < set->cohort ? first + length : set->cohort;

        for (uint32_t i = 0; i < set->neighbours; i++) {
            uint32_t slot = (i + first * 7) % set->neighbours;
            uint32_t other = neighbour_of(stage, victim, slot);

            if (!stage->colludes[other])
                kill_for_arc(stage, first, end, other);
        }
    }
}

static void isolation__greedy_lies_without_inclusion__takes_every_victim(void **state)
{
    struct stage stage;

    (void)state;
    for (size_t i = 0; i < sizeof ring_sets / sizeof *ring_sets; i++) {
        stage_open(&stage, &ring_sets[i]);
        for (int times = 0; times < VICTIMS; times++) {
            lie_greedily(&stage, honest_victim(&stage));
            assert_true(count_isolated(&stage, false) >= 1);
        }
        stage_close(&stage);
    }
}

static void isolation__greedy_lies_with_inclusion__takes_nobody(void **state)
{
    struct stage stage;

    (void)state;
    for (size_t i = 0; i < sizeof ring_sets / sizeof *ring_sets; i++) {
        stage_open(&stage, &ring_sets[i]);
        for (int times = 0; times < VICTIMS; times++) {
            lie_greedily(&stage, honest_victim(&stage));
            assert_int_equal(count_isolated(&stage, true), 0);
        }
        stage_close(&stage);
    }
}

static void isolation__lies_by_arcs_with_inclusion__takes_nobody(void **state)
{
    struct stage stage;

    (void)state;
    for (size_t i = 0; i < sizeof ring_sets / sizeof *ring_sets; i++) {
        uint32_t victim;

        stage_open(&stage, &ring_sets[i]);
        victim = honest_victim(&stage);
        for (uint32_t length = 1; length < stage.set.cohort; length += length / 4 + 1) {
            lie_in_arcs(&stage, victim, length);
            assert_int_equal(count_isolated(&stage, true), 0);
        }
        stage_close(&stage);
    }
}

/* The step alone is not enough: where t is a third of k, members of an arc confirm each other. */
static void isolation__lies_by_arcs_below_half_the_neighbours__takes_somebody(void **state)
{
    const struct ring_set low = {1000, 314, 100, 0.05};
    struct stage stage;
    uint32_t victim;
    uint32_t isolated = 0;

    (void)state;
    stage_open(&stage, &low);
    victim = honest_victim(&stage);
    for (uint32_t length = 1; length < low.cohort && isolated == 0; length += length / 4 + 1) {
        lie_in_arcs(&stage, victim, length);
        isolated = count_isolated(&stage, true);
    }
    assert_true(isolated >= 1);
    stage_close(&stage);
}

/* The rule lets an honest coordinator through: everybody is told the same, some are gone. */
static void inclusion__one_set_for_all__is_confirmed_by_all(void **state)
{
    struct stage stage;
    bool reveals[1000];

    (void)state;
    stage_open(&stage, &ring_sets[0]);
    for (uint32_t holder = 0; holder < stage.set.cohort; holder++)
        for (uint32_t gone = 0; gone < stage.set.cohort; gone += 10)
            *told(&stage, holder, gone) = true;
    assert_true(reveal_all(reveals, &stage, true) >= 850);
    assert_int_equal(count_isolated(&stage, true), 0);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolation__greedy_lies_without_inclusion__takes_every_victim),
        cmocka_unit_test(isolation__greedy_lies_with_inclusion__takes_nobody),
        cmocka_unit_test(isolation__lies_by_arcs_with_inclusion__takes_nobody),
        cmocka_unit_test(isolation__lies_by_arcs_below_half_the_neighbours__takes_somebody),
        cmocka_unit_test(inclusion__one_set_for_all__is_confirmed_by_all),
    };

    return cmocka_run_group_tests_name("attacks_isolation", tests, NULL, NULL);
}
