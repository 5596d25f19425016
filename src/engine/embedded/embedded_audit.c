#include "embedded_audit.h"

#include <string.h>

#include "embedded_video.h"

void audit_write(struct store *s, const struct video *v, const char *note) {
    if (!note) return;
    sqlite3_stmt *q = store_use(s, SQL_AUDIT_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, note);
    if (!store_run(s, q)) return;
    q = store_use(s, SQL_AUDIT_TRIM);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, ENGINE_NOTES);
    store_run(s, q);
}

void audit_read(struct store *s, struct request *request) {
    struct audit_request *a = (struct audit_request *)request;
    const struct video *v = video_find(s, a->video);
    a->count = 0;
    a->notes = request_hold(request, ENGINE_NOTES * sizeof *a->notes);
    if (!v) return;
    sqlite3_stmt *q = store_use(s, SQL_AUDIT_OF);
    sqlite3_bind_int64(q, 1, v->id);
    while (store_row(s, q)) {
        const char *text = store_text(s, q, 0);
        if (text && a->count < ENGINE_NOTES)
            a->notes[a->count++] = request_hold_text(request, text, strlen(text));
    }
}
