#include "participant/courier/traffic.h"

#include "participant/channel/note.h"

void sotto_traffic_tell(struct sotto_traffic *told, const struct sotto_client *client,
                        const struct sotto_channel *supervisor)
{
    struct sotto_note note = {.kind = SOTTO_NOTE_TRAFFIC};
    struct sotto_traffic now;

    sotto_client_counters(client, &now.bytes_up, &now.bytes_down);
    note.up = now.bytes_up - told->bytes_up;
    note.down = now.bytes_down - told->bytes_down;
    *told = now;
    sotto_note_send(supervisor, &note);
}
