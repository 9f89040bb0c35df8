#include "core/net/output.h"

#include <stdlib.h>
#include <string.h>

/* A piece of ciphertext on its way. */
struct piece {
    uv_write_t write;
    size_t length;
    uint8_t bytes[];
};

static void on_written(uv_write_t *write, int status)
{
    struct piece *piece = (struct piece *)write;
    struct sotto_output *output = write->data;

    output->queued_bytes -= piece->length;
    free(piece);
    output->moved(output, status);
}

/* Hands what TLS has put out to the socket. */
static enum sotto_status flush(struct sotto_output *output)
{
    struct sotto_view bytes = sotto_tls_output(output->tls);
    struct piece *piece = NULL;
    uv_buf_t buffer;

    if (bytes.length == 0)
        return SOTTO_OK;
    piece = malloc(sizeof *piece + bytes.length);
    if (piece == NULL)
        return SOTTO_NO_MEMORY;
    piece->length = bytes.length;
    piece->write.data = output;
    memcpy(piece->bytes, bytes.at, bytes.length);
    sotto_tls_drop_output(output->tls);
    buffer = uv_buf_init((char *)piece->bytes, (unsigned)piece->length);
    if (uv_write(&piece->write, output->stream, &buffer, 1, on_written) != 0) {
        free(piece);
        return SOTTO_IO;
    }
    output->queued_bytes += piece->length;
    output->sent_total += piece->length;
    return SOTTO_OK;
}

enum sotto_status sotto_output_push(struct sotto_output *output)
{
    enum sotto_status status = flush(output);

    while (status == SOTTO_OK && output->body_sent < output->body_length &&
           !sotto_output_is_full(output)) {
        size_t left = output->body_length - output->body_sent;
        size_t length = left < SOTTO_OUTPUT_PIECE ? left : SOTTO_OUTPUT_PIECE;

        status =
            sotto_tls_write(output->tls, sotto_view_of(output->body + output->body_sent, length));
        output->body_sent += length;
        if (status == SOTTO_OK)
            status = flush(output);
    }
    return status;
}

static enum sotto_status take_body(struct sotto_output *output, const struct sotto_answer *answer)
{
    uint8_t *copy;

    output->body_length = answer->body.length;
    if (answer->release != NULL) {
        output->body = answer->body.at;
        output->release = answer->release;
        output->body_owner = answer->owner;
        return SOTTO_OK;
    }
    copy = malloc(answer->body.length + 1);
    if (copy == NULL)
        return SOTTO_NO_MEMORY;
    if (answer->body.length > 0)
        memcpy(copy, answer->body.at, answer->body.length);
    output->body = copy;
    output->release = free;
    output->body_owner = copy;
    return SOTTO_OK;
}

enum sotto_status sotto_output_answer(struct sotto_output *output,
                                      const struct sotto_answer *answer, bool keeps_alive,
                                      bool body_is_sent)
{
    char head[SOTTO_ANSWER_HEAD_MAX];
    size_t length = sotto_answer_head_write(head, answer, keeps_alive);
    enum sotto_status status = take_body(output, answer);

    output->body_sent = body_is_sent ? 0 : output->body_length;
    if (status == SOTTO_OK)
        status = sotto_tls_write(output->tls, sotto_view_of(head, length));
    return status == SOTTO_OK ? sotto_output_push(output) : status;
}

bool sotto_output_is_full(const struct sotto_output *output)
{
    return output->queued_bytes >= SOTTO_OUTPUT_MAX;
}

bool sotto_output_is_empty(const struct sotto_output *output)
{
    return output->queued_bytes == 0 && output->body_sent == output->body_length;
}

void sotto_output_wipe(struct sotto_output *output)
{
    if (output->release != NULL)
        output->release(output->body_owner);
    output->release = NULL;
    output->body = NULL;
    output->body_length = 0;
    output->body_sent = 0;
}
