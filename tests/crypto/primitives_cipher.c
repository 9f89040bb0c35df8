/*
 * The mask generator and the sealing of messages, against published vectors and against AES itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "crypto/primitives/aead.h"
#include "crypto/primitives/prg.h"

enum { BLOCK = 16 };

static void assert_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    char text[129];

    assert_true(2 * length < sizeof text);
    sotto_hex_encode(text, sotto_view_of(bytes, length));
    assert_string_equal(text, hex);
}

/* The key of NIST SP 800-38A, F.5.5. */
static struct sotto_secret published_key(void)
{
    struct sotto_secret key;

    assert_int_equal(
        sotto_hex_decode(key.bytes, sizeof key.bytes,
                         "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        SOTTO_OK);
    return key;
}

static void encrypted_block(uint8_t out[BLOCK], const struct sotto_secret *key,
                            const uint8_t block[BLOCK])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written;

    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), NULL, key->bytes, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, block, BLOCK), 1);
    EVP_CIPHER_CTX_free(context);
}

/* The definition of counter mode: block i of the stream is the encryption of i. */
static void encrypted_counter(uint8_t out[BLOCK], const struct sotto_secret *key, uint64_t counter)
{
    uint8_t block[BLOCK] = {0};

    for (int i = 0; i < 8; i++)
        block[BLOCK - 1 - i] = (uint8_t)(counter >> (8 * i));
    encrypted_block(out, key, block);
}

static void stream(uint8_t *out, size_t length, const struct sotto_secret *key, uint64_t offset)
{
    struct sotto_prg prg;

    assert_int_equal(sotto_prg_open(&prg), SOTTO_OK);
    sotto_prg_seek(&prg, key, offset);
    sotto_prg_next(&prg, out, length);
    sotto_prg_close(&prg);
}

/*
 * NIST SP 800-38A, F.5.5 begins to count far beyond any stream of ours: its blocks hold the
 * definition that the streams are compared with.
 */
static void counter_mode__published_counters__give_published_blocks(void **state)
{
    static const char *const blocks[][3] = {
        {"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "6bc1bee22e409f96e93d7e117393172a",
         "601ec313775789a5b7a7f504bbf3d228"},
        {"f0f1f2f3f4f5f6f7f8f9fafbfcfdff00", "ae2d8a571e03ac9c9eb76fac45af8e51",
         "f443e3ca4d62b59aca84e990cacaf5c5"},
        {"f0f1f2f3f4f5f6f7f8f9fafbfcfdff01", "30c81c46a35ce411e5fbc1191a0a52ef",
         "2b0930daa23de94ce87017ba2d84988d"},
        {"f0f1f2f3f4f5f6f7f8f9fafbfcfdff02", "f69f2445df4f9b17ad2b417be66c3710",
         "dfc9c58db67aada613c2dd08457941a6"},
    };
    const struct sotto_secret key = published_key();

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        uint8_t counter[BLOCK];
        uint8_t plain[BLOCK];
        uint8_t out[BLOCK];

        assert_int_equal(sotto_hex_decode(counter, BLOCK, blocks[i][0]), SOTTO_OK);
        assert_int_equal(sotto_hex_decode(plain, BLOCK, blocks[i][1]), SOTTO_OK);
        encrypted_block(out, &key, counter);
        for (size_t at = 0; at < BLOCK; at++)
            out[at] ^= plain[at];
        assert_hex(out, BLOCK, blocks[i][2]);
    }
}

/*
 * McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14: H is the
 * encryption of zero and the ciphertext of a block of zeros is the encryption of two.
 */
static void prg__zero_key__gives_published_blocks(void **state)
{
    const struct sotto_secret key = {{0}};
    uint8_t out[3 * BLOCK];

    (void)state;
    stream(out, sizeof out, &key, 0);
    assert_hex(out, BLOCK, "dc95c078a2408989ad48a21492842087");
    assert_hex(out + 2 * BLOCK, BLOCK, "cea7403d4d606b6e074ec5d3baf39d18");
}

static void prg__any_offset__is_the_encrypted_counter(void **state)
{
    static const uint64_t counters[] = {0,          1,           255,         256,          65535,
                                        0xffffffff, 0x100000000, 0x1ffffffff, 0xfffffffffff};
    const struct sotto_secret key = published_key();

    (void)state;
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        uint8_t got[2 * BLOCK];
        uint8_t expected[2 * BLOCK];

        stream(got, sizeof got, &key, counters[i] * BLOCK);
        encrypted_counter(expected, &key, counters[i]);
        encrypted_counter(expected + BLOCK, &key, counters[i] + 1);
        assert_memory_equal(got, expected, sizeof got);
    }
}

static void prg__taken_in_uneven_pieces__is_one_stream(void **state)
{
    const struct sotto_secret key = published_key();
    uint8_t whole[1000];
    uint8_t pieces[1000];
    struct sotto_prg prg;
    size_t done = 0;

    (void)state;
    stream(whole, sizeof whole, &key, 0);
    memset(pieces, 0xa5, sizeof pieces);
    assert_int_equal(sotto_prg_open(&prg), SOTTO_OK);
    sotto_prg_seek(&prg, &key, 0);
    for (size_t piece = 0; done < sizeof pieces; piece++) {
        size_t length = piece < sizeof pieces - done ? piece : sizeof pieces - done;

        sotto_prg_next(&prg, pieces + done, length);
        done += length;
    }
    sotto_prg_close(&prg);
    assert_memory_equal(pieces, whole, sizeof whole);
}

