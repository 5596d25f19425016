#include "active_videos.h"

#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "service/fields.h"

struct active_video {
    uint64_t viewers, comments_in_1000s;
    UT_hash_handle hh;
    char id[];
};

struct summing {
    struct active_video *videos;
    uint64_t total;
    int64_t oldest_ms;
};

static struct active_video *find_or_add(struct summing *s, const char *id) {
    struct active_video *v;
    HASH_FIND_STR(s->videos, id, v);
    if (v) {
        if (s->total) s->total--; // counted by several readers
        return v;
    }
    size_t len = strlen(id);
    v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->id, id, len + 1);
    HASH_ADD_KEYPTR(hh, s->videos, v->id, len, v);
    return v;
}

static void on_report(void *arg, const struct figures_report *report) {
    struct summing *s = arg;
    json_t *viewers = json_object_get(report->hidden, "viewersByVideo"), *value;
    const json_t *comments = json_object_get(report->hidden, "commentsPer1000s");
    const char *id;
    if (report->seen_ms <= s->oldest_ms) return;
    uint64_t watched = figures_number(json_object_get(report->hidden, "figures"), "watched");
    size_t listed = json_object_size(viewers);
    s->total += watched > listed ? watched : listed;
    json_object_foreach(viewers, id, value) {
        if (!id_is_valid(id, strlen(id))) continue;
        struct active_video *v = find_or_add(s, id);
        uint64_t rate = figures_number(comments, id);
        v->viewers += (uint64_t)json_integer_value(value);
        if (rate > v->comments_in_1000s) v->comments_in_1000s = rate;
    }
}

static int by_viewers(const struct active_video *a, const struct active_video *b) {
    if (a->viewers != b->viewers) return a->viewers < b->viewers ? 1 : -1;
    if (a->comments_in_1000s != b->comments_in_1000s)
        return a->comments_in_1000s < b->comments_in_1000s ? 1 : -1;
    return strcmp(a->id, b->id);
}

json_t *active_videos(const struct figures *f, size_t limit, int64_t now_ms, int64_t fresh_ms) {
    struct summing s = {.oldest_ms = now_ms - fresh_ms};
    struct active_video *v, *next;
    json_t *list = json_array();
    figures_each(f, REPORT_READER, on_report, &s);
    HASH_SORT(s.videos, by_viewers);
    HASH_ITER(hh, s.videos, v, next) {
        if (json_array_size(list) < limit)
            json_array_append_new(list, json_pack("{s:s, s:I, s:f}", "videoid", v->id, "viewers",
                                                  (json_int_t)v->viewers, "commentsPerSecond",
                                                  (double)v->comments_in_1000s / 1000));
        HASH_DEL(s.videos, v);
        free(v);
    }
    return json_pack("{s:o, s:I}", "videos", list, "total", (json_int_t)s.total);
}
