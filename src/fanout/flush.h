// A run of frames on its way to the viewers of a channel who are ready, or a heartbeat: laid out once, sent
// to each with one send, in as many slices as its worker likes. Private to channel.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pace.h"

struct channel;
struct frame;

struct flush {
    uint64_t from, to; // the frames; none: it is a heartbeat
    char *bytes;
    uint32_t len;
    bool cut; // there was more than fits into one run
    struct pace_mark begun;
    struct frame *beat; // owned
    size_t room_bytes;
    char room[]; // several frames, one behind the other
};

// Begins to send what is new to all who are ready: as many frames as fit into one run.
void flush_begin(struct channel *);
void flush_begin_heartbeat(struct channel *);

// From now on those who are ready stand before frame `to`.
void flush_mark_sent(struct channel *, uint64_t to);

// Serves at most `sends` of those who are due. Returns how many it has served.
uint32_t flush_serve(struct channel *, uint32_t sends, int64_t now_ms);

// Nobody is due any more: lets go of the run.
void flush_end(struct channel *, int64_t now_ms);
