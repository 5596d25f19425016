#include "video_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"

// The least recently commented on first.
struct video_count {
    uint64_t comments;
    UT_hash_handle hh;
    char video[];
};

void video_counts_add(struct video_count **counts, const char *video) {
    struct video_count *v;
    HASH_FIND_STR(*counts, video, v);
    if (v) {
        HASH_DEL(*counts, v);
    } else {
        if (HASH_COUNT(*counts) >= VIDEO_COUNTS_KEPT) {
            v = *counts;
            HASH_DEL(*counts, v);
            free(v);
        }
        v = mem_zalloc(sizeof *v + strlen(video) + 1);
        memcpy(v->video, video, strlen(video) + 1);
    }
    v->comments++;
    HASH_ADD_KEYPTR(hh, *counts, v->video, strlen(v->video), v);
}

void video_counts_free(struct video_count *counts) {
    struct video_count *v, *next;
    HASH_ITER(hh, counts, v, next) {
        HASH_DEL(counts, v);
        free(v);
    }
}

json_t *video_counts_report(struct video_count *counts) {
    json_t *by_video = json_object();
    size_t listed = 0;
    struct video_count *v = counts ? ELMT_FROM_HH(counts->hh.tbl, counts->hh.tbl->tail) : NULL;
    for (; v && listed < VIDEO_COUNTS_LISTED; v = v->hh.prev, listed++)
        json_object_set_new(by_video, v->video, json_integer((json_int_t)v->comments));
    return by_video;
}
