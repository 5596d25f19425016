#include "embedded_follow.h"

#include "embedded_archive.h"
#include "embedded_scrub.h"
#include "embedded_store.h"
#include "engine/embedded.h"
#include "engine/local.h"

struct copied_row {
    struct engine_entry entry;
    int64_t at_ms;
};

struct follow_request {
    struct request request; // first
    const char *video, *user;
    struct position at;
    union {
        embedded_copy_cb *copy;
        engine_done_cb *done;
    } on;

    size_t count;
    struct copied_row rows[];
};

// Opening

bool follow_load(struct store *s, const char **why) {
    sqlite3_stmt *q = store_use(s, SQL_FOLLOWS_READ);
    if (!store_row(s, q)) return false;
    bool is_copy = sqlite3_column_int64(q, 0) != 0;
    store_end(q);
    if (is_copy && !s->config.follows)
        *why = "is an archive that `chorus archive` writes; choose another data folder";
    else if (!is_copy && s->config.follows && s->totals.entries)
        *why = "has comments of `chorus up`; choose a data folder of its own for the archive";
    if (*why) return false;
    return is_copy || !s->config.follows || store_run(s, store_use(s, SQL_FOLLOWS_WRITE));
}

// On the store's thread

static bool follow_may_write(const struct store *s, struct request *r) {
    if (store_is_lost(s)) r->status = ENGINE_UNAVAILABLE;
    return !store_is_lost(s);
}

static void follow_copy(struct store *s, struct request *request) {
    struct follow_request *r = (struct follow_request *)request;
    if (!follow_may_write(s, request)) return;
    for (size_t i = 0; i < r->count && !s->failure.code; i++)
        archive_add(s, r->video, &r->rows[i].entry, r->rows[i].at_ms, request);
    r->at = archive_position(s, r->video);
}

static void follow_take_out(struct store *s, struct request *request) {
    struct follow_request *r = (struct follow_request *)request;
    if (!follow_may_write(s, request)) return;
    enum archive_outcome outcome = archive_blank(s, r->video, r->at, request);
    if (outcome == ARCHIVE_NONE) request->status = ENGINE_NOT_FOUND;
    if (outcome == ARCHIVE_BLANKED) scrub_note(s);
}

static void follow_erase(struct store *s, struct request *request) {
    struct follow_request *r = (struct follow_request *)request;
    if (follow_may_write(s, request)) archive_purge_all(s, r->user);
}

// On the control loop

static void call_back_copy(struct local_engine *e, struct request *request) {
    const struct follow_request *r = (const struct follow_request *)request;
    (void)e;
    r->on.copy(request->arg, request->status, request->status == ENGINE_OK ? r->at : (struct position){0});
}

static void call_back_done(struct local_engine *e, struct request *request) {
    (void)e;
    ((const struct follow_request *)request)->on.done(request->arg, request->status);
}

void embedded_copy(struct engine *engine, const struct embedded_copied *what, embedded_copy_cb *cb,
                   void *arg) {
    size_t room = request_copy_size(what->video);
    for (size_t i = 0; i < what->count; i++) room += what->entries[i].body_len + 2;
    struct follow_request *r =
        request_new(sizeof *r + what->count * sizeof r->rows[0], room, follow_copy, call_back_copy, arg);
    r->video = request_copy(&r->request, what->video);
    r->on.copy = cb;
    r->count = what->count;
    for (size_t i = 0; i < what->count; i++) {
        const struct engine_entry *e = &what->entries[i];
        r->rows[i] = (struct copied_row){*e, what->at_ms[i]};
        r->rows[i].entry.body = local_copy_entry(&r->request, e->kind, e->body, e->body_len).body;
    }
    local_push(engine, &r->request);
}

void embedded_take_out(struct engine *engine, const char *video, struct position at, engine_done_cb *cb,
                       void *arg) {
    struct follow_request *r =
        request_new(sizeof *r, request_copy_size(video), follow_take_out, call_back_done, arg);
    r->video = request_copy(&r->request, video);
    r->at = at;
    r->on.done = cb;
    local_push(engine, &r->request);
}

void embedded_erase(struct engine *engine, const char *user, engine_done_cb *cb, void *arg) {
    struct follow_request *r =
        request_new(sizeof *r, request_copy_size(user), follow_erase, call_back_done, arg);
    r->user = request_copy(&r->request, user);
    r->on.done = cb;
    local_push(engine, &r->request);
}
