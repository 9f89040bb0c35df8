/*
 * The primitives of secure aggregation against tests/vectors/secagg, which a second implementation
 * made from docs/protocol.md alone.
 */
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/mask.h"
#include "crypto/secagg/secaggplus/context.h"
#include "crypto/secagg/secaggplus/graph/ring.h"
#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"
#include "crypto/secagg/secaggplus/parameters.h"
#include "tests/support/cmocka.h"
#include "tests/support/vector.h"

enum { SHARES_MAX = 32, LANES_MAX = 64, LEAVES_MAX = 128, LONG_LANES_MAX = 70001 };

/* Opens a file for the tests of one group and closes it after them. */
static int open_file(void **state, const char *path)
{
    *state = vector_open(path);
    return 0;
}

static int open_derivation(void **state)
{
    return open_file(state, "tests/vectors/secagg/derivation.json");
}

static int open_sharing(void **state)
{
    return open_file(state, "tests/vectors/secagg/sharing.json");
}

static int open_masks(void **state)
{
    return open_file(state, "tests/vectors/secagg/masks.json");
}

static int open_proofs(void **state)
{
    return open_file(state, "tests/vectors/secagg/proofs.json");
}

static int open_parameters(void **state)
{
    return open_file(state, "tests/vectors/secagg/parameters.json");
}

static int open_neighbours(void **state)
{
    return open_file(state, "tests/vectors/secagg/neighbours.json");
}

static int close_file(void **state)
{
    json_decref(*state);
    return 0;
}

/* Every list has cases; one without would test nothing. */
static size_t case_count(const json_t *file, const char *list)
{
    size_t count = json_array_size(vector_member(file, list));

    assert_true(count > 0);
    return count;
}

static const json_t *case_at(const json_t *file, const char *list, size_t index)
{
    return json_array_get(vector_member(file, list), index);
}

static void plan__any_bytes__give_ctx0(void **state)
{
    const json_t *file = *state;
    const struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), vector_view(file, "plan")};
    struct sotto_digest context;

    sotto_hash(&context, parts, 2);
    assert_vector(file, "ctx0", context.bytes, sizeof context.bytes);
}

static void secrets__seed_and_plan__give_every_secret(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest plan = vector_digest(file, "ctx0");

    for (size_t at = 0; at < case_count(file, "secrets"); at++) {
        const json_t *vector = case_at(file, "secrets", at);
        struct sotto_secret seed = vector_secret(vector, "seed");
        struct sotto_secrets secrets;
        struct sotto_x25519_public public;

        sotto_secrets_derive(&secrets, &seed, &plan);
        assert_vector(vector, "mask_key", &secrets.mask_key, 32);
        assert_vector(vector, "share_key", &secrets.share_key, 32);
        assert_vector(vector, "self_mask", &secrets.self_mask, 32);
        assert_vector(vector, "nonce", &secrets.nonce, SOTTO_ADVERT_NONCE_BYTES);
        assert_vector(vector, "split_mask", &secrets.split_mask, 32);
        assert_vector(vector, "split_self", &secrets.split_self, 32);
        sotto_x25519_public_of(&public, &secrets.mask_key);
        assert_vector(vector, "mask_public", public.bytes, sizeof public.bytes);
        sotto_x25519_public_of(&public, &secrets.share_key);
        assert_vector(vector, "share_public", public.bytes, sizeof public.bytes);
    }
}

static void advert__signed_anew__gives_the_same_bytes_and_leaf(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest plan = vector_digest(file, "ctx0");

    for (size_t at = 0; at < case_count(file, "leaves"); at++) {
        const json_t *vector = case_at(file, "leaves", at);
        struct sotto_secret identity = vector_secret(vector, "identity");
        struct sotto_digest certificate = vector_digest(vector, "certificate");
        struct sotto_advert advert;
        struct sotto_digest leaf;
        uint8_t encoded[SOTTO_ADVERT_BYTES];

        assert_int_equal(sotto_advert_decode(&advert, vector_view(vector, "advert")), SOTTO_OK);
        memset(&advert.signature, 0, sizeof advert.signature);
        sotto_advert_sign(&advert, &identity, &plan);
        sotto_advert_encode(encoded, &advert);
        assert_vector(vector, "advert", encoded, sizeof encoded);
        sotto_advert_leaf(&leaf, &advert, &certificate);
        assert_vector(vector, "leaf", leaf.bytes, sizeof leaf.bytes);
    }
}

