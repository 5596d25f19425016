#include "embedded_epoch.h"

#include "base/hash.h"
#include "engine/numbering.h"

enum { AHEAD_MS = 60000, APART_MS = 65536 };

bool epoch_load(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_EPOCH_FLOOR_READ);
    if (!store_row(s, q)) return false;
    int64_t floor = sqlite3_column_int64(q, 0);
    store_end(q);
    s->epoch_floor = floor > 0 ? (uint64_t)floor : 0;
    s->epoch_reserved = s->epoch_reserving = s->epoch_floor;
    // An older copy of the folder has the same floor: where the clock is behind, the two must not go on
    // alike.
    if (floor > 0) s->epoch_floor += hash_random() % APART_MS;
    // What a process that was killed has left may be in memory alone, and is read from now on.
    s->epoch_unsynced = !s->config.durable && !store_sync_log(s);
    s->failure.code = 0;
    return true;
}

uint64_t epoch_give(struct store *s, struct position at, struct position known) {
    if (known.epoch < s->epoch_floor) known.epoch = s->epoch_floor;
    uint64_t epoch = numbering_new_epoch(s->now_ms, at, known, &s->epoch);
    if (!s->config.durable && epoch > s->epoch_reserving) s->epoch_reserving = epoch + AHEAD_MS;
    return epoch;
}

void epoch_write(struct store *s) {
    if (s->epoch_reserving == s->epoch_reserved) return;
    sqlite3_stmt *q = store_use(s, SQL_EPOCH_FLOOR_WRITE);
    sqlite3_bind_int64(q, 1, (int64_t)s->epoch_reserving);
    store_run(s, q);
}

bool epoch_sync(struct store *s) {
    s->epoch_unsynced |= s->epoch_reserving > s->epoch_reserved;
    s->epoch_reserved = s->epoch_reserving;
    if (!s->epoch_unsynced) return true;
    s->epoch_unsynced = !store_sync_log(s);
    return !s->epoch_unsynced;
}

void epoch_forget_changes(struct store *s) {
    s->epoch_reserving = s->epoch_reserved;
}

bool epoch_release(struct store *s) {
    uint64_t given = s->epoch > s->epoch_floor ? s->epoch : s->epoch_floor;
    if (given >= s->epoch_reserved) return false;
    s->epoch_reserving = given;
    return true;
}
