#!/usr/bin/env python3
"""Programs that lack exactly one defence, to show that an attack would succeed without it.

    sabotages.py --list                   a line for each: NAME PROGRAM FILE ...
    sabotages.py NAME SOURCE-DIR OUT-DIR  writes the altered files of one

A passage that is to be replaced has to be there: whoever changes a defence changes its sabotage.
"""
import os
import sys

MEMBER = "crypto/secagg/secaggplus/member.c"
INTAKE = "crypto/secagg/secaggplus/intake.c"
RECONSTRUCT = "crypto/secagg/secaggplus/reconstruct.c"
SPOOL = "coordinator/gate/spool.c"
KEYRING = "crypto/secagg/secaggplus/keys/keyring.c"
COHORT = "crypto/secagg/secaggplus/messages/cohort.c"
SHARES = "crypto/secagg/secaggplus/messages/shares.c"
SURVIVORS = "crypto/secagg/secaggplus/messages/survivors.c"
JUDGEMENT = "participant/sealer/judgement.c"
POLICY = "participant/sealer/policy.c"
JOINING = "participant/sealer/joining.c"
SUMMING = "participant/sealer/summing.c"
MEMBERS = "participant/sealer/members.c"
STATE = "participant/sealer/state.c"
ITEMS = "participant/sealer/items.c"


def without(file, refusal):
    """The check is made and its outcome is not looked at."""
    return file, f"return SOTTO_REFUSAL_{refusal};", "(void)0;"


def believing(file, function):
    """What it finds, in `if (function(...) != SOTTO_OK`, counts for nothing."""
    return file, f"{function}(", f"SOTTO_OK & {function}("


def allowed(file, row):
    """One more row in the participant's table of what may come when."""
    return file, "static const struct rule rules[] = {", \
        "static const struct rule rules[] = {\n    " + row