/* A list of digests; returns how many. */
static uint32_t read_leaves(struct sotto_digest leaves[LEAVES_MAX], const json_t *vector)
{
    const json_t *list = vector_member(vector, "leaves");
    size_t count = json_array_size(list);

    assert_in_range(count, 1, LEAVES_MAX);
    for (size_t leaf = 0; leaf < count; leaf++)
        assert_int_equal(sotto_hex_decode(leaves[leaf].bytes, SOTTO_DIGEST_BYTES,
                                          json_string_value(json_array_get(list, leaf))),
                         SOTTO_OK);
    return (uint32_t)count;
}

static void context__leaves_of_any_cohort__give_ctx1(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest plan = vector_digest(file, "ctx0");

    for (size_t at = 0; at < case_count(file, "trees"); at++) {
        const json_t *vector = case_at(file, "trees", at);
        struct sotto_digest leaves[LEAVES_MAX];
        struct sotto_digest context;
        uint32_t count = read_leaves(leaves, vector);

        sotto_context_of(&context, &plan, leaves, count);
        assert_vector(vector, "context", context.bytes, sizeof context.bytes);
    }
}

/* Nothing of ours yields a root alone: it shows in the hash over it. */
static void context__root_and_count__give_ctx1(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest plan = vector_digest(file, "ctx0");

    for (size_t at = 0; at < case_count(file, "trees"); at++) {
        const json_t *vector = case_at(file, "trees", at);
        struct sotto_digest root = vector_digest(vector, "root");
        struct sotto_digest context;
        uint8_t count[4];

        sotto_store_u32(count, (uint32_t)json_array_size(vector_member(vector, "leaves")));
        sotto_hash(&context,
                   (struct sotto_view[]){sotto_view_text("sotto/1 cohort"),
                                         sotto_view_digest(&plan), sotto_view_digest(&root),
                                         sotto_view_of(count, sizeof count)},
                   4);
        assert_vector(vector, "context", context.bytes, sizeof context.bytes);
    }
}

static void pair__keys_of_both__give_every_common_key(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest context = vector_digest(file, "ctx1");

    for (size_t at = 0; at < case_count(file, "pairs"); at++) {
        const json_t *vector = case_at(file, "pairs", at);
        const struct sotto_pair pair = {.context = &context,
                                        .self = vector_number(vector, "self"),
                                        .peer = vector_number(vector, "peer")};
        struct sotto_secret share_key = vector_secret(vector, "share_key");
        struct sotto_secret mask_key = vector_secret(vector, "mask_key");
        struct sotto_x25519_public share_public;
        struct sotto_x25519_public mask_public;
        struct sotto_x25519_own share_own;
        struct sotto_x25519_own mask_own;
        struct sotto_pair_keys keys;
        struct sotto_secret mask;

        sotto_x25519_open(&share_own, &share_key);
        sotto_x25519_open(&mask_own, &mask_key);
        vector_bytes(share_public.bytes, 32, vector, "peer_share_public");
        vector_bytes(mask_public.bytes, 32, vector, "peer_mask_public");
        assert_int_equal(sotto_pair_keys_derive(&keys, &share_own, &share_public, &pair), SOTTO_OK);
        assert_vector(vector, "seal", &keys.seal, 32);
        assert_vector(vector, "open", &keys.open, 32);
        assert_vector(vector, "confirm", &keys.confirm, 32);
        assert_vector(vector, "verify", &keys.verify, 32);
        assert_int_equal(sotto_pair_mask_derive(&mask, &mask_own, &mask_public, &pair), SOTTO_OK);
        assert_vector(vector, "mask", &mask, 32);
        sotto_x25519_close(&mask_own);
        sotto_x25519_close(&share_own);
    }
}

