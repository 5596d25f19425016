#include "mappings.h"

#include <stdlib.h>
#include <string.h>

enum { AGEING_TURNS = 16, AGED_MIN = 100, BUSY_SKIPPED = 8 };

void shared_url_unref(struct shared_url *u) {
    if (u && !--u->references) free(u);
}

void mappings_drop(struct mappings *all, struct mapping *m) {
    HASH_DEL(all->by_video, m);
    shared_url_unref(m->url);
    reader_set_unref(m->set);
    free(m);
}

void mappings_release(struct mappings *all) {
    struct mapping *m, *next;
    HASH_ITER(hh, all->by_video, m, next) mappings_drop(all, m);
}

static void mappings_add(struct mappings *all, struct mapping *m) {
    HASH_ADD_KEYPTR(hh, all->by_video, m->video, strlen(m->video), m);
}

static void mappings_move_to_end(struct mappings *all, struct mapping *m) {
    HASH_DEL(all->by_video, m);
    mappings_add(all, m);
}

// Makes room by dropping the least recently used one. Returns false if queries wait for the first few.
static bool mappings_make_room(struct mappings *all) {
    for (int i = 0; i < BUSY_SKIPPED && HASH_COUNT(all->by_video) >= PLACEMENT_CACHE_MAX; i++) {
        if (all->by_video->state == MAPPING_AT_REST)
            mappings_drop(all, all->by_video);
        else
            mappings_move_to_end(all, all->by_video);
    }
    return HASH_COUNT(all->by_video) < PLACEMENT_CACHE_MAX;
}

struct mapping *mappings_get(struct mappings *all, struct placement *p, const char *video) {
    struct mapping *m;
    HASH_FIND_STR(all->by_video, video, m);
    if (m) return m;
    if (!mappings_make_room(all)) return NULL;
    size_t size = strlen(video) + 1;
    m = mem_zalloc(sizeof *m + size);
    m->placement = p;
    memcpy(m->video, video, size);
    mappings_add(all, m);
    return m;
}

// Those that stay go to the end.
void mappings_age(struct mappings *all, int64_t now_ms) {
    size_t count = HASH_COUNT(all->by_video), share = count / AGEING_TURNS + AGED_MIN;
    struct mapping *m, *next;
    if (share > count) share = count;
    HASH_ITER(hh, all->by_video, m, next) {
        if (!share--) return;
        if (m->state == MAPPING_AT_REST && now_ms - m->known_ms > PLACEMENT_STALE_MS)
            mappings_drop(all, m);
        else
            mappings_move_to_end(all, m);
    }
}

void mapping_unset(struct mapping *m) {
    shared_url_unref(m->url);
    m->url = NULL;
}

void mapping_set(struct mapping *m, const char *reader_url, int64_t now_ms) {
    m->known_ms = now_ms;
    if (m->url && !strcmp(m->url->text, reader_url)) return;
    mapping_unset(m);
    size_t size = strlen(reader_url) + 1;
    m->url = mem_alloc(sizeof *m->url + size);
    m->url->references = 1;
    memcpy(m->url->text, reader_url, size);
}

bool mapping_known_within(const struct mapping *m, int64_t ms, int64_t now_ms) {
    return m->url && now_ms - m->known_ms <= ms;
}
