// The last line of a demo in a terminal: viewers, rates and delay of the whole system, rewritten in place.
// What the log writes appears above it (log_set_line_start). Control loop only.
#pragma once

struct live_line;
struct settings;
struct system;

// Begins the first output on stdout after the start box. The settings are borrowed, and may change.
struct live_line *live_line_start(struct system *, const struct settings *);

// Removes the line, and leaves the cursor at the beginning of an empty one. To be called before the system is
// freed. NULL is fine.
void live_line_free(struct live_line *);

// What clears the line: for log lines that are to take its place until it is drawn again.
extern const char live_line_clear[];
