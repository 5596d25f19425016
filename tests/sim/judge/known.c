#include "known.h"

#include <stdlib.h>

#include "base/mem.h"

static int by_number(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int by_place(const void *a, const void *b) {
    const struct known *x = a, *y = b;
    int order = by_number(x->video, y->video);
    if (!order) order = position_compare(x->at, y->at);
    if (!order) order = by_number(x->writer, y->writer);
    if (!order) order = by_number(x->number, y->number);
    return order ? order : by_number((uint64_t)x->first_us, (uint64_t)y->first_us);
}

static bool shows_comment(const struct journal_event *e) {
    return e->kind == JOURNAL_STORED || e->kind == JOURNAL_ALLOWED || e->kind == JOURNAL_COMMENT ||
           e->kind == JOURNAL_ENTRY;
}

// The video is that of the writer's comment or of the viewer, which come before.
struct names {
    uint32_t *videos; // by viewer
    struct known *posts;
    size_t viewers, post_count;
};

static int by_writer(const void *a, const void *b) {
    const struct known *x = a, *y = b;
    int order = by_number(x->writer, y->writer);
    return order ? order : by_number(x->number, y->number);
}

static void names_collect(struct names *n, const struct journal *j) {
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_event *e = &j->events[i];
        if (e->kind == JOURNAL_JOIN && e->who >= n->viewers) n->viewers = e->who + 1;
    }
    n->videos = mem_zalloc((n->viewers + 1) * sizeof *n->videos);
    n->posts = mem_alloc((j->count + 1) * sizeof *n->posts);
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_event *e = &j->events[i];
        if (e->kind == JOURNAL_JOIN) n->videos[e->who] = e->video;
        if (e->kind == JOURNAL_POST)
            n->posts[n->post_count++] =
                (struct known){.video = e->video, .writer = e->who, .number = e->number};
    }
    qsort(n->posts, n->post_count, sizeof *n->posts, by_writer);
}

static uint32_t names_video(const struct names *n, const struct journal_event *e) {
    if (e->kind == JOURNAL_ENTRY) return e->video;
    if (e->kind == JOURNAL_COMMENT) return e->who < n->viewers ? n->videos[e->who] : 0;
    struct known key = {.writer = e->who, .number = e->number};
    const struct known *post = bsearch(&key, n->posts, n->post_count, sizeof key, by_writer);
    return post ? post->video : 0;
}

// FNV-1a of what an entry says.
static uint32_t hash_entry(const struct journal_event *e) {
    uint64_t words[] = {e->from.epoch, e->from.seq, e->place};
    uint32_t hash = 2166136261u;
    for (const char *at = e->word; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        hash = (hash ^ (uint32_t)words[i]) * 16777619u;
        hash = (hash ^ (uint32_t)(words[i] >> 32)) * 16777619u;
    }
    return hash;
}

static struct known known_of_event(const struct names *n, const struct journal_event *e) {
    bool stored = e->kind == JOURNAL_STORED || e->kind == JOURNAL_ALLOWED;
    bool is_entry = e->kind == JOURNAL_ENTRY;
    return (struct known){.video = names_video(n, e),
                          .at = e->at,
                          .writer = is_entry ? KNOWN_ENTRY
                                    : stored ? e->who
                                             : e->place,
                          .number = is_entry ? hash_entry(e) : e->number,
                          .first_us = e->at_us,
                          .acked_us = stored ? e->at_us : -1,
                          .lost_us = -1};
}

// Merges what was seen of one comment; what comes first in the order stays.
static void known_merge(struct known_list *list, known_conflict_cb *on_conflict, void *arg) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct known *k = &list->all[i], *last = kept ? &list->all[kept - 1] : NULL;
        bool same = last && last->video == k->video && position_compare(last->at, k->at) == 0;
        if (same && (last->writer != k->writer || last->number != k->number)) on_conflict(arg, last, k);
        if (!same)
            list->all[kept++] = *k;
        else if (last->acked_us < 0 || (k->acked_us >= 0 && k->acked_us < last->acked_us))
            last->acked_us = k->acked_us;
    }
    list->count = kept;
}

static void known_note_loss(struct known_list *list, const struct journal_event *lost) {
    for (size_t i = known_after(list, lost->video, (struct position){0}); i < list->count; i++) {
        struct known *k = &list->all[i];
        if (k->video != lost->video || position_compare(k->at, lost->at) > 0) return;
        if (position_compare(k->at, lost->from) >= 0 && k->lost_us < 0) k->lost_us = lost->at_us;
    }
}

void known_collect(struct known_list *list, const struct journal *j, known_conflict_cb *on_conflict,
                   void *arg) {
    struct names names = {0};
    names_collect(&names, j);
    list->all = mem_alloc((j->count + 1) * sizeof *list->all);
    list->count = 0;
    for (size_t i = 0; i < j->count; i++)
        if (shows_comment(&j->events[i])) list->all[list->count++] = known_of_event(&names, &j->events[i]);
    qsort(list->all, list->count, sizeof *list->all, by_place);
    known_merge(list, on_conflict, arg);
    for (size_t i = 0; i < j->count; i++)
        if (j->events[i].kind == JOURNAL_LOST) known_note_loss(list, &j->events[i]);
    free(names.videos);
    free(names.posts);
}

void known_release(struct known_list *list) {
    free(list->all);
    *list = (struct known_list){0};
}

static bool is_after(const struct known *k, uint32_t video, struct position at) {
    return k->video > video || (k->video == video && position_compare(k->at, at) > 0);
}

size_t known_after(const struct known_list *list, uint32_t video, struct position at) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_after(&list->all[middle], video, at))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct known *known_find(const struct known_list *list, uint32_t video, struct position at) {
    size_t i = known_after(list, video, at);
    struct known *k = i ? &list->all[i - 1] : NULL;
    return k && k->video == video && position_compare(k->at, at) == 0 ? k : NULL;
}
