#include "rate_limit.h"

#include <stdlib.h>

#include "base/uthash.h"

struct bucket {
    char *user;
    int64_t tokens_ms; // thousandths of a token
    int64_t seen_ms;
    UT_hash_handle hh; // least recently used first
};

struct rate_limit {
    unsigned rate, burst;
    struct bucket *buckets;
};

void rate_limit_set(struct rate_limit *l, unsigned rate, unsigned burst) {
    l->rate = rate;
    l->burst = burst;
}

struct rate_limit *rate_limit_new(unsigned rate, unsigned burst) {
    struct rate_limit *l = mem_zalloc(sizeof *l);
    rate_limit_set(l, rate, burst);
    return l;
}

static void bucket_drop(struct rate_limit *l, struct bucket *b) {
    HASH_DEL(l->buckets, b);
    free(b->user);
    free(b);
}

void rate_limit_free(struct rate_limit *l) {
    if (!l) return;
    struct bucket *b, *next;
    HASH_ITER(hh, l->buckets, b, next) bucket_drop(l, b);
    free(l);
}

static struct bucket *bucket_get(struct rate_limit *l, const char *user, int64_t now_ms) {
    struct bucket *b;
    HASH_FIND_STR(l->buckets, user, b);
    if (b) {
        HASH_DEL(l->buckets, b); // moves to the end
    } else {
        if (HASH_COUNT(l->buckets) >= RATE_LIMIT_USERS) bucket_drop(l, l->buckets);
        b = mem_zalloc(sizeof *b);
        b->user = mem_strdup(user);
        b->tokens_ms = (int64_t)l->burst * 1000;
        b->seen_ms = now_ms;
    }
    HASH_ADD_KEYPTR(hh, l->buckets, b->user, strlen(b->user), b);
    return b;
}

int rate_limit_take(struct rate_limit *l, const char *user, unsigned tokens, int64_t now_ms) {
    int64_t needs = (int64_t)tokens * 1000;
    struct bucket *b = bucket_get(l, user, now_ms);
    int64_t full = (int64_t)l->burst * 1000;
    b->tokens_ms += (now_ms - b->seen_ms) * l->rate;
    if (b->tokens_ms > full) b->tokens_ms = full;
    b->seen_ms = now_ms;
    if (b->tokens_ms >= needs) {
        b->tokens_ms -= needs;
        return 0;
    }
    int64_t wait_ms = (needs - b->tokens_ms + l->rate - 1) / l->rate;
    return (int)((wait_ms + 999) / 1000);
}