static void self_mask__beta_and_id__give_its_stream_key(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest context = vector_digest(file, "ctx1");

    for (size_t at = 0; at < case_count(file, "pairs"); at++) {
        const json_t *vector = case_at(file, "pairs", at);
        struct sotto_secret self_mask = vector_secret(vector, "self_mask");
        struct sotto_secret key;

        sotto_self_mask_derive(&key, &self_mask, &context, vector_number(vector, "self"));
        assert_vector(vector, "self_stream", &key, 32);
    }
}

static void split__secret_and_seed__give_every_share(void **state)
{
    const json_t *file = *state;

    for (size_t at = 0; at < case_count(file, "splits"); at++) {
        const json_t *vector = case_at(file, "splits", at);
        const json_t *shares = vector_member(vector, "shares");
        struct sotto_secret secret = vector_secret(vector, "secret");
        struct sotto_secret seed = vector_secret(vector, "seed");
        struct sotto_share split[SHARES_MAX];
        size_t count = vector_number(vector, "count");

        assert_int_equal(json_array_size(shares), count);
        assert_in_range(count, 1, SHARES_MAX);
        sotto_share_split(split, &secret, &seed, vector_number(vector, "threshold"), count);
        for (size_t holder = 0; holder < count; holder++) {
            char hex[2 * SOTTO_SHARE_BYTES + 1];

            sotto_hex_encode(hex, sotto_view_of(split[holder].bytes, SOTTO_SHARE_BYTES));
            assert_string_equal(hex, json_string_value(json_array_get(shares, holder)));
        }
    }
}

__extension__ typedef unsigned __int128 wide;

/* limb + a_1 x + a_2 x^2 + ... mod p, highest power first. */
static uint64_t polynomial_at(uint64_t x, uint64_t limb, const json_t *coefficients)
{
    const uint64_t prime = ((uint64_t)1 << 61) - 1;
    uint64_t value = 0;

    for (size_t power = json_array_size(coefficients); power > 0; power--) {
        json_int_t coefficient = json_integer_value(json_array_get(coefficients, power - 1));

        value = (uint64_t)(((wide)value + (uint64_t)coefficient) * x % prime);
    }
    return (value + limb) % prime;
}

/* With polynomials of degree zero a share is the five limbs of its secret. */
static void split__given_coefficients__give_every_share(void **state)
{
    static const struct sotto_secret seed = {{0}};
    const json_t *file = *state;

    for (size_t at = 0; at < case_count(file, "splits"); at++) {
        const json_t *vector = case_at(file, "splits", at);
        const json_t *coefficients = vector_member(vector, "coefficients");
        struct sotto_secret secret = vector_secret(vector, "secret");
        struct sotto_share limbs;

        sotto_share_split(&limbs, &secret, &seed, 1, 1);
        for (size_t place = 0; place < SHARES_MAX * SOTTO_SHARE_LIMBS; place++) {
            size_t holder = place / SOTTO_SHARE_LIMBS;
            size_t limb = place % SOTTO_SHARE_LIMBS;
            struct sotto_share share;

            if (holder >= vector_number(vector, "count"))
                break;
            assert_int_equal(sotto_hex_decode(share.bytes, SOTTO_SHARE_BYTES,
                                              json_string_value(json_array_get(
                                                  vector_member(vector, "shares"), holder))),
                             SOTTO_OK);
            assert_int_equal(polynomial_at(holder + 1, sotto_load_u64(limbs.bytes + 8 * limb),
                                           json_array_get(coefficients, limb)),
                             sotto_load_u64(share.bytes + 8 * limb));
        }
    }
}

static void join__shares_of_some_holders__give_the_secret(void **state)
{
    const json_t *file = *state;

    for (size_t at = 0; at < case_count(file, "splits"); at++) {
        const json_t *vector = case_at(file, "splits", at);
        const json_t *shares = vector_member(vector, "shares");
        struct sotto_share held[SHARES_MAX];
        uint32_t holders[SHARES_MAX];
        struct sotto_secret secret;
        size_t threshold = vector_lanes(holders, SHARES_MAX, vector, "join");

        for (size_t i = 0; i < threshold; i++)
            assert_int_equal(
                sotto_hex_decode(held[i].bytes, SOTTO_SHARE_BYTES,
                                 json_string_value(json_array_get(shares, holders[i]))),
                SOTTO_OK);
        assert_int_equal(sotto_share_join(&secret, held, holders, threshold), SOTTO_OK);
        assert_vector(vector, "secret", &secret, 32);
    }
}