static void prg__keyed_anew__forgets_the_old_stream(void **state)
{
    const struct sotto_secret zero = {{0}};
    const struct sotto_secret key = published_key();
    uint8_t out[BLOCK];
    struct sotto_prg prg;

    (void)state;
    assert_int_equal(sotto_prg_open(&prg), SOTTO_OK);
    sotto_prg_seek(&prg, &key, 5 * BLOCK);
    sotto_prg_next(&prg, out, 7);
    sotto_prg_seek(&prg, &zero, 0);
    sotto_prg_next(&prg, out, BLOCK);
    sotto_prg_close(&prg);
    assert_hex(out, BLOCK, "dc95c078a2408989ad48a21492842087");
}

/* The same paper's cases 13 and 14, whose nonce is zero like ours. */
static void aead__zero_key__gives_published_messages(void **state)
{
    const struct sotto_secret key = {{0}};
    const uint8_t plain[BLOCK] = {0};
    uint8_t sealed[BLOCK + SOTTO_AEAD_TAG_BYTES];
    struct sotto_view nothing = sotto_view_of(plain, 0);

    (void)state;
    sotto_aead_seal(sealed, &key, nothing, nothing);
    assert_hex(sealed, SOTTO_AEAD_TAG_BYTES, "530f8afbc74536b9a963b4f1c4cb738b");
    sotto_aead_seal(sealed, &key, nothing, sotto_view_of(plain, sizeof plain));
    assert_hex(sealed, sizeof sealed,
               "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

struct message {
    struct sotto_secret key;
    uint8_t associated[5];
    uint8_t plain[80];
    uint8_t sealed[80 + SOTTO_AEAD_TAG_BYTES];
};

static void seal(struct message *message)
{
    message->key = published_key();
    memcpy(message->associated, "ab\0cd", sizeof message->associated);
    for (size_t i = 0; i < sizeof message->plain; i++)
        message->plain[i] = (uint8_t)i;
    sotto_aead_seal(message->sealed, &message->key,
                    sotto_view_of(message->associated, sizeof message->associated),
                    sotto_view_of(message->plain, sizeof message->plain));
}

static enum sotto_status unseal(uint8_t out[80], const struct message *message)
{
    return sotto_aead_open(out, &message->key,
                           sotto_view_of(message->associated, sizeof message->associated),
                           sotto_view_of(message->sealed, sizeof message->sealed));
}

static void aead__sealed_message__opens_to_the_same(void **state)
{
    struct message message;
    uint8_t out[80];

    (void)state;
    seal(&message);
    assert_memory_not_equal(message.sealed, message.plain, sizeof message.plain);
    assert_int_equal(unseal(out, &message), SOTTO_OK);
    assert_memory_equal(out, message.plain, sizeof out);
}

static void assert_forged(const struct message *message)
{
    static const uint8_t zeros[80];
    uint8_t out[80];

    memset(out, 0xa5, sizeof out);
    assert_int_equal(unseal(out, message), SOTTO_FORGED);
    assert_memory_equal(out, zeros, sizeof out);
}

static void aead__any_bit_of_message_tag_key_or_associated_flipped__is_forged(void **state)
{
    struct message message;

    (void)state;
    seal(&message);
    for (size_t bit = 0; bit < 8 * sizeof message.sealed; bit++) {
        message.sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_forged(&message);
        message.sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    message.associated[2] ^= 1;
    assert_forged(&message);
    message.associated[2] ^= 1;
    message.key.bytes[31] ^= 0x80;
    assert_forged(&message);
}

static void aead__shorter_than_a_tag__is_forged(void **state)
{
    struct message message;
    uint8_t out[1] = {0xa5};

    (void)state;
    seal(&message);
    for (size_t length = 0; length < SOTTO_AEAD_TAG_BYTES; length++)
        assert_int_equal(sotto_aead_open(out, &message.key, sotto_view_text(""),
                                         sotto_view_of(message.sealed, length)),
                         SOTTO_FORGED);
    assert_int_equal(out[0], 0xa5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_mode__published_counters__give_published_blocks),
        cmocka_unit_test(prg__zero_key__gives_published_blocks),
        cmocka_unit_test(prg__any_offset__is_the_encrypted_counter),
        cmocka_unit_test(prg__taken_in_uneven_pieces__is_one_stream),
        cmocka_unit_test(prg__keyed_anew__forgets_the_old_stream),
        cmocka_unit_test(aead__zero_key__gives_published_messages),
        cmocka_unit_test(aead__sealed_message__opens_to_the_same),
        cmocka_unit_test(aead__any_bit_of_message_tag_key_or_associated_flipped__is_forged),
        cmocka_unit_test(aead__shorter_than_a_tag__is_forged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