SEALERS = {
    "plan-signature": [without(JUDGEMENT, "PLAN_SIGNATURE")],
    "plan-check": [("core/wire/plan.c", "status = sotto_plan_check(&read, NULL);", "(void)0;")],
    "round-not-new": [without(JUDGEMENT, "ROUND_NOT_NEW")],
    "base-model": [without(JUDGEMENT, "BASE_MODEL")],
    "policy-cohort": [without(POLICY, "POLICY_COHORT")],
    "policy-survivors": [without(POLICY, "POLICY_SURVIVORS")],
    "policy-corrupt": [without(POLICY, "POLICY_CORRUPT")],
    "policy-clip": [without(POLICY, "POLICY_CLIP")],
    "policy-quantiser": [(POLICY, "return SOTTO_REFUSAL_POLICY_QUANTISER;",
                          "return SOTTO_REFUSAL_NONE;")],
    "policy-work": [without(POLICY, "POLICY_WORK")],
    "budget": [(POLICY, "if (policy->epsilon_max == 0 && policy->epsilon_round_max == 0)",
                "if (true)")],
    "budget-round": [(POLICY, "if (is_beyond(policy->epsilon_round_max, charge, policy->delta))",
                      "if (false)")],
    "charge": [(SUMMING, "if (turn->plan.noise_multiplier > 0)", "if (false)")],
    "roster-pin": [without(POLICY, "ROSTER")],
    "roster": [without(JUDGEMENT, "ROSTER")],
    "roster-authority": [without(POLICY, "ROSTER_AUTHORITY")],
    "roster-epoch": [without(JUDGEMENT, "ROSTER_EPOCH")],
    "policy-organisation": [without(POLICY, "POLICY_ORGANISATION")],
    "rank": [without(POLICY, "LAYOUT")],
    "items": [(ITEMS, "item->is_checked = sotto_digest_equal(digest, &item->digest);",
               "item->is_checked = true;"),
              (STATE, "return SOTTO_REFUSAL_LAYOUT;", "(void)0;"),
              (STATE, "return SOTTO_REFUSAL_ADAPTER;", "(void)0;")],
    "plan-context": [(JOINING, "sotto_hash(&context, parts, 2);",
                      "sotto_hash(&context, parts, 1);")],
    "differencing": [(SUMMING, "refusal = SOTTO_REFUSAL_DIFFERENCING;", "(void)0;")],

    "cohort-size": [without(COHORT, "COHORT_SIZE")],
    "cohort-signature": [without(COHORT, "COHORT_SIGNATURE")],
    "cohort-leaves": [(COHORT, "if (!sotto_digest_equal(&leaf, &claim->leaves[seat]))",
                       "if (false)")],
    "neighbour-set": [without(COHORT, "NEIGHBOUR_SET"),
                      (COHORT, "refusal = check_company(cohort, &claim,",
                       "parameters.threshold = claim.threshold;\n"
                       "    refusal = check_company(cohort, &claim,")],
    # Whose adverts came are the neighbours.
    "neighbours-chosen": [
        (COHORT, "sotto_ring_find(&cohort->ring, circle->owner), neighbours);\n",
         "sotto_ring_find(&cohort->ring, circle->owner), neighbours);\n"
         "    for (uint32_t seat = 0, slot = 0; seat < claim->cohort; seat++)\n"
         "        for (uint32_t place = 0; place <= neighbours; place++)\n"
         "            if (seat != circle->owner &&\n"
         "                sotto_load_u32(claim->adverts.at + (size_t)SOTTO_ADVERT_BYTES * place)\n"
         "                    == cohort->ids[seat])\n"
         "                circle->neighbours[slot++] = seat;\n")],
    "own-leaf": [without(COHORT, "OWN_LEAF")],
    "neighbour-unknown": [
        without(COHORT, "NEIGHBOUR_UNKNOWN"),
        (MEMBERS, "return SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN;", "continue;"),
        (COHORT, "*const *entries = list;\n",
         "*const *entries = list;\n\n"
         "    if (entries[left] == NULL || entries[right] == NULL)\n"
         "        return entries[right] != NULL;\n"),
        (COHORT, "cohort->entries[seat];\n        struct sotto_digest leaf;\n",
         "cohort->entries[seat];\n        struct sotto_digest leaf;\n\n"
         "        if (entry == NULL)\n            continue;\n")],
    "organisation": [without(MEMBERS, "ORGANISATION")],
    "known-members": [without(MEMBERS, "KNOWN_MEMBERS")],
    "neighbour-duplicate": [without(COHORT, "NEIGHBOUR_DUPLICATE")],
    "neighbour-signature": [without(COHORT, "NEIGHBOUR_SIGNATURE")],
    "neighbour-low-order": [without(COHORT, "NEIGHBOUR_LOW_ORDER"),
                            without(MEMBER, "NEIGHBOUR_LOW_ORDER"),
                            (KEYRING, "circle.count && status == SOTTO_OK; slot++)",
                             "circle.count; slot++)"),
                            (KEYRING, "    if (status != SOTTO_OK)\n        return status;\n"
                             "    sotto_self_mask_derive", "    sotto_self_mask_derive")],

    # The self mask goes on whatever the set says.
    "inbox-own": [(SHARES, "!sotto_seats_has(&read.senders, receiver->owner))", "false)"),
                  (KEYRING, "keyring->streams[circle->count].use = SOTTO_STREAM_ADDED;", "")],
    "share-sealed": [without(MEMBER, "SHARE_SEALED"),
                     (KEYRING, "&cohort->context) != SOTTO_OK)\n            return SOTTO_FORGED;",
                      "&cohort->context) != SOTTO_OK)\n            (void)0;")],
    "too-few-shared": [without(MEMBER, "TOO_FEW_SHARED")],
    "second-cohort": [allowed(MEMBER,
                              "{PHASE_SHARED, SOTTO_MEMBER_COHORT, share, PHASE_SHARED},")],
    "second-inbox": [allowed(MEMBER, "{PHASE_UPLOADED, SOTTO_MEMBER_INBOX, receive_shares, "
                             "PHASE_UPLOADED},")],
    # The floor does not believe the count either.
    "survivors-count": [(SURVIVORS, "|| read.count != sotto_seats_count(&read.seats)", ""),
                        without(MEMBER, "TOO_FEW_SURVIVORS")],
    "survivors-signature": [without(MEMBER, "SURVIVORS_SIGNATURE")],
    "own-bit": [without(MEMBER, "OWN_BIT")],
    "survivor-stranger": [without(MEMBER, "SURVIVOR_STRANGER")],
    "too-few-survivors": [without(MEMBER, "TOO_FEW_SURVIVORS")],
    "second-survivors": [allowed(MEMBER,
                                 "{PHASE_INCLUDED, SOTTO_MEMBER_SURVIVORS, include, "
                                 "PHASE_INCLUDED},")],
    "inclusion": [without(MEMBER, "INCLUSION")],
    # A second set would also be too close to the first.
    "after-reveal": [(SUMMING, "refusal = SOTTO_REFUSAL_DIFFERENCING;", "(void)0;"),
                     allowed(MEMBER,
                             "{PHASE_REVEALED, SOTTO_MEMBER_SURVIVORS, include, PHASE_INCLUDED},"),
                     (MEMBER, "sotto_keyring_wipe(&member->keyring);\n    return",
                      "return")],

    # Not a defence that an attack meets: it shows that the search for secrets finds them.
    "wipe": [(MEMBER, "sotto_member_wipe(member);\n    *effects", "*effects"),
             (STATE, "turn->setup.protocol->member_wipe(turn->member);", "(void)0;"),
             (STATE, "sotto_wipe(arena->memory + turn->round_mark, "
              "arena->used - turn->round_mark);", "(void)0;")],
}