static uint32_t ring_mask(unsigned ring_bits)
{
    return (uint32_t)(UINT64_MAX >> (64 - ring_bits));
}

/* The test with every kernel that this processor can run, the reference last. */
static void with_every_kernel(const json_t *file,
                              void (*compare)(const json_t *file, struct sotto_masking *masking))
{
    const struct sotto_mask_kernel *kernel;

    for (size_t at = 0; (kernel = sotto_mask_kernel_at(at)) != NULL; at++) {
        struct sotto_masking masking;

        if (!sotto_mask_kernel_fits(kernel, sotto_processor_features()))
            continue;
        assert_int_equal(sotto_masking_open_with(&masking, kernel), SOTTO_OK);
        compare(file, &masking);
        sotto_masking_close(&masking);
    }
}

static void compare_masks(const json_t *file, struct sotto_masking *masking)
{
    for (size_t at = 0; at < case_count(file, "masks"); at++) {
        const json_t *vector = case_at(file, "masks", at);
        unsigned ring_bits = vector_number(vector, "ring_bits");
        struct sotto_secret key = vector_secret(vector, "key");
        uint32_t expected[LANES_MAX];
        uint32_t lanes[LANES_MAX] = {0};
        const struct sotto_lane_window window = {
            .first = vector_number(vector, "first"),
            .count = vector_lanes(expected, LANES_MAX, vector, "lanes")};

        sotto_mask_add(lanes, window, &key, ring_bits, masking);
        for (size_t lane = 0; lane < window.count; lane++)
            assert_int_equal(lanes[lane] & ring_mask(ring_bits), expected[lane]);
    }
}

/* Windows begin and end anywhere in the stream, up to the last lane that there may be. */
static void mask__any_ring_window_and_kernel__gives_these_lanes(void **state)
{
    with_every_kernel(*state, compare_masks);
}

static void compare_long_masks(const json_t *file, struct sotto_masking *masking)
{
    static uint32_t lanes[LONG_LANES_MAX];
    static uint8_t packed[4 * LONG_LANES_MAX];

    for (size_t at = 0; at < case_count(file, "long_masks"); at++) {
        const json_t *vector = case_at(file, "long_masks", at);
        unsigned ring_bits = vector_number(vector, "ring_bits");
        struct sotto_secret key = vector_secret(vector, "key");
        const struct sotto_lane_window window = {.first = vector_number(vector, "first"),
                                                 .count = vector_number(vector, "count")};
        struct sotto_view whole =
            sotto_view_of(packed, sotto_lanes_packed_bytes(window.count, ring_bits));
        struct sotto_digest digest;

        assert_in_range(window.count, 1, LONG_LANES_MAX);
        memset(lanes, 0, sizeof lanes);
        sotto_mask_add(lanes, window, &key, ring_bits, masking);
        sotto_lanes_pack(packed, lanes, window.count, ring_bits);
        sotto_hash(&digest, &whole, 1);
        assert_vector(vector, "packed_digest", digest.bytes, sizeof digest.bytes);
    }
}

static void mask__long_windows_with_every_kernel__give_these_lanes(void **state)
{
    with_every_kernel(*state, compare_long_masks);
}

static void pack__every_ring__gives_these_bytes_and_back(void **state)
{
    const json_t *file = *state;

    for (size_t at = 0; at < case_count(file, "packings"); at++) {
        const json_t *vector = case_at(file, "packings", at);
        unsigned ring_bits = vector_number(vector, "ring_bits");
        uint32_t lanes[LANES_MAX];
        uint32_t unpacked[LANES_MAX];
        uint8_t packed[4 * LANES_MAX];
        size_t count = vector_lanes(lanes, LANES_MAX, vector, "lanes");

        sotto_lanes_pack(packed, lanes, count, ring_bits);
        assert_vector(vector, "packed", packed, sotto_lanes_packed_bytes(count, ring_bits));
        assert_int_equal(
            sotto_lanes_unpack(unpacked, count, ring_bits, vector_view(vector, "packed")),
            SOTTO_OK);
        assert_memory_equal(unpacked, lanes, count * sizeof *lanes);
    }
}

