// Removes comments from what the viewers of a channel have not begun to receive (fanout/removal.h). Nothing
// is kept for it per viewer, and a delivery costs no more: what is removed is replaced where it is. A viewer
// in the midst of such a comment first gets it as a frame of its own. Private to channel; worker's thread.
#pragma once

struct channel;
struct frame;

// `by` is a frame that removes others, before it is published. What a flush is sending is replaced when that
// ends.
void channel_remove(struct channel *, struct frame *by);
