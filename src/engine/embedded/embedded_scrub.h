// Comments that were taken out stay in the write-ahead log, in pages as they were before, until that is
// copied into the database and cut: within about SCRUB_AGAIN_MS, at once where it is the first. A note in the
// database, written together with the change, has it done after a kill, too. Store's thread; failures as in
// embedded_store.h.
#pragma once

#include <stdbool.h>

#include "embedded_store.h"

enum { SCRUB_AGAIN_MS = 1000 };

// Notes, in a transaction, that it takes something out.
void scrub_note(struct store *);

// Reads the note at the start. Returns false on failure.
bool scrub_load(struct store *);

// Cuts the log. Nothing else may be copying it. Returns false if another connection still reads it: try
// again.
bool scrub_log(struct store *);
