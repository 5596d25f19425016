#include "embedded_held.h"

#include <string.h>

#include "embedded_audit.h"
#include "embedded_video.h"

static int64_t held_count(struct store *s, const struct video *v) {
    int64_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_HELD_COUNT);
    sqlite3_bind_int64(q, 1, v->id);
    if (!store_row(s, q)) return 0;
    count = sqlite3_column_int64(q, 0);
    store_end(q);
    return count;
}

bool held_repeats(struct store *s, const struct video *v, struct append_request *a) {
    sqlite3_stmt *q = store_use(s, SQL_HELD_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, a->gate.id);
    if (!store_row(s, q)) return false;
    bool allows = sqlite3_column_int(q, 0);
    int64_t left_ms = sqlite3_column_int64(q, 1) - s->now_ms;
    store_end(q);
    a->refusal = (struct engine_refusal){.why = allows ? REFUSED_DELAYED : REFUSED_HELD,
                                         .number = left_ms > 0 ? left_ms : 0,
                                         .waiting = held_count(s, v)};
    a->request.status = ENGINE_REFUSED;
    return true;
}

bool held_add(struct store *s, const struct video *v, struct append_request *a) {
    int64_t count = held_count(s, v);
    if (count >= ROOM_HELD) {
        a->refusal = (struct engine_refusal){.why = REFUSED_RATE, .number = 1000};
        return false;
    }
    a->refusal.waiting = count + 1;
    sqlite3_stmt *q = store_use(s, SQL_HELD_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, a->gate.id);
    store_bind_text(q, 3, a->gate.author);
    sqlite3_bind_text(q, 4, a->asked.body, (int)a->asked.body_len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, s->now_ms + a->refusal.number);
    sqlite3_bind_int(q, 6, a->refusal.why == REFUSED_DELAYED);
    sqlite3_bind_blob(q, 7, a->token.digest, ENGINE_DIGEST, SQLITE_STATIC); // zeros without one
    sqlite3_bind_int64(q, 8, a->has_token ? a->token.at_ms : s->now_ms);
    return store_run(s, q);
}

static const char *held_text(struct store *s, sqlite3_stmt *q, int column, struct request *r) {
    const char *text = store_text(s, q, column);
    return text ? request_hold_text(r, text, strlen(text)) : NULL;
}

static bool held_take_row(struct store *s, sqlite3_stmt *q, struct request *r, struct engine_held *h) {
    *h = (struct engine_held){.video = held_text(s, q, 0, r),
                              .id = held_text(s, q, 1, r),
                              .author = held_text(s, q, 2, r),
                              .body = held_text(s, q, 3, r),
                              .due_ms = sqlite3_column_int64(q, 4),
                              .allows = sqlite3_column_int(q, 5),
                              .at_ms = sqlite3_column_int64(q, 7)};
    if (!h->video || !h->id || !h->author || !h->body) return false;
    h->body_len = strlen(h->body);
    const void *digest = sqlite3_column_blob(q, 6);
    if (digest && sqlite3_column_bytes(q, 6) == ENGINE_DIGEST) memcpy(h->digest, digest, ENGINE_DIGEST);
    return true;
}

void held_read(struct store *s, struct request *request) {
    struct held_request *h = (struct held_request *)request;
    const struct video *v = h->video ? video_find(s, h->video) : NULL;
    size_t most = h->video ? ROOM_HELD : ENGINE_HELD_DUE;
    h->count = 0;
    if (h->video && !v) return;
    sqlite3_stmt *q = store_use(s, h->video ? SQL_HELD_OF : SQL_HELD_DUE);
    sqlite3_bind_int64(q, 1, h->video ? v->id : s->now_ms);
    if (h->video)
        store_bind_text(q, 2, h->video);
    else
        sqlite3_bind_int64(q, 2, (int64_t)most);
    while (store_row(s, q)) {
        if (!h->count) h->list = request_hold(request, most * sizeof *h->list);
        if (h->count < most) h->count += held_take_row(s, q, request, &h->list[h->count]);
    }
}

void held_drop(struct store *s, struct request *request) {
    struct held_request *h = (struct held_request *)request;
    const struct video *v = video_find(s, h->video);
    request->status = ENGINE_NOT_FOUND;
    if (!v) return;
    sqlite3_stmt *q = store_use(s, SQL_HELD_REMOVE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, h->id);
    if (store_run(s, q) && sqlite3_changes(s->db)) request->status = ENGINE_OK;
    if (request->status == ENGINE_OK) audit_write(s, v, h->note);
    h->left = held_count(s, v);
}
