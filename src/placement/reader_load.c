#include "placement/reader_load.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

// Ids of videos need no escaping.
static void load_write_video(struct buf *b, const struct reader_load_video *v) {
    buf_printf(b, "{\"video\":\"%s\",\"viewers\":%" PRIu64 ",\"load\":%" PRIu64 "%s}", v->video, v->viewers,
               v->load, v->in_set ? ",\"set\":true" : "");
}

void reader_load_write(struct buf *b, const struct reader_load *l) {
    buf_printf(b,
               "{\"draining\":%s,\"connects\":%" PRIu64 ",\"most\":%" PRIu64 ",\"cores\":%" PRIu64
               ",\"used\":%" PRIu64 ",\"machine\":%" PRIu64 ",\"videos\":[",
               l->draining ? "true" : "false", l->connects, l->most, l->cores, l->used, l->machine);
    for (size_t i = 0; i < l->video_count; i++) {
        if (i) buf_add_string(b, ",");
        load_write_video(b, &l->videos[i]);
    }
    buf_add_string(b, "]}");
}

// Any process may have written it: numbers are summed and multiplied.
static uint64_t load_number(const json_t *json, const char *name) {
    json_int_t n = json_integer_value(json_object_get(json, name));
    return n > READER_LOAD_NUMBER_MAX ? READER_LOAD_NUMBER_MAX : n > 0 ? (uint64_t)n : 0;
}

static void load_read_videos(struct reader_load *l, const json_t *list) {
    size_t count = json_array_size(list);
    if (count > READER_LOAD_VIDEOS) count = READER_LOAD_VIDEOS;
    if (!count) return;
    l->videos = mem_zalloc(count * sizeof *l->videos);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        const char *video = json_string_value(json_object_get(row, "video"));
        if (!video || !*video || strlen(video) > ENGINE_VIDEO_MAX) continue;
        struct reader_load_video *v = &l->videos[l->video_count++];
        snprintf(v->video, sizeof v->video, "%s", video);
        v->viewers = load_number(row, "viewers");
        v->load = load_number(row, "load");
        v->in_set = json_is_true(json_object_get(row, "set"));
    }
}

void reader_load_read(struct reader_load *l, const char *text) {
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    *l = (struct reader_load){.draining = json_is_true(json_object_get(json, "draining")),
                              .connects = load_number(json, "connects"),
                              .most = load_number(json, "most"),
                              .cores = load_number(json, "cores"),
                              .used = load_number(json, "used"),
                              .machine = load_number(json, "machine")};
    load_read_videos(l, json_object_get(json, "videos"));
    json_decref(json);
}

void reader_load_release(struct reader_load *l) {
    free(l->videos);
    *l = (struct reader_load){0};
}

const struct reader_load_video *reader_load_of(const struct reader_load *l, const char *video) {
    for (size_t i = 0; i < l->video_count; i++)
        if (!strcmp(l->videos[i].video, video)) return &l->videos[i];
    return NULL;
}

double reader_load_used(const struct reader_load *l, uint64_t viewers) {
    double sends = l->cores ? (double)l->used / (double)l->cores : 0;
    double holds = l->most ? (double)viewers / (double)l->most : 0;
    return sends > holds ? sends : holds;
}
