// The engine that needs no other server: publish/subscribe inside the process, SQLite for what is stored.
//
// SQLite runs on a thread of its own. All pending writes form one transaction, which is committed as soon
// as the one before has ended, never on a timer. An answer comes after the commit: kill -9 loses nothing that
// was answered; a power cut loses at most the last moments, or nothing with `durable`. An append's callback
// comes before the entry is published, so a poster does not wait for the viewers.
//
// Beyond engine.h: more than 16,384 requests or 32 MB of them waiting are BUSY. A token is valid for as long
// as the log's age, but only among the newest 1,000,000 entries. A video that is used in any way (also by an
// append) keeps both its position and its mapping. While the file cannot be written (disk full), operations
// that need no write are still answered, and the engine becomes ready again by itself.
//
// The engine's threads have all signals blocked. A process whose files may reach a limit (RLIMIT_FSIZE)
// should ignore SIGXFSZ for its other threads.
#pragma once

#include <stddef.h>

#include "engine/embedded_config.h"

struct engine;
struct loop;

// Opens or creates the store and starts its thread. Returns NULL on failure and writes into `why` one
// sentence that names the file and what to do (folder not writable, file in use by another process, damaged,
// or written by a newer version).
struct engine *embedded_open(struct loop *, const struct embedded_config *, char *why, size_t why_size);
