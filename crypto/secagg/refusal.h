/*
 * Why a participant refuses. A refusal is final for its context: secrets are wiped, nothing is
 * answered any more. The number goes to the coordinator, the sentence to the site's log.
 */
#ifndef SOTTO_CRYPTO_SECAGG_REFUSAL_H
#define SOTTO_CRYPTO_SECAGG_REFUSAL_H

enum sotto_refusal {
    SOTTO_REFUSAL_NONE = 0,
    SOTTO_REFUSAL_PLAN_MALFORMED, /* does not parse, or its fields contradict one another */
    SOTTO_REFUSAL_PLAN_SIGNATURE, /* not signed by the pinned coordinator */
    SOTTO_REFUSAL_ROUND_NOT_NEW,  /* round not above the stored one */
    SOTTO_REFUSAL_BASE_MODEL,     /* digest differs from the bytes loaded */
    SOTTO_REFUSAL_ADAPTER,        /* digest differs from the bytes loaded */
    SOTTO_REFUSAL_LAYOUT, /* layout, rank or tensors differ from the bytes loaded or the policy */
    SOTTO_REFUSAL_POLICY_COHORT,    /* plan allows a smaller cohort than the policy */
    SOTTO_REFUSAL_POLICY_SURVIVORS, /* plan allows fewer survivors than the policy */
    SOTTO_REFUSAL_POLICY_CORRUPT,   /* plan assumes fewer colluders than the policy */
    SOTTO_REFUSAL_POLICY_CLIP,      /* clip outside the policy's range */
    SOTTO_REFUSAL_POLICY_QUANTISER, /* a sum could wrap, or fewer ring bits than needed */
    SOTTO_REFUSAL_POLICY_WORK,      /* more local training than the policy allows */
    SOTTO_REFUSAL_ROSTER, /* roster is not the one the plan names, or not the pinned one */
    SOTTO_REFUSAL_COHORT_MALFORMED,  /* does not parse, or keys do not hash to the signed leaves */
    SOTTO_REFUSAL_COHORT_SIGNATURE,  /* cohort not signed by the coordinator */
    SOTTO_REFUSAL_COHORT_SIZE,       /* n out of the plan's bounds */
    SOTTO_REFUSAL_OWN_LEAF,          /* own leaf missing, altered or twice */
    SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN, /* a neighbour is not in the roster */
    SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE, /* two neighbours share an id, a key or a certificate */
    SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE, /* keys not signed by their owner for this context */
    SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER, /* a neighbour's key has low order, or is not canonical */
    SOTTO_REFUSAL_NEIGHBOUR_SET,       /* neighbours, k or t other than computed here */
    SOTTO_REFUSAL_DIFFERENCING,        /* members too close to those of an earlier sum */
    SOTTO_REFUSAL_INBOX_MALFORMED, /* sealed shares do not parse, or are for or from a stranger */
    SOTTO_REFUSAL_SHARE_SEALED,    /* a sealed share does not open */
    SOTTO_REFUSAL_TOO_FEW_SHARED,  /* fewer than t neighbours or survivors_min in all */
    SOTTO_REFUSAL_SECOND_MESSAGE,  /* a message a second time or out of order */
    SOTTO_REFUSAL_SURVIVORS_MALFORMED, /* survivor set does not parse */
    SOTTO_REFUSAL_SURVIVORS_SIGNATURE, /* survivor set not signed by the coordinator */
    SOTTO_REFUSAL_OWN_BIT,             /* own bit is clear */
    SOTTO_REFUSAL_SURVIVOR_STRANGER,   /* a bit is set for somebody who did not share */
    SOTTO_REFUSAL_TOO_FEW_SURVIVORS,   /* fewer survivors than survivors_min */
    SOTTO_REFUSAL_INCLUSION,    /* fewer than t valid inclusion MACs from own share holders */
    SOTTO_REFUSAL_AFTER_REVEAL, /* anything after the shares were revealed */
    SOTTO_REFUSAL_UPDATE,       /* own update not finite, of a wrong length or weight */
    SOTTO_REFUSAL_POLICY_ORGANISATION, /* plan allows more of one organisation than the policy */
    SOTTO_REFUSAL_ROSTER_AUTHORITY,    /* roster not signed by the pinned authority */
    SOTTO_REFUSAL_ROSTER_EPOCH,        /* roster older than one that was accepted */
    SOTTO_REFUSAL_ORGANISATION,        /* more members of one organisation than the plan allows */
    SOTTO_REFUSAL_KNOWN_MEMBERS,       /* too few members that the policy lists */
    SOTTO_REFUSAL_POLICY_NOISE,        /* no or too little noise for the policy's budget */
    SOTTO_REFUSAL_BUDGET,              /* the site's budget for epsilon is spent */
    SOTTO_REFUSAL_RECEIPT, /* a surviving neighbour was told another set of those that shared */
    SOTTO_REFUSAL_COUNT
};

/* "own-bit" and the like; never NULL. */
const char *sotto_refusal_name(enum sotto_refusal refusal);
/* One sentence for the people at the site, with what to do; never NULL. */
const char *sotto_refusal_sentence(enum sotto_refusal refusal);

#endif
