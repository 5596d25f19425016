#include "reader/watched.h"

#include <stdlib.h>
#include <string.h>

#include "reader/reader_core.h"

struct watched *watched_find(const struct reader *r, const char *video) {
    struct watched *w;
    HASH_FIND_STR(r->videos, video, w);
    return w;
}

struct watched *watched_open(struct reader *r, const char *video) {
    struct watched *w = watched_find(r, video);
    if (w) return w;
    w = mem_zalloc(sizeof *w + strlen(video) + 1);
    memcpy(w->video, video, strlen(video) + 1);
    HASH_ADD_KEYPTR(hh, r->videos, w->video, strlen(w->video), w);
    w->stream = stream_open(&r->env, video);
    log_debug(r->service.instance_id, "subscribed", "video=%s", video);
    return w;
}

void watched_close(struct reader *r, struct watched *w) {
    HASH_DEL(r->videos, w);
    stream_close(w->stream);
    free(w->other_name);
    free(w);
}

bool watched_means_us(const struct reader *r, const struct watched *w, const char *reader_url) {
    if (!strcmp(reader_url, r->config.reader_url)) return true;
    return w && w->other_name && !strcmp(reader_url, w->other_name);
}

void watched_rename(const struct reader *r, struct watched *w, const char *reader_url) {
    if (watched_means_us(r, w, reader_url)) return;
    free(w->other_name);
    w->other_name = mem_strdup(reader_url);
}

void watched_sweep(struct reader *r, int64_t now_ms) {
    struct watched *w, *next;
    HASH_ITER(hh, r->videos, w, next) {
        stream_sweep(w->stream);
        int64_t idle_since = stream_idle_since_ms(w->stream);
        if (!idle_since || now_ms - idle_since < r->config.unsubscribe_ms) continue;
        log_debug(r->service.instance_id, "unsubscribed", "video=%s", w->video);
        watched_close(r, w);
    }
}

uint64_t watched_viewers(const struct reader *r) {
    uint64_t n = 0;
    const struct watched *w;
    for (w = r->videos; w; w = w->hh.next) n += stream_viewers(w->stream);
    return n;
}
