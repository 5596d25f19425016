#include "embedded_mapping.h"

#include <string.h>

#include "embedded_engine.h"
#include "embedded_room.h"

struct mapping_request {
    struct request request; // first
    const char *video, *reader_url, *expected;
    union {
        engine_mapping_cb *mapping;
        engine_done_cb *done; // of release
    } on;
    const char *found; // the answer; NULL: there is none
    bool changed;
};

static struct mapping_request *of(struct request *r) {
    return (struct mapping_request *)r;
}

// Returns the reader that the video is mapped to, held by the request; NULL if there is none.
static const char *find(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    if (!store_row(s, q)) return NULL;
    const char *reader = store_text(s, q, 0);
    if (reader) reader = request_hold_text(r, reader, strlen(reader));
    store_end(q);
    return reader;
}

static void answer(struct request *r, const char *reader_url, bool changed) {
    of(r)->found = reader_url;
    of(r)->changed = changed;
    if (!reader_url) r->status = ENGINE_NOT_FOUND;
}

// For lookup() and reassign(): the present mapping, NOT_FOUND without one.
static struct video *find_present(struct store *s, struct request *r) {
    struct video *v = video_find(s, of(r)->video);
    const char *reader = v ? find(s, v, r) : NULL;
    answer(r, reader, false);
    if (reader) video_mark_used(s, v);
    return reader ? v : NULL;
}

static void carry_out_lookup(struct store *s, struct request *r) {
    find_present(s, r);
}

static void carry_out_assign(struct store *s, struct request *r) {
    const char *reader_url = of(r)->reader_url;
    struct video *v = room_find_or_add(s, of(r)->video, &r->status);
    if (!v) return;
    video_mark_used(s, v);
    const char *present = find(s, v, r);
    if (present) {
        answer(r, present, false);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, reader_url);
    store_run(s, q);
    s->totals.mappings++;
    answer(r, reader_url, true);
}

static void carry_out_reassign(struct store *s, struct request *r) {
    const struct video *v = find_present(s, r);
    const char *reader_url = of(r)->reader_url, *expected = of(r)->expected;
    if (!v || strcmp(of(r)->found, expected) != 0 || strcmp(reader_url, expected) == 0) return;
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_CHANGE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, reader_url);
    store_run(s, q);
    answer(r, reader_url, true);
}

static void carry_out_release(struct store *s, struct request *r) {
    struct video *v = video_find(s, of(r)->video);
    const char *present = v ? find(s, v, r) : NULL;
    if (!present || strcmp(present, of(r)->expected) != 0) return;
    if (!position_is_set(v->at)) {
        video_drop(s, v);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_DROP);
    sqlite3_bind_int64(q, 1, v->id);
    store_run(s, q);
    s->totals.mappings--;
}

// On the control loop

static struct mapping_request *mapping_request_new(const char *video, const char *reader_url,
                                                   const char *expected, request_carry_out *carry_out,
                                                   request_call_back *call_back, void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(reader_url) + request_copy_size(expected);
    struct mapping_request *m = request_new(sizeof *m, room, carry_out, call_back, arg);
    m->video = request_copy(&m->request, video);
    m->reader_url = request_copy(&m->request, reader_url);
    m->expected = request_copy(&m->request, expected);
    return m;
}

static void call_back_mapping(struct embedded *e, struct request *r) {
    bool ok = r->status == ENGINE_OK;
    (void)e;
    of(r)->on.mapping(r->arg, r->status, ok ? of(r)->found : NULL, ok && of(r)->changed);
}

static void call_back_done(struct embedded *e, struct request *r) {
    (void)e;
    of(r)->on.done(r->arg, r->status);
}

void embedded_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    struct mapping_request *m =
        mapping_request_new(video, NULL, NULL, carry_out_lookup, call_back_mapping, arg);
    m->on.mapping = cb;
    embedded_push(engine, &m->request);
}

void embedded_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                     void *arg) {
    struct mapping_request *m =
        mapping_request_new(video, reader_url, NULL, carry_out_assign, call_back_mapping, arg);
    m->on.mapping = cb;
    embedded_push(engine, &m->request);
}

void embedded_reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                       engine_mapping_cb *cb, void *arg) {
    struct mapping_request *m =
        mapping_request_new(video, reader_url, expected, carry_out_reassign, call_back_mapping, arg);
    m->on.mapping = cb;
    embedded_push(engine, &m->request);
}

void embedded_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                      void *arg) {
    struct mapping_request *m =
        mapping_request_new(video, NULL, expected, carry_out_release, call_back_done, arg);
    m->on.done = cb;
    embedded_push(engine, &m->request);
}
