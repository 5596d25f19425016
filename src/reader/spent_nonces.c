#include "spent_nonces.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SLOTS = 2 * SPENT_NONCES_MAX };

// The slot of a nonce, which is random, or the free one where it belongs.
static uint64_t *generation_slot(const struct spent_generation *g, uint64_t nonce) {
    size_t i = nonce % SLOTS;
    while (g->slots[i] && g->slots[i] != nonce) i = (i + 1) % SLOTS;
    return &g->slots[i];
}

static bool generation_has(const struct spent_generation *g, uint64_t nonce) {
    return g->slots && *generation_slot(g, nonce);
}

void spent_nonces_release(struct spent_nonces *s) {
    free(s->now.slots);
    free(s->before.slots);
    *s = (struct spent_nonces){0};
}

bool spent_nonces_has(const struct spent_nonces *s, uint64_t nonce) {
    return generation_has(&s->now, nonce) || generation_has(&s->before, nonce);
}

bool spent_nonces_add(struct spent_nonces *s, uint64_t nonce, int64_t now_s) {
    if (now_s - s->turned_s >= SPENT_NONCES_S) {
        free(s->before.slots);
        s->before = s->now;
        s->now = (struct spent_generation){0};
        s->turned_s = now_s;
    }
    if (spent_nonces_has(s, nonce) || s->now.count == SPENT_NONCES_MAX) return false;
    if (!s->now.slots) s->now.slots = mem_zalloc(SLOTS * sizeof *s->now.slots);
    *generation_slot(&s->now, nonce) = nonce;
    s->now.count++;
    return true;
}
