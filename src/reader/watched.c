#include "reader/watched.h"

#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "reader/reader_core.h"

static struct watched *of(struct table_entry *e) {
    return e ? container_of(e, struct watched, entry) : NULL;
}

struct watched *watched_find(const struct reader *r, const char *video) {
    return of(table_find(&r->videos, video));
}

struct watched *watched_open(struct reader *r, const char *video) {
    struct watched *w = watched_find(r, video);
    if (w) return w;
    w = mem_zalloc(sizeof *w + strlen(video) + 1);
    memcpy(w->video, video, strlen(video) + 1);
    w->entry.name = w->video;
    table_add(&r->videos, &w->entry);
    stream_open(&w->stream, &r->env, w->video);
    log_debug(r->service.instance_id, "subscribed", "video=%s", video);
    return w;
}

void watched_close(struct reader *r, struct watched *w) {
    table_remove(&r->videos, &w->entry);
    stream_close(&w->stream);
    free(w->other_name);
    free(w);
}

struct watched *watched_next(const struct reader *r, const struct watched *w) {
    return of(table_next(&r->videos, w ? &w->entry : NULL));
}

bool watched_means_us(const struct reader *r, const struct watched *w, const char *reader_url) {
    if (!r->yields && !strcmp(reader_url, r->config.reader_url)) return true;
    return w && w->other_name && !strcmp(reader_url, w->other_name);
}

void watched_rename(const struct reader *r, struct watched *w, const char *reader_url) {
    if (watched_means_us(r, w, reader_url)) return;
    free(w->other_name);
    w->other_name = mem_strdup(reader_url);
}

void watched_sweep(struct reader *r) {
    struct stream *s;
    stream_sweep(&r->env);
    while ((s = stream_left_alone(&r->env, r->config.unsubscribe_ms))) {
        struct watched *w = container_of(s, struct watched, stream);
        log_debug(r->service.instance_id, "unsubscribed", "video=%s", w->video);
        watched_close(r, w);
    }
}
