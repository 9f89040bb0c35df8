#include "core/base/pack.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum form_kind { FORM_REFUSED, FORM_SCALAR, FORM_UINT, FORM_BYTES, FORM_ARRAY };

/*
 * A value's first byte, what follows it, and the least number for which this form is the shortest.
 */
struct form {
    uint8_t tag;
    uint8_t size; /* of the big-endian number after the tag; of the payload in a scalar */
    enum form_kind kind;
    uint64_t least;
};

/* Source: the msgpack specification, "Formats". What is not here is refused. */
static const struct form forms[] = {
    {0xc2, 0, FORM_SCALAR, 0},         /* false */
    {0xc3, 0, FORM_SCALAR, 0},         /* true */
    {0xc4, 1, FORM_BYTES, 0},          /* bin 8 */
    {0xc5, 2, FORM_BYTES, 0x100},      /* bin 16 */
    {0xc6, 4, FORM_BYTES, 0x10000},    /* bin 32 */
    {0xcb, 8, FORM_SCALAR, 0},         /* float 64 */
    {0xcc, 1, FORM_UINT, 0x80},        /* uint 8 */
    {0xcd, 2, FORM_UINT, 0x100},       /* uint 16 */
    {0xce, 4, FORM_UINT, 0x10000},     /* uint 32 */
    {0xcf, 8, FORM_UINT, 0x100000000}, /* uint 64 */
    {0xd9, 1, FORM_BYTES, 0x20},       /* str 8 */
    {0xda, 2, FORM_BYTES, 0x100},      /* str 16 */
    {0xdb, 4, FORM_BYTES, 0x10000},    /* str 32 */
    {0xdc, 2, FORM_ARRAY, 0x10},       /* array 16 */
    {0xdd, 4, FORM_ARRAY, 0x10000},    /* array 32 */
};

enum { BYTES_OF_OBJECT = 5 };

struct scan {
    struct sotto_cursor cursor;
    uint64_t left[SOTTO_PACK_DEPTH_MAX]; /* values still to come, per level; [0] is the root's */
    size_t depth;                        /* levels in use */
    uint64_t objects;                    /* claimed so far */
    uint64_t objects_max;
};

/* Forms that carry their number in the tag are returned with size 0 and the number in `least`. */
static struct form form_of(uint8_t tag)
{
    if (tag <= 0x7f)
        return (struct form){tag, 0, FORM_UINT, tag};
    if (tag >= 0x90 && tag <= 0x9f)
        return (struct form){tag, 0, FORM_ARRAY, tag & 0x0f};
    if (tag >= 0xa0 && tag <= 0xbf)
        return (struct form){tag, 0, FORM_BYTES, tag & 0x1f};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].tag == tag)
            return forms[i];
    }
    return (struct form){tag, 0, FORM_REFUSED, 0};
}

