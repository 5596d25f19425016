#include "moments.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/mem.h"
#include "fanout/frame.h"

static unsigned moment_index(uint8_t kind) {
    return (unsigned)__builtin_ctz(kind);
}

void moments_set(struct moments **m, uint8_t kind, struct frame *f) {
    if (!*m) {
        *m = mem_zalloc(sizeof **m);
        budget_take(sizeof **m);
    }
    struct frame **latest = &(*m)->latest[moment_index(kind)];
    frame_unref(*latest);
    *latest = f;
    if (!f->is_fleeting) (*m)->known |= kind;
    (*m)->fresh |= kind;
}

struct frame *moments_get(const struct moments *m, uint8_t kind) {
    return m->latest[moment_index(kind)];
}

void moments_free(struct moments *m) {
    if (!m) return;
    for (unsigned i = 0; i < MOMENT_KINDS; i++) frame_unref(m->latest[i]);
    budget_give_back(sizeof *m);
    free(m);
}
