// Connects a reader's tally (tally.h) with its viewers, the engine and placement: what it publishes goes to
// the viewers that have asked for `viewers`, what it sends to the topic `viewers:<readerUrl>` of another
// reader. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct broadcast;
struct reader;

void viewer_counts_start(struct reader *);
void viewer_counts_stop(struct reader *); // may be repeated; the others below then do nothing

// Must be called before a viewer is added to the broadcast. `asks`: the kinds of moments that it asked for;
// `elsewhere`: another reader owns the video.
void viewer_counts_join(struct reader *, struct broadcast *, uint8_t asks, bool elsewhere);

// The video's owner is known; NULL: this reader.
void viewer_counts_place(struct reader *, const char *video, const char *owner_url);

// The on_viewers() of broadcasts.
void viewer_counts_changed(struct broadcast *);

// The video is closed, with its viewers.
void viewer_counts_close(struct reader *, const char *video);

void viewer_counts_sweep(struct reader *);
