#include "embedded_amend.h"

#include "embedded_archive.h"
#include "embedded_audit.h"
#include "embedded_gate.h"
#include "embedded_index.h"
#include "embedded_log.h"
#include "embedded_room.h"
#include "embedded_row.h"
#include "embedded_scrub.h"

// Reads a kept entry of the video. Returns false if it is none any more.
static bool amend_read(struct store *s, const struct video *v, int64_t n, struct request *r,
                       struct engine_entry *e) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_READ);
    sqlite3_bind_int64(q, 1, n);
    if (!store_row(s, q)) return false;
    bool kept = !store_expired(s, sqlite3_column_int64(q, 7)) && sqlite3_column_int64(q, 8) == v->id;
    kept = kept && row_read(s, q, r, e);
    store_end(q);
    return kept;
}

// Finds the row of a kept entry. Returns 0 if there is none.
static int64_t amend_find(struct store *s, struct video *v, struct position at, struct request *r,
                          struct engine_entry *e) {
    if (!at.seq) return 0;
    size_t i = index_reach(s, v, (struct position){at.epoch, at.seq - 1});
    if (i >= v->index.count || !amend_read(s, v, v->index.rows[i], r, e)) return 0;
    return position_compare(e->at, at) == 0 ? v->index.rows[i] : 0;
}

static void amend_blank(struct store *s, struct amend_request *a, int64_t n, const struct engine_entry *e) {
    struct engine_entry blank = {.at = e->at, .prev = e->prev, .kind = ENTRY_BLANK, .body = ""};
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_BLANK);
    sqlite3_bind_int64(q, 1, n);
    sqlite3_bind_int(q, 2, ENTRY_BLANK);
    sqlite3_bind_int(q, 3, row_checksum(&blank));
    store_run(s, q);
    a->taken++;
}

static void amend_purge(struct store *s, struct video *v, struct amend_request *a) {
    for (size_t i = index_reach(s, v, (struct position){0}); i < v->index.count; i++) {
        struct engine_entry e;
        int64_t n = v->index.rows[i];
        if (amend_read(s, v, n, &a->request, &e) && entry_is_by(&e, a->user)) {
            amend_blank(s, a, n, &e);
            gate_amend(s, v, ENTRY_RETRACT, e.at);
        }
        request_reset(&a->request);
    }
}

// Looks at the comment that is meant. Returns whether an entry is to be added.
static bool amend_take_target(struct store *s, struct video *v, struct amend_request *a) {
    struct engine_entry e;
    int64_t n = v ? amend_find(s, v, a->target, &a->request, &e) : 0;
    bool retracts = a->asked.kind == ENTRY_RETRACT;
    if (n && e.kind == ENTRY_COMMENT) {
        if (retracts) {
            amend_blank(s, a, n, &e);
            archive_blank(s, a->video, a->target, &a->request);
        }
        return true;
    }
    if (!n && retracts) { // it has left the log
        enum archive_outcome outcome = archive_blank(s, a->video, a->target, &a->request);
        a->taken += outcome == ARCHIVE_BLANKED;
        if (outcome == ARCHIVE_NONE) a->request.status = ENGINE_NOT_FOUND;
        if (outcome == ARCHIVE_BEHIND) a->request.status = ENGINE_BUSY;
        return outcome == ARCHIVE_BLANKED;
    }
    if (!n || e.kind != ENTRY_BLANK || !retracts) a->request.status = ENGINE_NOT_FOUND;
    return false;
}

void log_amend(struct store *s, struct request *r) {
    struct amend_request *a = (struct amend_request *)r;
    if (store_is_lost(s)) {
        r->status = ENGINE_UNAVAILABLE;
        return;
    }
    struct video *v = video_find(s, a->video);
    a->entry = a->asked;
    a->taken = 0;
    if (position_is_set(a->target) && !amend_take_target(s, v, a)) return;
    if (!v) v = room_find_or_add(s, a->video, &r->status);
    if (!v) return;
    if (!gate_amend(s, v, a->asked.kind, a->target) && a->asked.kind == ENTRY_END) return;
    if (a->user) {
        amend_purge(s, v, a);
        archive_purge(s, a->video, a->user);
    }
    if (a->taken) scrub_note(s);
    log_add(s, v, a->known, &a->loss, &a->entry);
    audit_write(s, v, a->note);
}
