#include "strikes.h"

#include <stdlib.h>

#include "base/uthash.h"

struct struck_name {
    uint64_t user, video;
};

struct struck {
    struct struck_name name;
    unsigned count;
    int64_t at_ms[STRIKES_MAX]; // newest first
    UT_hash_handle hh;          // least recently refused first
};

struct strikes {
    struct struck *all;
};

struct strikes *strikes_new(void) {
    return mem_zalloc(sizeof(struct strikes));
}

static void strikes_drop(struct strikes *s, struct struck *one) {
    HASH_DEL(s->all, one);
    free(one);
}

void strikes_free(struct strikes *s) {
    if (!s) return;
    while (s->all) strikes_drop(s, s->all);
    free(s);
}

// Returns the user's entry, as the most recently refused.
static struct struck *strikes_get(struct strikes *s, const char *user, const char *video) {
    struct struck_name name = {.user = hash_bytes(user, strlen(user)),
                               .video = hash_bytes(video, strlen(video))};
    struct struck *one;
    HASH_FIND(hh, s->all, &name, sizeof name, one);
    if (one) {
        HASH_DEL(s->all, one);
    } else {
        if (HASH_COUNT(s->all) >= STRIKES_USERS) strikes_drop(s, s->all);
        one = mem_zalloc(sizeof *one);
        one->name = name;
    }
    HASH_ADD(hh, s->all, name, sizeof one->name, one);
    return one;
}

bool strikes_note(struct strikes *s, const char *user, const char *video, unsigned most, int64_t within_ms,
                  int64_t now_ms) {
    struct struck *one = strikes_get(s, user, video);
    memmove(one->at_ms + 1, one->at_ms, sizeof one->at_ms - sizeof *one->at_ms);
    one->at_ms[0] = now_ms;
    if (one->count < STRIKES_MAX) one->count++;
    if (one->count < most || now_ms - one->at_ms[most - 1] >= within_ms) return false;
    strikes_drop(s, one);
    return true;
}