static void share_pair__sealed_and_opened__has_these_bytes(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest context = vector_digest(file, "ctx1");
    struct sotto_secret key = vector_secret(file, "key");
    struct sotto_share_pair pair;
    struct sotto_share_pair opened;
    uint8_t sealed[SOTTO_SEALED_BYTES];

    vector_bytes((uint8_t *)&pair, sizeof pair, file, "plain");
    sotto_share_pair_seal(sealed, &pair, &key, &context);
    assert_vector(file, "sealed", sealed, sizeof sealed);
    assert_int_equal(sotto_share_pair_open(&opened, sealed, &key, &context), SOTTO_OK);
    assert_memory_equal(&opened, &pair, sizeof pair);
}

static void inclusion__key_context_and_set__give_this_mac(void **state)
{
    const json_t *file = *state;
    const struct sotto_digest context = vector_digest(file, "ctx1");
    const struct sotto_digest survivors = vector_digest(file, "survivors_digest");
    const struct sotto_inclusion_claim claim = {.context = &context, .survivors = &survivors};
    struct sotto_secret key = vector_secret(file, "key");
    uint8_t mac[SOTTO_INCLUSION_MAC_BYTES];

    sotto_inclusion_mac(mac, &key, &claim);
    assert_vector(file, "mac", mac, sizeof mac);
    assert_int_equal(sotto_inclusion_check(mac, &key, &claim), SOTTO_OK);
}

static void seats__wire_form__has_this_digest(void **state)
{
    enum { COHORT = 11 };
    const json_t *file = *state;
    struct sotto_cursor cursor = sotto_cursor_of(vector_view(file, "seats"));
    struct sotto_seats seats;
    struct sotto_digest digest;

    assert_int_equal(sotto_seats_decode(&seats, &cursor, COHORT), SOTTO_OK);
    assert_int_equal(sotto_cursor_finish(&cursor), SOTTO_OK);
    sotto_seats_digest(&digest, &seats, COHORT);
    assert_vector(file, "survivors_digest", digest.bytes, sizeof digest.bytes);
}

static void sign__every_label__gives_these_signatures(void **state)
{
    const json_t *file = *state;
    struct sotto_secret identity = vector_secret(file, "identity");
    struct sotto_ed25519_public signer;

    sotto_ed25519_public_of(&signer, &identity);
    assert_vector(file, "identity_public", signer.bytes, sizeof signer.bytes);
    for (size_t at = 0; at < case_count(file, "signatures"); at++) {
        const json_t *vector = case_at(file, "signatures", at);
        const char *label = json_string_value(vector_member(vector, "label"));
        struct sotto_view message = vector_view(vector, "message");
        struct sotto_signature signature;

        sotto_sign(&signature, &identity, label, message);
        assert_int_equal(sotto_verify(&signature, &signer, label, message), SOTTO_OK);
        assert_vector(vector, "signature", signature.bytes, sizeof signature.bytes);
    }
}

static void parameters__any_cohort__are_these(void **state)
{
    const json_t *file = *state;

    for (size_t at = 0; at < case_count(file, "parameters"); at++) {
        const json_t *vector = case_at(file, "parameters", at);
        const struct sotto_terms terms = {
            .survivors_min = vector_number(vector, "survivors_min"),
            .corrupt_fraction = json_number_value(vector_member(vector, "corrupt_fraction"))};
        struct sotto_parameters parameters;

        assert_int_equal(sotto_parameters_of(&parameters, vector_number(vector, "count"), &terms),
                         SOTTO_OK);
        assert_int_equal(parameters.neighbours, vector_number(vector, "neighbours"));
        assert_int_equal(parameters.corrupt, vector_number(vector, "colluders"));
        assert_int_equal(parameters.threshold, vector_number(vector, "threshold"));
        assert_int_equal(sotto_parameters_floor(&parameters, terms.survivors_min),
                         vector_number(vector, "floor"));
    }
}

