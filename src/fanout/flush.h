// What is on its way to the viewers of a channel that are ready: a run of frames or a heartbeat, laid out
// once for each framing in use and sent to each viewer with one send; or the end of the stream. In as many
// slices as the worker likes. Private to channel.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel_core.h"

// Begins to send what is new to all who are ready: as many frames as fit into one run.
void flush_begin(struct channel *);
void flush_begin_heartbeat(struct channel *);
void flush_begin_moments(struct channel *); // those that are fresh
void flush_begin_end(struct channel *);

// From now on those who are ready stand before frame `to`.
void flush_mark_sent(struct channel *, uint64_t to);

// Serves at most `sends` of those who are due. Returns how many it has served.
uint32_t flush_serve(struct channel *, uint32_t sends, int64_t now_ms);

// Nobody is due any more: lets go of the run.
void flush_end(struct channel *, int64_t now_ms);
