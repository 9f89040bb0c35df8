/* What a step of a site's turn is about to let out, as the watch hears it. */
#ifndef TESTS_CHAOS_DEED_H
#define TESTS_CHAOS_DEED_H

#include "tests/chaos/site.h"

struct play;

/* Mail that the turn has accepted: the cohort, and who shared in it. */
void deed_heard(struct play *play, const struct site *site, const struct sotto_mail *mail);
/* Just before it is sent. */
void deed_answer(struct play *play, const struct site *site,
                 const struct sotto_turn_effects *effects);
void deed_upload(struct play *play, const struct site *site,
                 const struct sotto_turn_effects *effects);
void deed_plain(struct play *play, const struct site *site, const uint32_t plain[CHAOS_LANES]);

#endif