static void compare_ring(const struct sotto_ring *ring, const json_t *vector)
{
    uint32_t neighbours = vector_number(vector, "neighbours");
    uint32_t order[LEAVES_MAX];
    size_t count = vector_lanes(order, LEAVES_MAX, vector, "order");

    assert_int_equal(ring->count, count);
    for (uint32_t place = 0; place < count; place++) {
        const json_t *row = json_array_get(vector_member(vector, "rows"), order[place]);
        uint32_t seats[LEAVES_MAX];

        assert_int_equal(ring->order[place], order[place]);
        assert_int_equal(json_array_size(row), neighbours);
        sotto_ring_neighbours(seats, ring, place, neighbours);
        for (uint32_t slot = 0; slot < neighbours; slot++)
            assert_int_equal(seats[slot], json_integer_value(json_array_get(row, slot)));
    }
}

static void ring__context_and_leaves__give_everybodys_neighbours(void **state)
{
    const json_t *file = *state;
    struct sotto_arena arena;
    struct sotto_ring ring;

    assert_int_equal(sotto_arena_open(&arena, (size_t)LEAVES_MAX * 64), SOTTO_OK);
    assert_int_equal(sotto_ring_init(&ring, &arena, LEAVES_MAX), SOTTO_OK);
    for (size_t at = 0; at < case_count(file, "rings"); at++) {
        const json_t *vector = case_at(file, "rings", at);
        const struct sotto_digest context = vector_digest(vector, "ctx1");
        struct sotto_digest leaves[LEAVES_MAX];
        uint32_t count = read_leaves(leaves, vector);

        sotto_ring_place(&ring, &context, leaves, count);
        compare_ring(&ring, vector);
    }
    sotto_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest derivation[] = {
        cmocka_unit_test(plan__any_bytes__give_ctx0),
        cmocka_unit_test(secrets__seed_and_plan__give_every_secret),
        cmocka_unit_test(advert__signed_anew__gives_the_same_bytes_and_leaf),
        cmocka_unit_test(context__leaves_of_any_cohort__give_ctx1),
        cmocka_unit_test(context__root_and_count__give_ctx1),
        cmocka_unit_test(pair__keys_of_both__give_every_common_key),
        cmocka_unit_test(self_mask__beta_and_id__give_its_stream_key),
    };
    const struct CMUnitTest sharing[] = {
        cmocka_unit_test(split__secret_and_seed__give_every_share),
        cmocka_unit_test(split__given_coefficients__give_every_share),
        cmocka_unit_test(join__shares_of_some_holders__give_the_secret),
    };
    const struct CMUnitTest masks[] = {
        cmocka_unit_test(mask__any_ring_window_and_kernel__gives_these_lanes),
        cmocka_unit_test(mask__long_windows_with_every_kernel__give_these_lanes),
        cmocka_unit_test(pack__every_ring__gives_these_bytes_and_back),
    };
    const struct CMUnitTest proofs[] = {
        cmocka_unit_test(share_pair__sealed_and_opened__has_these_bytes),
        cmocka_unit_test(inclusion__key_context_and_set__give_this_mac),
        cmocka_unit_test(seats__wire_form__has_this_digest),
        cmocka_unit_test(sign__every_label__gives_these_signatures),
    };
    const struct CMUnitTest parameters[] = {
        cmocka_unit_test(parameters__any_cohort__are_these),
    };
    const struct CMUnitTest rings[] = {
        cmocka_unit_test(ring__context_and_leaves__give_everybodys_neighbours),
    };
    int failed = cmocka_run_group_tests(derivation, open_derivation, close_file);

    failed += cmocka_run_group_tests(sharing, open_sharing, close_file);
    failed += cmocka_run_group_tests(masks, open_masks, close_file);
    failed += cmocka_run_group_tests(proofs, open_proofs, close_file);
    failed += cmocka_run_group_tests(parameters, open_parameters, close_file);
    return failed + cmocka_run_group_tests(rings, open_neighbours, close_file);
}