static uint64_t read_big_endian(struct sotto_cursor *cursor, size_t size)
{
    uint8_t bytes[8] = {0};
    uint64_t number = 0;

    sotto_cursor_copy(cursor, bytes, size);
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* Opens an array of `count` values, each at least one byte long. */
static enum sotto_status scan_array(struct scan *scan, uint64_t count)
{
    if (count > scan->cursor.rest.length)
        return SOTTO_MALFORMED;
    if (count > scan->objects_max - scan->objects)
        return SOTTO_OVER_LIMIT;
    scan->objects += count;
    if (count == 0)
        return SOTTO_OK;
    if (scan->depth == SOTTO_PACK_DEPTH_MAX)
        return SOTTO_OVER_LIMIT;
    scan->left[scan->depth++] = count;
    return SOTTO_OK;
}

static enum sotto_status scan_value(struct scan *scan)
{
    uint8_t tag = 0;
    struct form form;
    uint64_t number;

    sotto_cursor_copy(&scan->cursor, &tag, 1);
    form = form_of(tag);
    if (form.kind == FORM_REFUSED)
        return SOTTO_MALFORMED;
    number = form.size == 0 ? form.least : read_big_endian(&scan->cursor, form.size);
    if (form.kind != FORM_SCALAR && number < form.least)
        return SOTTO_MALFORMED;
    if (form.kind == FORM_BYTES)
        (void)sotto_cursor_take(&scan->cursor, number);
    if (scan->cursor.failed)
        return SOTTO_MALFORMED;
    return form.kind == FORM_ARRAY ? scan_array(scan, number) : SOTTO_OK;
}

enum sotto_status sotto_pack_scan(struct sotto_view bytes, size_t bytes_max)
{
    struct scan scan = {.cursor = sotto_cursor_of(bytes), .left = {1}, .depth = 1, .objects = 1};

    scan.objects_max = bytes_max / BYTES_OF_OBJECT > SOTTO_PACK_OBJECTS_MAX
                           ? bytes_max / BYTES_OF_OBJECT
                           : SOTTO_PACK_OBJECTS_MAX;

    if (bytes.length > bytes_max)
        return SOTTO_OVER_LIMIT;
    while (scan.depth > 0) {
        enum sotto_status status;

        if (scan.left[scan.depth - 1] == 0) {
            scan.depth--;
            continue;
        }
        scan.left[scan.depth - 1]--;
        status = scan_value(&scan);
        if (status != SOTTO_OK)
            return status;
    }
    return sotto_cursor_finish(&scan.cursor);
}

/* msgpack-c's sink; a failure shows in the packer's own flag as well as in each call's result. */
static int write_packed(void *context, const char *bytes, size_t length)
{
    struct sotto_packer *packer = context;

    if (packer->failed || sotto_buffer_add(packer->out, sotto_view_of(bytes, length)) != SOTTO_OK)
        packer->failed = true;
    return packer->failed ? -1 : 0;
}

void sotto_packer_init(struct sotto_packer *packer, struct sotto_buffer *out)
{
    *packer = (struct sotto_packer){.out = out};
    msgpack_packer_init(&packer->packer, packer, write_packed);
}

void sotto_pack_array(struct sotto_packer *packer, size_t count)
{
    msgpack_pack_array(&packer->packer, count);
}

void sotto_pack_u64(struct sotto_packer *packer, uint64_t value)
{
    msgpack_pack_uint64(&packer->packer, value);
}

void sotto_pack_f64(struct sotto_packer *packer, double value)
{
    msgpack_pack_double(&packer->packer, value);
}

void sotto_pack_bool(struct sotto_packer *packer, bool value)
{
    if (value)
        msgpack_pack_true(&packer->packer);
    else
        msgpack_pack_false(&packer->packer);
}

void sotto_pack_bytes(struct sotto_packer *packer, struct sotto_view bytes)
{
    msgpack_pack_bin(&packer->packer, bytes.length);
    msgpack_pack_bin_body(&packer->packer, bytes.at, bytes.length);
}

void sotto_pack_text(struct sotto_packer *packer, const char *text)
{
    size_t length = strlen(text);

    msgpack_pack_str(&packer->packer, length);
    msgpack_pack_str_body(&packer->packer, text, length);
}

enum sotto_status sotto_packer_finish(const struct sotto_packer *packer)
{
    return packer->failed ? SOTTO_OVER_LIMIT : SOTTO_OK;
}

static void enter(struct sotto_unpacker *unpacker, const msgpack_object *first, size_t count)
{
    if (count == 0)
        return;
    /* The scan has bounded the depth, and a level is left as soon as its last value is taken. */
    assert(unpacker->depth < SOTTO_PACK_DEPTH_MAX);
    unpacker->level[unpacker->depth].at = first;
    unpacker->level[unpacker->depth].left = count;
    unpacker->depth++;
}

/* The next value if it is of `type`; NULL, and the failure noted, if it is not or there is none. */
static const msgpack_object *take(struct sotto_unpacker *unpacker, msgpack_object_type type)
{
    const msgpack_object *value;

    if (unpacker->status != SOTTO_OK)
        return NULL;
    if (unpacker->depth == 0) {
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
        return NULL;
    }
    value = unpacker->level[unpacker->depth - 1].at++;
    unpacker->level[unpacker->depth - 1].left--;
    while (unpacker->depth > 0 && unpacker->level[unpacker->depth - 1].left == 0)
        unpacker->depth--;
    if (value->type == type)
        return value;
    sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    return NULL;
}

void sotto_unpacker_open(struct sotto_unpacker *unpacker, struct sotto_view bytes)
{
    sotto_unpacker_open_within(unpacker, bytes, SOTTO_PACK_BYTES_MAX);
}

void sotto_unpacker_open_within(struct sotto_unpacker *unpacker, struct sotto_view bytes,
                                size_t bytes_max)
{
    size_t offset = 0;

    *unpacker = (struct sotto_unpacker){0};
    unpacker->status = sotto_pack_scan(bytes, bytes_max);
    if (unpacker->status != SOTTO_OK)
        return;
    unpacker->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (unpacker->zone == NULL) {
        sotto_unpacker_fail(unpacker, SOTTO_NO_MEMORY);
        return;
    }
    if (msgpack_unpack((const char *)bytes.at, bytes.length, &offset, unpacker->zone,
                       &unpacker->root) != MSGPACK_UNPACK_SUCCESS) {
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
        return;
    }
    enter(unpacker, &unpacker->root, 1);
}

void sotto_unpack_array(struct sotto_unpacker *unpacker, size_t count)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_ARRAY);

    if (value == NULL)
        return;
    if (value->via.array.size != count)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    else
        enter(unpacker, value->via.array.ptr, count);
}