IMPOSSIBLE = ("crypto/ring/quantise.c",
              "if (!is_possible(sum, value_count, quantiser, survivors))", "if (false)")
COMMITTED = (RECONSTRUCT, "is_committed(secret, &shared->commitment)", "true")

COORDINATORS = {
    "impossible-sum": [IMPOSSIBLE],
    "upload-digest": [(SPOOL, "if (!sotto_digest_equal(&digest, &chunk->upload_digest))",
                       "if (false)")],
    "chunk-digest": [(SPOOL, "if (!sotto_digest_equal(&digest, &chunk->digest))", "if (false)")],
    "upload-length": [(SPOOL, "if (chunk->total != spool->total)", "if (false)")],
    "advert-signature": [believing(INTAKE, "sotto_advert_verify")],
    "advert-usable": [(INTAKE, "sotto_x25519_is_usable(key) && ", "")],
    "inclusion-signature": [believing(INTAKE, "sotto_inclusion_verify")],
    "liars": [(RECONSTRUCT, "LEFT_OUT_MAX = 3", "LEFT_OUT_MAX = 0")],
    # A secret that is wrong shows in the sum as well.
    "commitments": [COMMITTED, IMPOSSIBLE],
    "reveal-owners": [(INTAKE, "if (revealed.owner != collection->adverts[row[slot]].id)",
                       "if (false)")],
}

PROGRAMS = {"sotto-sealer": SEALERS, "sotto-coordinator": COORDINATORS}


def edits_of(wanted):
    for sabotages in PROGRAMS.values():
        if wanted in sabotages:
            return sabotages[wanted]
    raise SystemExit(f"sabotages.py: there is no {wanted}")


def show():
    for program, sabotages in PROGRAMS.items():
        for name, edits in sabotages.items():
            print(name, program, *sorted({file for file, _, _ in edits}))


def write(name, source, out):
    texts = {}
    for file, passage, instead in edits_of(name):
        if file not in texts:
            with open(os.path.join(source, file), encoding="utf-8") as original:
                texts[file] = original.read()
        if passage not in texts[file]:
            raise SystemExit(f"sabotages.py: {file} has no longer the passage that {name} "
                             f"switches off: adapt tests/attacks/sabotages.py\n    {passage}")
        texts[file] = texts[file].replace(passage, instead)
    os.makedirs(out, exist_ok=True)
    for file, text in texts.items():
        with open(os.path.join(out, os.path.basename(file)), "w", encoding="utf-8") as altered:
            altered.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        show()
    elif len(sys.argv) == 4:
        write(*sys.argv[1:])
    else:
        raise SystemExit(__doc__)
