#include "redis_known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"

#include <utlist.h>

static void known_drop(struct known *k, struct known_video *v) {
    name_table_remove(&k->videos, &v->entry);
    DL_DELETE(k->oldest, v);
    free(v);
}

void known_release(struct known *k) {
    while (k->oldest) known_drop(k, k->oldest);
}

static struct known_video *known_add(struct known *k, const char *video) {
    if (k->videos.count >= KNOWN_VIDEOS && !k->oldest->calls) known_drop(k, k->oldest);
    size_t len = strlen(video);
    struct known_video *v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->name, video, len + 1);
    v->entry.name = v->name;
    name_table_add(&k->videos, &v->entry);
    return v;
}

struct known_video *known_ref(struct known *k, const char *video) {
    struct name_entry *e = name_table_find(&k->videos, video);
    struct known_video *v = e ? container_of(e, struct known_video, entry) : known_add(k, video);
    if (e) DL_DELETE(k->oldest, v);
    DL_APPEND(k->oldest, v);
    v->calls++;
    return v;
}

void known_unref(struct known *k, struct known_video *v) {
    v->calls--;
    if (!position_is_set(v->at) && !v->calls) known_drop(k, v); // a video that could not be appended to
}

void known_note_epoch(struct known *k, uint64_t epoch) {
    if (epoch <= k->epoch) return;
    k->epoch = epoch;
    snprintf(k->epoch_text, sizeof k->epoch_text, "%" PRIu64, epoch);
}

void known_note(struct known *k, struct known_video *v, struct position at) {
    if (position_compare(at, v->at) <= 0) return;
    known_note_epoch(k, at.epoch);
    v->at = at;
    position_format(at, v->text);
}
