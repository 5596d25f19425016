// A log entry as the world sees it. Pure; any thread.
#pragma once

struct buf;
struct engine_entry;

// Adds the entry's JSON without `prev`, which is between the log and its readers.
void entry_write_public(struct buf *, const struct engine_entry *);
