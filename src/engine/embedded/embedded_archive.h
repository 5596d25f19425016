// The archive: entries for as long as --archive-days says, whatever the log still keeps. Store's thread only.
//
// Each transaction copies the entries that it appends, so the archive has all that the log drops; where it
// was switched on later, or was behind, slices of ARCHIVE_COPIED rows catch up, and the sweep leaves the log
// alone until they have. A comment that is taken out of the log is taken out here in the same transaction. A
// purge may concern millions of rows: it is noted, and in force for readers, at once; the rows are
// overwritten by slices of the sweep, once it has caught up, which survive a restart. What is older than the
// archive keeps is not shown any more, and removed by slices, too. Switched off, the archive is emptied that
// way.
//
// A video is known here by a number and a name of its own, so that it outlives its row among the videos. Of
// each the origin is kept, from which a replay counts: when its last ENTRY_START was logged, or the first
// entry that came here; 0: nothing has come yet, only a purge of what will.
#pragma once

#include "embedded_store.h"
#include "engine/request.h"

struct engine_entry;

enum { ARCHIVE_COPIED = 4096, ARCHIVE_SLICE = 128 };

void archive_load(struct store *);

// Copies what this transaction has appended. Before it commits.
void archive_copy(struct store *);

// Whether the log has entries that are to be archived and are not yet.
bool archive_is_behind(const struct store *);

enum archive_outcome { ARCHIVE_NONE, ARCHIVE_BEHIND, ARCHIVE_BLANK, ARCHIVE_BLANKED };

// Takes the text out of a comment. Returns ARCHIVE_NONE if there is none at that position, ARCHIVE_BEHIND if
// it may be among the rows that are not copied yet, ARCHIVE_BLANK if it was taken out before.
enum archive_outcome archive_blank(struct store *, const char *video, struct position, struct request *);

// Takes out all comments of a user that are in the archive or the log now.
void archive_purge(struct store *, const char *video, const char *user);

void archive_purge_all(struct store *, const char *user); // of all videos

// Adds an entry of another store's log, if it is not there, and does what it says.
void archive_add(struct store *, const char *video, const struct engine_entry *, int64_t at_ms,
                 struct request *);

// Returns the newest position of a video; not set: there is none.
struct position archive_position(struct store *, const char *video);

// Does a slice of what is to be removed. Returns whether there may be more.
bool archive_sweep(struct store *);

request_carry_out archive_replay; // struct replay_request
request_carry_out archive_videos; // struct videos_request
