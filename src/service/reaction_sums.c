#include "service/reaction_sums.h"

#include <stdlib.h>
#include <string.h>

void reaction_sums_add(struct reaction_sums *s, const char *kind, size_t len, uint32_t count) {
    unsigned i = 0;
    if (!len || len > REACTION_KIND_MAX) return;
    while (i < s->kinds && (strncmp(s->of[i].kind, kind, len) != 0 || s->of[i].kind[len])) i++;
    if (i == REACTION_KINDS) return;
    if (i == s->kinds) {
        s->of[s->kinds++] = (struct reaction_sum){0};
        memcpy(s->of[i].kind, kind, len);
    }
    s->of[i].count += count < UINT32_MAX - s->of[i].count ? count : UINT32_MAX - s->of[i].count;
}

static int by_count(const void *a, const void *b) {
    const struct reaction_sum *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->kind, y->kind);
}

void reaction_sums_sort(struct reaction_sums *s) {
    qsort(s->of, s->kinds, sizeof *s->of, by_count);
}
