#include "embedded_settings.h"

#include <string.h>

#include "embedded_store.h"

static struct settings_request *settings_of(struct request *r) {
    return (struct settings_request *)r;
}

// Returns a video's settings, held by the request; NULL if there are none.
static const char *settings_find(struct store *s, const char *video, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_SETTINGS_FIND);
    store_bind_text(q, 1, video);
    if (!store_row(s, q)) return NULL;
    const char *text = store_text(s, q, 0);
    if (text) text = request_hold_text(r, text, strlen(text));
    store_end(q);
    return text;
}

void video_settings_read(struct store *s, struct request *r) {
    struct settings_request *asked = settings_of(r);
    for (size_t i = 0; i < asked->count; i++) asked->found[i] = settings_find(s, asked->videos[i], r);
}

static void settings_count(struct store *s, int by) {
    sqlite3_stmt *q = store_use(s, SQL_SETTINGS_COUNTED);
    sqlite3_bind_int(q, 1, by);
    store_run(s, q);
}

static bool settings_have_room(struct store *s) {
    uint64_t most = s->config.limits.max_videos, count = 0;
    sqlite3_stmt *q = store_use(s, SQL_SETTINGS_COUNT);
    if (store_row(s, q)) {
        count = (uint64_t)sqlite3_column_int64(q, 0);
        store_end(q);
    }
    return !most || count < most;
}

void video_settings_write(struct store *s, struct request *r) {
    const char *video = settings_of(r)->videos[0], *text = settings_of(r)->text;
    bool exist = settings_find(s, video, r);
    if (!text && !exist) return;
    if (text && !exist && !settings_have_room(s)) {
        r->status = ENGINE_FULL;
        return;
    }
    sqlite3_stmt *q = store_use(s, text ? SQL_SETTINGS_WRITE : SQL_SETTINGS_DROP);
    store_bind_text(q, 1, video);
    if (text) store_bind_text(q, 2, text);
    store_run(s, q);
    if (exist != (text != NULL)) settings_count(s, text ? 1 : -1);
}
