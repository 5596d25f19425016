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
#include <stdint.h>

#include "engine/embedded_config.h"
#include "engine/engine.h"

struct loop;

// Opens or creates the store and starts its thread. Returns NULL on failure and writes into `why` one
// sentence that names the file and what to do (folder not writable, file in use by another process, damaged,
// or written by a newer version).
struct engine *embedded_open(struct loop *, const struct embedded_config *, char *why, size_t why_size);

// The archive of another store's log: an engine that was opened with `follows`, in a data folder of its own.
// Its replay() and videos() read what is archived; nothing is appended. The operations below write it, and
// call back like those of engine.h.

// Archives entries of a video, oldest first, and does what they say: takes out the comment of a retraction,
// and those of a purge, in the same transaction. One that is archived already is passed over, so that a
// repeat changes nothing. `newest`: up to where the video is archived then (not set: nothing is). Without
// entries it only finds that out.
struct embedded_copied {
    const char *video;
    const struct engine_entry *entries;
    const int64_t *at_ms; // when each was logged
    size_t count;
};
typedef void embedded_copy_cb(void *arg, enum engine_status, struct position newest);
void embedded_copy(struct engine *, const struct embedded_copied *, embedded_copy_cb *, void *arg);

// Takes a comment out. NOT_FOUND if none is archived there.
void embedded_take_out(struct engine *, const char *video, struct position, engine_done_cb *, void *arg);

// Takes out all comments of a user that are archived, of any video: in force for replays at once, and
// overwritten in slices.
void embedded_erase(struct engine *, const char *user, engine_done_cb *, void *arg);
