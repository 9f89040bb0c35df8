/*
 * What every message has in common: a msgpack array whose first element is the wire version and
 * whose second is the number of the message, then the fields in a fixed order. Decoders refuse
 * other versions, other numbers, more or fewer fields, and bytes after the array.
 */
#ifndef SOTTO_CORE_WIRE_MESSAGE_H
#define SOTTO_CORE_WIRE_MESSAGE_H

#include "core/base/pack.h"

enum { SOTTO_WIRE_VERSION = 1 };

/* X.509 bounds the name of an organisation in a certificate (RFC 5280, ub-organization-name). */
enum { SOTTO_ORGANISATION_MAX = 64 };

/* Numbers are for ever: one that is no longer used stays taken. */
enum sotto_message {
    SOTTO_MESSAGE_PLAN = 1,
    SOTTO_MESSAGE_MAIL = 2,
    SOTTO_MESSAGE_OUTCOME = 3,
    SOTTO_MESSAGE_ROSTER = 4,
    SOTTO_MESSAGE_TOKEN = 5,
    SOTTO_MESSAGE_ENROL_REQUEST = 6,
    SOTTO_MESSAGE_ENROL_RESPONSE = 7,
};

/* Starts a message of `field_count` fields; the caller packs them and finishes the packer. */
void sotto_message_begin(struct sotto_packer *packer, struct sotto_buffer *out,
                         enum sotto_message message, size_t field_count);

/*
 * Opens the unpacker and reads up to the first field; the caller unpacks `field_count` fields and
 * closes it. Failures are sticky in it: SOTTO_UNSUPPORTED for another wire version,
 * SOTTO_OVER_LIMIT for more than `bytes_max`, else SOTTO_MALFORMED.
 */
void sotto_message_open(struct sotto_unpacker *unpacker, struct sotto_view bytes, size_t bytes_max,
                        enum sotto_message message, size_t field_count);

/*
 * Reads a name of one or more of a-z 0-9 -, not beginning with '-', into out[capacity], with a
 * terminating zero.
 */
void sotto_unpack_name(struct sotto_unpacker *unpacker, char *out, size_t capacity);

/* Whether `name` is such a name, of at most `length_max` characters. */
bool sotto_name_is_valid(const char *name, size_t length_max);

/* Reads the name of an organisation, with a terminating zero. */
void sotto_unpack_organisation(struct sotto_unpacker *unpacker,
                               char out[SOTTO_ORGANISATION_MAX + 1]);

/* 1 .. SOTTO_ORGANISATION_MAX printable characters of ASCII, no space at an end. */
bool sotto_organisation_is_valid(const char *name);

#endif
