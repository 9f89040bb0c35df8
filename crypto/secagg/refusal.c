#include "crypto/secagg/refusal.h"

struct refusal_words {
    const char *name;
    const char *sentence;
};

static const struct refusal_words refusal_words[SOTTO_REFUSAL_COUNT] = {
    [SOTTO_REFUSAL_NONE] = {"none", "nothing was refused"},
    [SOTTO_REFUSAL_PLAN_MALFORMED] =
        {"plan-malformed", "the plan does not parse or contradicts itself; check that coordinator "
                           "and site run the same version"},
    [SOTTO_REFUSAL_PLAN_SIGNATURE] =
        {"plan-signature", "the plan is not signed by the coordinator this site enrolled with; "
                           "ask its administrator before enrolling again"},
    [SOTTO_REFUSAL_ROUND_NOT_NEW] =
        {"round-not-new", "the round is not above the last one this site took part in; the "
                          "coordinator may have been set back to an old backup"},
    [SOTTO_REFUSAL_BASE_MODEL] =
        {"base-model", "the plan names another base model than this site loaded or its policy "
                       "pins; install the named model or change the policy"},
    [SOTTO_REFUSAL_ADAPTER] =
        {"adapter", "the adapter that was fetched is not the one the plan names; the coordinator "
                    "serves wrong bytes"},
    [SOTTO_REFUSAL_LAYOUT] =
        {"layout", "the adapter's layout, rank or trainable tensors differ from what was loaded "
                   "or what the policy allows"},
    [SOTTO_REFUSAL_POLICY_COHORT] =
        {"policy-cohort", "the plan allows a smaller cohort than this site's policy; enlarge the "
                          "campaign's cohort or change the policy"},
    [SOTTO_REFUSAL_POLICY_SURVIVORS] =
        {"policy-survivors", "the plan allows a sum over fewer participants than this site's "
                             "policy; raise the campaign's floor or change the policy"},
    [SOTTO_REFUSAL_POLICY_CORRUPT] =
        {"policy-corrupt", "the plan assumes fewer colluding participants than this site's "
                           "policy; raise gamma in the campaign or change the policy"},
    [SOTTO_REFUSAL_POLICY_CLIP] = {"policy-clip",
                                   "the plan's clip norm is outside this site's policy"},
    [SOTTO_REFUSAL_POLICY_QUANTISER] =
        {"policy-quantiser", "a sum under this plan could wrap around; the campaign needs more "
                             "ring bits or fewer value bits"},
    [SOTTO_REFUSAL_POLICY_WORK] =
        {"policy-work", "the plan asks for more local training than this site's policy allows"},
    [SOTTO_REFUSAL_ROSTER] =
        {"roster", "the roster is not the one the plan names or not the one this site pinned; "
                   "compare its digest with other sites"},
    [SOTTO_REFUSAL_COHORT_MALFORMED] =
        {"cohort-malformed", "the cohort message does not parse, or its keys and the roster's "
                             "certificates do not hash to what was signed"},
    [SOTTO_REFUSAL_COHORT_SIGNATURE] =
        {"cohort-signature", "the cohort is not signed by the coordinator for this plan"},
    [SOTTO_REFUSAL_COHORT_SIZE] = {"cohort-size",
                                   "the cohort is smaller or larger than the plan allows"},
    [SOTTO_REFUSAL_OWN_LEAF] =
        {"own-leaf", "this site's own keys are missing from the cohort, altered, or there twice; "
                     "do not trust this coordinator"},
    [SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN] = {"neighbour-unknown",
                                         "a member of the cohort is not in the roster; compare the "
                                         "roster's digest with other sites"},
    [SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE] =
        {"neighbour-duplicate", "two members of the cohort share an id, a key or a certificate"},
    [SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE] =
        {"neighbour-signature", "a member's keys are not signed by its identity for this plan; "
                                "somebody put keys into its place"},
    [SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER] =
        {"neighbour-low-order", "a member's key has low order, so that anybody could know the "
                                "masks shared with it"},
    [SOTTO_REFUSAL_NEIGHBOUR_SET] =
        {"neighbour-set", "the coordinator names other neighbours or another threshold than this "
                          "site computes from the cohort"},
    [SOTTO_REFUSAL_DIFFERENCING] =
        {"differencing", "the members differ by too few from those of an earlier sum from the same "
                         "start; wait for a larger change"},
    [SOTTO_REFUSAL_INBOX_MALFORMED] =
        {"inbox-malformed", "the sealed shares do not parse, or are for or from a stranger"},
    [SOTTO_REFUSAL_SHARE_SEALED] =
        {"share-sealed", "a sealed share does not open: it was altered on its way, or is from "
                         "another round"},
    [SOTTO_REFUSAL_TOO_FEW_SHARED] =
        {"too-few-shared", "too few members of the cohort shared their keys for this round to be "
                           "private and to finish"},
    [SOTTO_REFUSAL_SECOND_MESSAGE] =
        {"second-message", "a message came twice or out of order; one answer is given only once"},
    [SOTTO_REFUSAL_SURVIVORS_MALFORMED] = {"survivors-malformed",
                                           "the survivor set does not parse"},
    [SOTTO_REFUSAL_SURVIVORS_SIGNATURE] =
        {"survivors-signature", "the survivor set is not signed by the coordinator for this "
                                "cohort"},
    [SOTTO_REFUSAL_OWN_BIT] = {"own-bit",
                               "the survivor set leaves this site out although it uploaded"},
    [SOTTO_REFUSAL_SURVIVOR_STRANGER] =
        {"survivor-stranger", "the survivor set names a member that did not share its keys"},
    [SOTTO_REFUSAL_TOO_FEW_SURVIVORS] =
        {"too-few-survivors", "fewer members survive than the plan and the threshold demand"},
    [SOTTO_REFUSAL_INCLUSION] =
        {"inclusion", "too few members confirm the same survivor set; the coordinator may have "
                      "told them another"},
    [SOTTO_REFUSAL_AFTER_REVEAL] = {"after-reveal",
                                    "a message came after the shares were revealed"},
    [SOTTO_REFUSAL_UPDATE] =
        {"update", "this site's own update is not finite or of a wrong length, or its weight is "
                   "out of range; look at the trainer's log"},
    [SOTTO_REFUSAL_POLICY_ORGANISATION] =
        {"policy-organisation", "the plan allows more members of one organisation than this site's "
                                "policy; lower the campaign's cap or change the policy"},
    [SOTTO_REFUSAL_ROSTER_AUTHORITY] =
        {"roster-authority", "the roster is not signed by the authority that this site pinned; the "
                             "administrator has to have the present one signed"},
    [SOTTO_REFUSAL_ROSTER_EPOCH] =
        {"roster-epoch", "the roster is older than one this site accepted before; the coordinator "
                         "was set back to an old backup, or brings revoked sites in again"},
    [SOTTO_REFUSAL_ORGANISATION] =
        {"organisation", "more members of the cohort are of one organisation than the plan allows; "
                         "do not trust this coordinator"},
    [SOTTO_REFUSAL_KNOWN_MEMBERS] =
        {"known-members", "too few members that this site knows would be left if as many dropped "
                          "out as may; wait until more of them take part, or change the policy"},
    [SOTTO_REFUSAL_POLICY_NOISE] =
        {"policy-noise", "the plan adds no noise, or too little of it for this site's budget "
                         "(epsilon_max, epsilon_round_max), or cannot add what it promises; the "
                         "campaign needs a higher noise_multiplier"},
    [SOTTO_REFUSAL_BUDGET] =
        {"budget", "one more round would cost more privacy than this site's policy allows in all "
                   "(epsilon_max); nothing that was spent comes back, so this is the site's last "
                   "word until its people raise the budget"},
    [SOTTO_REFUSAL_RECEIPT] =
        {"receipt", "a member that this site exchanged masks with was told that other members "
                    "shared their keys; do not trust this coordinator"},
};

const char *sotto_refusal_name(enum sotto_refusal refusal)
{
    if ((unsigned)refusal >= SOTTO_REFUSAL_COUNT)
        return "unknown";
    return refusal_words[refusal].name;
}

const char *sotto_refusal_sentence(enum sotto_refusal refusal)
{
    if ((unsigned)refusal >= SOTTO_REFUSAL_COUNT)
        return "a refusal that this version does not know; update it";
    return refusal_words[refusal].sentence;
}
