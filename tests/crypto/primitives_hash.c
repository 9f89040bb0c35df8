/* SHA-256, HMAC-SHA-256 and HKDF-SHA-256 against their published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/primitives/hash.h"
#include "crypto/primitives/hkdf.h"

static void assert_hex(const uint8_t bytes[32], const char *hex)
{
    char text[SOTTO_DIGEST_HEX];

    sotto_hex_encode(text, sotto_view_of(bytes, 32));
    assert_string_equal(text, hex);
}

/* FIPS 180-4's examples, as published with the Secure Hash Standard. */
static void hash__published_messages__give_published_digests(void **state)
{
    static const struct {
        const char *message;
        const char *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sotto_view message = sotto_view_text(cases[i].message);
        struct sotto_digest digest;

        sotto_hash(&digest, &message, 1);
        assert_hex(digest.bytes, cases[i].digest);
    }
}

static void hash__message_in_parts__equals_the_whole(void **state)
{
    const struct sotto_view parts[] = {sotto_view_text("a"), sotto_view_text(""),
                                       sotto_view_text("bc")};
    struct sotto_digest digest;

    (void)state;
    sotto_hash(&digest, parts, 3);
    assert_hex(digest.bytes, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hasher__fed_byte_by_byte__equals_one_call(void **state)
{
    const char *message = "abc";
    struct sotto_hasher hasher;
    struct sotto_digest digest;

    (void)state;
    sotto_hasher_init(&hasher);
    for (size_t i = 0; i < 3; i++)
        sotto_hasher_add(&hasher, sotto_view_of(message + i, 1));
    sotto_hasher_finish(&hasher, &digest);
    assert_hex(digest.bytes, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hasher__discarded_twice__owns_nothing(void **state)
{
    struct sotto_hasher hasher;

    (void)state;
    sotto_hasher_init(&hasher);
    sotto_hasher_discard(&hasher);
    sotto_hasher_discard(&hasher);
    assert_null(hasher.context);
}

/* The definition, spelled out: label || count || digest of each part. */
static void hash_list__two_parts__hashes_label_count_and_digests(void **state)
{
    const struct sotto_view parts[] = {sotto_view_text("abc"), sotto_view_text("")};
    uint8_t count[4] = {2, 0, 0, 0};
    struct sotto_digest of_part[2];
    struct sotto_digest expected;
    struct sotto_digest got;

    (void)state;
    sotto_hash(&of_part[0], &parts[0], 1);
    sotto_hash(&of_part[1], &parts[1], 1);
    sotto_hash(&expected,
               (struct sotto_view[]){sotto_view_text("sotto/1 model"), sotto_view_of(count, 4),
                                     sotto_view_digest(&of_part[0]),
                                     sotto_view_digest(&of_part[1])},
               4);
    sotto_hash_list(&got, "sotto/1 model", parts, 2);
    assert_memory_equal(got.bytes, expected.bytes, sizeof got.bytes);
}

static void hash_list__byte_moved_to_the_next_part__changes_the_digest(void **state)
{
    const struct sotto_view left[] = {sotto_view_text("ab"), sotto_view_text("c")};
    const struct sotto_view right[] = {sotto_view_text("a"), sotto_view_text("bc")};
    struct sotto_digest one;
    struct sotto_digest other;

    (void)state;
    sotto_hash_list(&one, "sotto/1 model", left, 2);
    sotto_hash_list(&other, "sotto/1 model", right, 2);
    assert_memory_not_equal(one.bytes, other.bytes, sizeof one.bytes);
}

struct hmac_case {
    uint8_t key_byte; /* 0: the key is 1, 2, 3, ... */
    size_t key_length;
    uint8_t byte;
    size_t length;
    const char *digest;
};

/*
 * RFC 4231, 4.4 and 4.5. HMAC fills short keys with zeros, so that ours of 32 bytes stands for
 * theirs.
 */
static void hmac__repeated_bytes__give_published_macs(void **state)
{
    static const struct hmac_case cases[] = {
        {0xaa, 20, 0xdd, 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {0, 25, 0xcd, 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sotto_secret key = {{0}};
        uint8_t message[64];
        struct sotto_digest mac;

        for (size_t at = 0; at < cases[i].key_length; at++)
            key.bytes[at] = cases[i].key_byte ? cases[i].key_byte : (uint8_t)(at + 1);
        memset(message, cases[i].byte, sizeof message);
        sotto_hmac(&mac, &key,
                   (struct sotto_view[]){sotto_view_of(message, 7),
                                         sotto_view_of(message, cases[i].length - 7)},
                   2);
        assert_hex(mac.bytes, cases[i].digest);
    }
}

/* RFC 4231, 4.2 and 4.3. */
static void hmac__published_texts__give_published_macs(void **state)
{
    struct sotto_secret first = {{0}};
    struct sotto_secret second = {{'J', 'e', 'f', 'e'}};
    struct sotto_view message = sotto_view_text("Hi There");
    struct sotto_digest mac;

    (void)state;
    memset(first.bytes, 0x0b, 20);
    sotto_hmac(&mac, &first, &message, 1);
    assert_hex(mac.bytes, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    message = sotto_view_text("what do ya want for nothing?");
    sotto_hmac(&mac, &second, &message, 1);
    assert_hex(mac.bytes, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* `count` bytes from `first` upwards. */
static struct sotto_view ramp(uint8_t *out, uint8_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)(first + i);
    return sotto_view_of(out, count);
}

/* RFC 5869, A.1 to A.3: the first 32 bytes of the output. */
static void hkdf__published_inputs__give_published_keys(void **state)
{
    uint8_t key[80];
    uint8_t salt[80];
    uint8_t purpose[80];
    struct sotto_secret out;

    (void)state;
    memset(key, 0x0b, 22);
    sotto_hkdf(&out, sotto_view_of(key, 22), ramp(salt, 0, 13), ramp(purpose, 0xf0, 10));
    assert_hex(out.bytes, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    sotto_hkdf(&out, sotto_view_of(key, 22), sotto_view_of(salt, 0), sotto_view_of(purpose, 0));
    assert_hex(out.bytes, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    sotto_hkdf(&out, ramp(key, 0, 80), ramp(salt, 0x60, 80), ramp(purpose, 0xb0, 80));
    assert_hex(out.bytes, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c");
}

static void secret_equal__any_one_bit_flipped__is_false(void **state)
{
    struct sotto_secret left = {{0}};

    (void)state;
    assert_true(sotto_secret_equal(&left, &(struct sotto_secret){{0}}, sizeof left));
    for (size_t bit = 0; bit < 256; bit++) {
        struct sotto_secret right = {{0}};

        right.bytes[bit / 8] = (uint8_t)(1U << bit % 8);
        assert_false(sotto_secret_equal(&left, &right, sizeof left));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash__published_messages__give_published_digests),
        cmocka_unit_test(hash__message_in_parts__equals_the_whole),
        cmocka_unit_test(hasher__fed_byte_by_byte__equals_one_call),
        cmocka_unit_test(hasher__discarded_twice__owns_nothing),
        cmocka_unit_test(hash_list__two_parts__hashes_label_count_and_digests),
        cmocka_unit_test(hash_list__byte_moved_to_the_next_part__changes_the_digest),
        cmocka_unit_test(hmac__repeated_bytes__give_published_macs),
        cmocka_unit_test(hmac__published_texts__give_published_macs),
        cmocka_unit_test(hkdf__published_inputs__give_published_keys),
        cmocka_unit_test(secret_equal__any_one_bit_flipped__is_false),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
