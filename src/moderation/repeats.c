#include "repeats.h"

#include <stdlib.h>

#include "base/uthash.h"

struct posted {
    struct repeat_mark mark;
    uint64_t key; // 0: none
    int64_t at_ms;
    UT_hash_handle hh; // oldest first
};

struct repeats {
    struct posted *all;
};

struct repeats *repeats_new(void) {
    return mem_zalloc(sizeof(struct repeats));
}

static void repeats_drop(struct repeats *r, struct posted *p) {
    HASH_DEL(r->all, p);
    free(p);
}

void repeats_free(struct repeats *r) {
    if (!r) return;
    while (r->all) repeats_drop(r, r->all);
    free(r);
}

struct repeat_mark repeat_mark_of(const char *user, const struct folded *f, const char *text, size_t len) {
    return (struct repeat_mark){.user = hash_bytes(user, strlen(user)),
                                .text = f->words_len ? hash_bytes(f->words, f->words_len)
                                                     : hash_bytes(text, len)};
}

static struct posted *repeats_find(const struct repeats *r, const struct repeat_mark *mark) {
    struct posted *found;
    HASH_FIND(hh, r->all, mark, sizeof *mark, found);
    return found;
}

bool repeats_note(struct repeats *r, const struct repeat_mark *mark, const char *key, int64_t now_ms,
                  int64_t within_ms) {
    uint64_t own = *key ? hash_bytes(key, strlen(key)) : 0;
    struct posted *before = repeats_find(r, mark);
    if (before && now_ms - before->at_ms < within_ms) return own && own == before->key;
    if (before) repeats_drop(r, before);
    if (HASH_COUNT(r->all) >= REPEATS_MAX) repeats_drop(r, r->all);
    struct posted *p = mem_zalloc(sizeof *p);
    p->mark = *mark;
    p->key = own;
    p->at_ms = now_ms;
    HASH_ADD(hh, r->all, mark, sizeof p->mark, p);
    return true;
}

void repeats_forget(struct repeats *r, const struct repeat_mark *mark) {
    struct posted *p = repeats_find(r, mark);
    if (p) repeats_drop(r, p);
}
