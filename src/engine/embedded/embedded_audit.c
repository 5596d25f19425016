#include "embedded_audit.h"

#include <string.h>

#include "embedded_video.h"

static const char automatic[] = ENGINE_NOTE_AUTOMATIC;

void audit_write(struct store *s, const struct video *v, const char *note) {
    if (!note) return;
    bool is_automatic = !strncmp(note, automatic, sizeof automatic - 1);
    sqlite3_stmt *q = store_use(s, SQL_AUDIT_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, note);
    if (!store_run(s, q)) return;
    q = store_use(s, SQL_AUDIT_TRIM);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, is_automatic ? ENGINE_NOTES_AUTOMATIC : ENGINE_NOTES);
    sqlite3_bind_int(q, 3, is_automatic);
    store_bind_text(q, 4, automatic);
    store_run(s, q);
}

void audit_read(struct store *s, struct request *request) {
    struct audit_request *a = (struct audit_request *)request;
    const struct video *v = video_find(s, a->video);
    a->count = 0;
    enum { MOST = ENGINE_NOTES + ENGINE_NOTES_AUTOMATIC };
    a->notes = request_hold(request, MOST * sizeof *a->notes);
    if (!v) return;
    sqlite3_stmt *q = store_use(s, SQL_AUDIT_OF);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, automatic);
    while (store_row(s, q)) {
        const char *text = store_text(s, q, 0);
        if (text && a->count < MOST) a->notes[a->count++] = request_hold_text(request, text, strlen(text));
    }
}
