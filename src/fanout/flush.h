// What is being sent to the viewers of a channel that are ready: a run of frames or a heartbeat, laid out
// once for each framing in use and sent to each viewer with one send, with the latest moments behind the
// frames; the latest moments alone; or the end of the stream. In slices of any size. Private to channel.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel_core.h"

// Begins to send everything new to all viewers that are ready: as many frames as fit into one run.
void flush_begin(struct channel *);
void flush_begin_heartbeat(struct channel *);
void flush_begin_retry(
    struct channel *); // a heartbeat that tells each viewer another time to reconnect after
void flush_begin_moments(struct channel *); // the fresh ones
void flush_begin_end(struct channel *);

// From now on viewers that are ready have everything before frame `to`.
void flush_mark_sent(struct channel *, uint64_t to);

// Serves at most `sends` of the viewers that are due. Returns how many.
uint32_t flush_serve(struct channel *, uint32_t sends, int64_t now_ms);

// Records how long ago what is being sent was posted, for the viewers served since the last call.
void flush_record_delays(struct channel *, int64_t clock_us);

// Ends the flush, once no viewer is due.
void flush_end(struct channel *, int64_t now_ms);
