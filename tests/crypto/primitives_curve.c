/* X25519 and Ed25519 against their RFCs, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/x25519.h"

static void decode(uint8_t *out, size_t length, const char *hex)
{
    assert_int_equal(sotto_hex_decode(out, length, hex), SOTTO_OK);
}

static void assert_hex(const uint8_t bytes[32], const char *hex)
{
    uint8_t expected[32];

    decode(expected, sizeof expected, hex);
    assert_memory_equal(bytes, expected, sizeof expected);
}

/* RFC 7748, 5.2. */
static void x25519__published_scalars_and_points__give_published_results(void **state)
{
    static const char *cases[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sotto_secret secret;
        struct sotto_x25519_public peer;
        struct sotto_secret shared;

        decode(secret.bytes, 32, cases[i][0]);
        decode(peer.bytes, 32, cases[i][1]);
        assert_int_equal(sotto_x25519(&shared, &secret, &peer), SOTTO_OK);
        assert_hex(shared.bytes, cases[i][2]);
    }
}

/* RFC 7748, 5.2: k and u begin as nine; each result becomes k, and the old k becomes u. */
static void x25519__iterated__gives_published_results(void **state)
{
    struct sotto_secret scalar = {{9}};
    struct sotto_x25519_public point = {{9}};

    (void)state;
    for (int round = 1; round <= 1000; round++) {
        struct sotto_secret result;

        assert_int_equal(sotto_x25519(&result, &scalar, &point), SOTTO_OK);
        memcpy(point.bytes, scalar.bytes, sizeof point.bytes);
        memcpy(scalar.bytes, result.bytes, sizeof scalar.bytes);
        if (round == 1)
            assert_hex(scalar.bytes,
                       "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    assert_hex(scalar.bytes, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/* RFC 7748, 6.1. */
static void x25519__alice_and_bob__agree_on_the_published_secret(void **state)
{
    struct sotto_secret alice;
    struct sotto_secret bob;
    struct sotto_x25519_public of_alice;
    struct sotto_x25519_public of_bob;
    struct sotto_secret shared;

    (void)state;
    decode(alice.bytes, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    decode(bob.bytes, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    sotto_x25519_public_of(&of_alice, &alice);
    sotto_x25519_public_of(&of_bob, &bob);
    assert_hex(of_alice.bytes, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    assert_hex(of_bob.bytes, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assert_int_equal(sotto_x25519(&shared, &alice, &of_bob), SOTTO_OK);
    assert_hex(shared.bytes, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_int_equal(sotto_x25519(&shared, &bob, &of_alice), SOTTO_OK);
    assert_hex(shared.bytes, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

/* One opened secret for several peers, also after one that is refused. */
static void x25519__opened_once__agrees_with_every_peer(void **state)
{
    const struct sotto_x25519_public nobody = {{0}};
    const struct sotto_secret alice = {{1, 2, 3}};
    struct sotto_x25519_own own;

    (void)state;
    sotto_x25519_open(&own, &alice);
    for (uint8_t i = 0; i < 8; i++) {
        const struct sotto_secret bob = {{i, 9}};
        struct sotto_x25519_public of_bob;
        struct sotto_secret expected;
        struct sotto_secret shared;

        sotto_x25519_public_of(&of_bob, &bob);
        assert_int_equal(sotto_x25519_agree(&shared, &own, &nobody), SOTTO_FORGED);
        assert_int_equal(sotto_x25519_agree(&shared, &own, &of_bob), SOTTO_OK);
        assert_int_equal(sotto_x25519(&expected, &alice, &of_bob), SOTTO_OK);
        assert_memory_equal(shared.bytes, expected.bytes, sizeof shared.bytes);
    }
    sotto_x25519_close(&own);
}

/*
 * Every u-coordinate of a point of order 1, 2, 4 or 8 on the curve or its twist, in every encoding
 * below 2^255: 0, 1, two of order eight, p - 1, p, p + 1.
 */
static const char *const low_order_points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

enum { LOW_ORDER_POINTS = sizeof low_order_points / sizeof *low_order_points };

/* Each also with the ignored top bit set. */
static void x25519__low_order_peer__is_refused_and_leaves_zeros(void **state)
{
    static const uint8_t zeros[32];
    struct sotto_secret secret;

    (void)state;
    memset(secret.bytes, 0x42, sizeof secret.bytes);
    for (size_t i = 0; i < 2 * LOW_ORDER_POINTS; i++) {
        struct sotto_x25519_public peer;
        struct sotto_secret shared;

        decode(peer.bytes, 32, low_order_points[i / 2]);
        if (i % 2 == 1)
            peer.bytes[31] |= 0x80;
        memset(shared.bytes, 0xa5, sizeof shared.bytes);
        assert_int_equal(sotto_x25519(&shared, &secret, &peer), SOTTO_FORGED);
        assert_memory_equal(shared.bytes, zeros, sizeof zeros);
        assert_false(sotto_x25519_is_usable(&peer));
    }
}

/* p + n and, with the top bit, n once more: the same key in other bytes. */
static void x25519__key_in_another_writing__leads_to_the_same_and_is_not_usable(void **state)
{
    struct sotto_secret secret = {{0x42}};

    (void)state;
    for (uint8_t small = 2; small < 19; small++) {
        struct sotto_x25519_public canonical = {{small}};
        struct sotto_x25519_public wrapped;
        struct sotto_x25519_public topped = canonical;
        struct sotto_secret expected;
        struct sotto_secret shared;

        memset(wrapped.bytes, 0xff, sizeof wrapped.bytes);
        wrapped.bytes[0] = (uint8_t)(0xed + small);
        wrapped.bytes[31] = 0x7f;
        topped.bytes[31] = 0x80;
        assert_int_equal(sotto_x25519(&expected, &secret, &canonical), SOTTO_OK);
        assert_int_equal(sotto_x25519(&shared, &secret, &wrapped), SOTTO_OK);
        assert_memory_equal(shared.bytes, expected.bytes, sizeof shared.bytes);
        assert_int_equal(sotto_x25519(&shared, &secret, &topped), SOTTO_OK);
        assert_memory_equal(shared.bytes, expected.bytes, sizeof shared.bytes);
        assert_true(sotto_x25519_is_usable(&canonical));
        assert_false(sotto_x25519_is_usable(&wrapped));
        assert_false(sotto_x25519_is_usable(&topped));
    }
}

/* The largest number below p of those that are not of low order is p - 2. */
static void x25519__honest_and_largest_keys__are_usable(void **state)
{
    struct sotto_x25519_public largest;

    (void)state;
    memset(largest.bytes, 0xff, sizeof largest.bytes);
    largest.bytes[0] = 0xeb;
    largest.bytes[31] = 0x7f;
    assert_true(sotto_x25519_is_usable(&largest));
    for (size_t at = 1; at < 31; at++) {
        struct sotto_x25519_public below;

        memset(below.bytes, 0xff, sizeof below.bytes);
        below.bytes[31] = 0x7f;
        below.bytes[at] = 0xfe;
        assert_true(sotto_x25519_is_usable(&below));
    }
    for (uint8_t first = 0; first < 64; first++) {
        struct sotto_secret secret = {{first, 7}};
        struct sotto_x25519_public public;

        sotto_x25519_public_of(&public, &secret);
        assert_true(sotto_x25519_is_usable(&public));
    }
}

struct signed_message {
    const char *seed;
    const char *signer;
    const char *signature;
    uint8_t bytes[2];
    size_t length;
};

/* RFC 8032, 7.1, tests 1 to 3. The label is empty there. */
static const struct signed_message published[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b",
     {0},
     0},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00",
     {0x72},
     1},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a",
     {0xaf, 0x82},
     2},
};

static void sign__published_messages__give_published_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct sotto_view message = sotto_view_of(published[i].bytes, published[i].length);
        struct sotto_secret seed;
        struct sotto_ed25519_public signer;
        struct sotto_signature signature;
        struct sotto_signature expected;

        decode(seed.bytes, 32, published[i].seed);
        decode(expected.bytes, 64, published[i].signature);
        sotto_ed25519_public_of(&signer, &seed);
        assert_hex(signer.bytes, published[i].signer);
        sotto_sign(&signature, &seed, "", message);
        assert_memory_equal(signature.bytes, expected.bytes, sizeof expected.bytes);
        assert_int_equal(sotto_verify(&signature, &signer, "", message), SOTTO_OK);
    }
}

/* Test 3's message is af 82: the label is nothing but the message's beginning. */
static void sign__label_and_message__are_signed_as_one(void **state)
{
    struct sotto_view rest = sotto_view_of(&published[2].bytes[1], 1);
    struct sotto_ed25519_public signer;
    struct sotto_signature signature;

    (void)state;
    decode(signer.bytes, 32, published[2].signer);
    decode(signature.bytes, 64, published[2].signature);
    assert_int_equal(sotto_verify(&signature, &signer, "\xaf", rest), SOTTO_OK);
}

struct letter {
    struct sotto_secret seed;
    struct sotto_ed25519_public signer;
    struct sotto_signature signature;
    uint8_t text[20];
};

static void letter_write(struct letter *letter)
{
    memset(letter->seed.bytes, 7, sizeof letter->seed.bytes);
    memset(letter->text, 'x', sizeof letter->text);
    sotto_ed25519_public_of(&letter->signer, &letter->seed);
    sotto_sign(&letter->signature, &letter->seed, "sotto/1 plan",
               sotto_view_of(letter->text, sizeof letter->text));
}

static enum sotto_status letter_verify(const struct letter *letter, const char *label)
{
    return sotto_verify(&letter->signature, &letter->signer, label,
                        sotto_view_of(letter->text, sizeof letter->text));
}

static void verify__any_bit_of_the_signature_flipped__is_forged(void **state)
{
    struct letter letter;

    (void)state;
    letter_write(&letter);
    assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_OK);
    for (size_t bit = 0; bit < 8 * sizeof letter.signature.bytes; bit++) {
        letter.signature.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_FORGED);
        letter.signature.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void verify__other_label_text_or_signer__is_forged(void **state)
{
    struct letter letter;

    (void)state;
    letter_write(&letter);
    assert_int_equal(letter_verify(&letter, "sotto/1 cohort"), SOTTO_FORGED);
    letter.text[19] ^= 1;
    assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_FORGED);
    letter.text[19] ^= 1;
    for (size_t bit = 0; bit < 256; bit++) {
        letter.signer.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_FORGED);
        letter.signer.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/*
 * S + L, which a lenient verifier takes for S: RFC 8032, 5.1.7, first step. L begins
 * edd3f55c1a631258...
 */
static void verify__signature_beyond_the_group_order__is_forged(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct letter letter;
    unsigned carry = 0;

    (void)state;
    letter_write(&letter);
    for (size_t i = 0; i < 32; i++) {
        carry += letter.signature.bytes[32 + i] + (unsigned)order[i];
        letter.signature.bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_FORGED);
}

/* y of every point of low order, and y + p where it is below 2^255. */
static const char *const low_order_signers[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/*
 * With the neutral element as the signer, R = S B is a signature of everything: here S = 1 and R is
 * the base point. With another signer of low order it fits one message in eight, or two.
 */
static void verify__signer_of_low_order__is_forged(void **state)
{
    struct sotto_signature signature = {{0x58, [32] = 1}};
    uint8_t tried = 0;

    (void)state;
    memset(signature.bytes + 1, 0x66, 31);
    for (size_t i = 0; i < sizeof low_order_signers / sizeof *low_order_signers; i++)
        for (unsigned sign = 0; sign < 2; sign++) {
            struct sotto_ed25519_public signer;

            decode(signer.bytes, 32, low_order_signers[i]);
            signer.bytes[31] |= (uint8_t)(sign << 7);
            assert_false(sotto_ed25519_is_usable(&signer));
            do
                assert_int_equal(sotto_verify(&signature, &signer, "", sotto_view_of(&tried, 1)),
                                 SOTTO_FORGED);
            while (++tried % 64 != 0);
        }
}

static void verify__honest_signer__is_usable(void **state)
{
    (void)state;
    for (uint8_t first = 0; first < 64; first++) {
        struct sotto_secret seed = {{first}};
        struct sotto_ed25519_public signer;

        sotto_ed25519_public_of(&signer, &seed);
        assert_true(sotto_ed25519_is_usable(&signer));
    }
}

/* TLS on the same thread asks the same queue what went wrong. */
static void curve__refusal__leaves_no_error_for_others(void **state)
{
    const struct sotto_x25519_public zero = {{0}};
    struct sotto_secret shared;
    struct letter letter;

    (void)state;
    letter_write(&letter);
    ERR_clear_error();
    assert_int_equal(letter_verify(&letter, "sotto/1 cohort"), SOTTO_FORGED);
    letter.signer.bytes[0] ^= 1;
    assert_int_equal(letter_verify(&letter, "sotto/1 plan"), SOTTO_FORGED);
    assert_int_equal(sotto_x25519(&shared, &letter.seed, &zero), SOTTO_FORGED);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x25519__published_scalars_and_points__give_published_results),
        cmocka_unit_test(x25519__iterated__gives_published_results),
        cmocka_unit_test(x25519__opened_once__agrees_with_every_peer),
        cmocka_unit_test(x25519__alice_and_bob__agree_on_the_published_secret),
        cmocka_unit_test(x25519__low_order_peer__is_refused_and_leaves_zeros),
        cmocka_unit_test(x25519__key_in_another_writing__leads_to_the_same_and_is_not_usable),
        cmocka_unit_test(x25519__honest_and_largest_keys__are_usable),
        cmocka_unit_test(sign__published_messages__give_published_signatures),
        cmocka_unit_test(sign__label_and_message__are_signed_as_one),
        cmocka_unit_test(verify__any_bit_of_the_signature_flipped__is_forged),
        cmocka_unit_test(verify__other_label_text_or_signer__is_forged),
        cmocka_unit_test(verify__signature_beyond_the_group_order__is_forged),
        cmocka_unit_test(verify__signer_of_low_order__is_forged),
        cmocka_unit_test(verify__honest_signer__is_usable),
        cmocka_unit_test(curve__refusal__leaves_no_error_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
