#include "redis_last_positions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"

#include <utlist.h>

static void last_positions_drop(struct last_positions *k, struct last_position *v) {
    name_table_remove(&k->videos, &v->entry);
    DL_DELETE(k->oldest, v);
    free(v);
}

void last_positions_release(struct last_positions *k) {
    while (k->oldest) last_positions_drop(k, k->oldest);
}

static struct last_position *last_positions_add(struct last_positions *k, const char *video) {
    if (k->videos.count >= LAST_POSITIONS_MAX && !k->oldest->calls) last_positions_drop(k, k->oldest);
    size_t len = strlen(video);
    struct last_position *v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->name, video, len + 1);
    v->entry.name = v->name;
    name_table_add(&k->videos, &v->entry);
    return v;
}

struct last_position *last_positions_ref(struct last_positions *k, const char *video) {
    struct name_entry *e = name_table_find(&k->videos, video);
    struct last_position *v = e ? container_of(e, struct last_position, entry) : last_positions_add(k, video);
    if (e) DL_DELETE(k->oldest, v);
    DL_APPEND(k->oldest, v);
    v->calls++;
    return v;
}

void last_positions_unref(struct last_positions *k, struct last_position *v) {
    v->calls--;
    if (!position_is_set(v->at) && !v->calls)
        last_positions_drop(k, v); // a video that could not be appended to
}

void last_positions_note_epoch(struct last_positions *k, uint64_t epoch) {
    if (epoch <= k->epoch) return;
    k->epoch = epoch;
    snprintf(k->epoch_text, sizeof k->epoch_text, "%" PRIu64, epoch);
}

void last_positions_note(struct last_positions *k, struct last_position *v, struct position at) {
    if (position_compare(at, v->at) <= 0) return;
    last_positions_note_epoch(k, at.epoch);
    v->round = k->round;
    v->at = at;
    position_format(at, v->text);
}

void last_positions_keep(struct last_positions *k, const char *video, struct position at) {
    if (!position_is_plausible(at)) return;
    struct last_position *v = last_positions_ref(k, video);
    last_positions_note(k, v, at);
    last_positions_doubt_again(k, v);
    last_positions_unref(k, v);
}

void last_positions_doubt(struct last_positions *k) {
    k->round++;
    k->doubting = true;
}

size_t last_positions_take_doubted(struct last_positions *k, struct last_position **taken, size_t count) {
    if (!k->doubting || !k->oldest) return 0;
    size_t found = 0;
    struct last_position *v = k->oldest;
    do {
        v = v->prev; // of the oldest: the newest
        if (v->round == k->round || !position_is_set(v->at)) continue;
        if (found == count) return found;
        v->round = k->round;
        v->calls++;
        taken[found++] = v;
    } while (v != k->oldest);
    k->doubting = false;
    return found;
}

void last_positions_doubt_again(struct last_positions *k, struct last_position *v) {
    v->round = k->round - 1;
    k->doubting = true;
}