size_t sotto_unpack_list(struct sotto_unpacker *unpacker, size_t count_max)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_ARRAY);

    if (value == NULL)
        return 0;
    if (value->via.array.size > count_max) {
        sotto_unpacker_fail(unpacker, SOTTO_OVER_LIMIT);
        return 0;
    }
    enter(unpacker, value->via.array.ptr, value->via.array.size);
    return value->via.array.size;
}

uint64_t sotto_unpack_u64(struct sotto_unpacker *unpacker, uint64_t max)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_POSITIVE_INTEGER);

    if (value == NULL)
        return 0;
    if (value->via.u64 <= max)
        return value->via.u64;
    sotto_unpacker_fail(unpacker, SOTTO_OVER_LIMIT);
    return 0;
}

double sotto_unpack_f64(struct sotto_unpacker *unpacker)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_FLOAT64);

    if (value == NULL)
        return 0;
    if (isfinite(value->via.f64))
        return value->via.f64;
    sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    return 0;
}

bool sotto_unpack_bool(struct sotto_unpacker *unpacker)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_BOOLEAN);

    return value != NULL && value->via.boolean;
}

struct sotto_view sotto_unpack_bytes(struct sotto_unpacker *unpacker, size_t length_max)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_BIN);

    if (value == NULL)
        return (struct sotto_view){0};
    if (value->via.bin.size <= length_max)
        return sotto_view_of(value->via.bin.ptr, value->via.bin.size);
    sotto_unpacker_fail(unpacker, SOTTO_OVER_LIMIT);
    return (struct sotto_view){0};
}

void sotto_unpack_exact(struct sotto_unpacker *unpacker, uint8_t *out, size_t length)
{
    struct sotto_view bytes = sotto_unpack_bytes(unpacker, length);

    if (unpacker->status == SOTTO_OK && bytes.length != length)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    if (length == 0)
        return;
    if (unpacker->status == SOTTO_OK)
        memcpy(out, bytes.at, length);
    else
        memset(out, 0, length);
}

static bool is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    }
    return true;
}

void sotto_unpack_text(struct sotto_unpacker *unpacker, char *out, size_t capacity)
{
    const msgpack_object *value = take(unpacker, MSGPACK_OBJECT_STR);

    memset(out, 0, capacity);
    if (value == NULL)
        return;
    if (value->via.str.size >= capacity)
        sotto_unpacker_fail(unpacker, SOTTO_OVER_LIMIT);
    else if (!is_printable(value->via.str.ptr, value->via.str.size))
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    else if (value->via.str.size > 0) /* an empty one has no pointer */
        memcpy(out, value->via.str.ptr, value->via.str.size);
}

/* The first failure is the one that is told. */
void sotto_unpacker_fail(struct sotto_unpacker *unpacker, enum sotto_status status)
{
    if (unpacker->status == SOTTO_OK)
        unpacker->status = status;
}

enum sotto_status sotto_unpacker_close(struct sotto_unpacker *unpacker)
{
    enum sotto_status status = unpacker->status;

    if (status == SOTTO_OK && unpacker->depth > 0)
        status = SOTTO_MALFORMED;
    if (unpacker->zone != NULL)
        msgpack_zone_free(unpacker->zone);
    *unpacker = (struct sotto_unpacker){.status = SOTTO_MALFORMED};
    return status;
}
