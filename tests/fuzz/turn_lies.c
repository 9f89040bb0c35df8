/*
 * What a site refuses after its plan: items, its own trainer's update, and members. The first byte
 * chooses which, the rest alters it further: patches of three bytes to an item, offset (u16), xor;
 * or one byte for the length of the update, the member that is missing, the organisations. The lie
 * alone is refused for its own reason; whatever is refused leaves neither update nor masks.
 */
#include <stdlib.h>
#include <string.h>

#include "participant/ledger/history.h"
#include "tests/participant/sealer/circle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static uint8_t first_of(struct sotto_view more)
{
    return more.length > 0 ? more.at[0] : 0;
}

/* One bit is wrong already; the coordinator itself has the honest bytes no more. */
static void tell_item(struct circle *circle, enum sotto_item_kind kind, struct sotto_view more)
{
    uint8_t *items[] = {circle->roster_bytes, circle->layout_bytes, (uint8_t *)circle->adapter};
    const size_t lengths[] = {circle->roster_length, circle->layout_length, sizeof circle->adapter};
    size_t place = kind - SOTTO_ITEM_ROSTER;

    circle_begin(circle);
    circle_ready(circle, 0);
    items[place][9] ^= 1;
    for (size_t at = 0; at + 3 <= more.length; at += 3)
        items[place][((size_t)more.at[at] << 8 | more.at[at + 1]) % lengths[place]] ^=
            more.at[at + 2];
    circle->sites[0].stop_at = SOTTO_PHASE_LOADING;
    demand(circle_deliver(circle, 0));
}

static void tell_roster(struct circle *circle, struct sotto_view more)
{
    tell_item(circle, SOTTO_ITEM_ROSTER, more);
}

static void tell_layout(struct circle *circle, struct sotto_view more)
{
    tell_item(circle, SOTTO_ITEM_LAYOUT, more);
}

static void tell_adapter(struct circle *circle, struct sotto_view more)
{
    tell_item(circle, SOTTO_ITEM_ADAPTER, more);
}

static void tell_update(struct circle *circle, struct sotto_view more)
{
    circle_bring(circle, SOTTO_PHASE_WORKING);
    circle_step(&circle->sites[0],
                &(struct sotto_turn_event){.kind = SOTTO_TURN_UPDATE,
                                           .values = circle->sites[0].values,
                                           .value_count = first_of(more) % CIRCLE_VALUES,
                                           .weight = 1});
}

/* An earlier sum over the present members and one more. */
static void tell_close_cohort(struct circle *circle, struct sotto_view more)
{
    struct sotto_record earlier = {.kind = SOTTO_RECORD_REVEALED,
                                   .campaign = "other",
                                   .round = 1,
                                   .start = circle->plan.adapter,
                                   .member_count = 4,
                                   .members = {1, 2, 3, 4}};

    earlier.members[3] += first_of(more);
    sotto_history_add(&circle->sites[0].turn->history, &earlier);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
}

static void tell_one_organisation(struct circle *circle, struct sotto_view more)
{
    uint32_t one = first_of(more) % 3;

    circle->plan.organisation_max = 2;
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle->roster_message.lines[place].organisation = one;
    circle_publish_roster(circle);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
}

static void tell_strangers(struct circle *circle, struct sotto_view more)
{
    struct sotto_policy *policy = &circle->sites[0].policy;

    policy->known_min = policy->known_count = 2;
    policy->known[0] = circle->entries[0].identity;
    policy->known[1] = circle->entries[1].identity;
    policy->known[1].bytes[0] ^= first_of(more);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
}

static const struct {
    enum sotto_refusal refusal;
    void (*tell)(struct circle *circle, struct sotto_view more);
} lies[] = {
    {SOTTO_REFUSAL_ROSTER, tell_roster},
    {SOTTO_REFUSAL_LAYOUT, tell_layout},
    {SOTTO_REFUSAL_ADAPTER, tell_adapter},
    {SOTTO_REFUSAL_UPDATE, tell_update},
    {SOTTO_REFUSAL_DIFFERENCING, tell_close_cohort},
    {SOTTO_REFUSAL_ORGANISATION, tell_one_organisation},
    {SOTTO_REFUSAL_KNOWN_MEMBERS, tell_strangers},
};

static bool was_refused(const struct circle_site *site, enum sotto_refusal refusal)
{
    char text[64] = "send-";

    strncat(text, sotto_refusal_name(refusal), sizeof text - strlen(text) - 1);
    return strstr(site->trace, text) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct circle *circle;
    const struct sotto_turn *turn;
    size_t lie;

    if (length < 1 || length > 256)
        return 0;
    lie = bytes[0] % (sizeof lies / sizeof lies[0]);
    circle = circle_open();
    circle->sites[0].trace[0] = '\0';
    lies[lie].tell(circle, sotto_view_of(bytes + 1, length - 1));
    turn = circle->sites[0].turn;
    demand(length > 1 || was_refused(&circle->sites[0], lies[lie].refusal));
    if (was_refused(&circle->sites[0], lies[lie].refusal))
        demand(turn->member == NULL && turn->values == NULL && sotto_turn_plan(turn) == NULL);
    circle_close(circle);
    return 0;
}
