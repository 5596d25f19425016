// The messages by which readers count viewers together (tally.h), as text. The first line is
// `viewers 1 <readerUrl> <generation>`; then a line for each video: `c <videoid> <n>`, viewers that the
// sender counts for the owner, or `t <videoid> <n>`, the owner's total. Pure; any thread.
//
// A later version may add kinds of lines, and words at the end of a line: both are ignored.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct buf;

enum tally_kind { TALLY_PART, TALLY_TOTAL };

enum { TALLY_LINE_MAX = 2 + ENGINE_VIDEO_MAX + 22 };

struct tally_sender {
    const char *reader_url;
    uint64_t generation;
};

struct tally_line {
    enum tally_kind kind;
    const char *video;
    uint64_t viewers;
};

void tally_text_add_sender(struct buf *, const struct tally_sender *);
void tally_text_add_line(struct buf *, enum tally_kind, const char *video, uint64_t viewers);

// A message being read. Holds the texts of the sender and of the last line.
struct tally_reading {
    const char *at, *end;
    char url[ENGINE_URL_MAX + 1], video[ENGINE_VIDEO_MAX + 1];
};

// Returns false if it is not such a message. Borrows the text.
bool tally_text_begin(struct tally_reading *, const char *text, size_t len, struct tally_sender *);

// Reads the next line that is understood. Returns false after the last one.
bool tally_text_next(struct tally_reading *, struct tally_line *);
