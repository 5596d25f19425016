#include "redis_by_slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_slots.h"

struct videos {
    char **names;
    unsigned count, room;
};

struct redis_by_slot {
    struct videos slots[REDIS_SLOTS];
};

struct redis_by_slot *redis_by_slot_new(void) {
    return mem_zalloc(sizeof(struct redis_by_slot));
}

void redis_by_slot_free(struct redis_by_slot *b) {
    if (!b) return;
    for (size_t slot = 0; slot < REDIS_SLOTS; slot++) {
        for (unsigned i = 0; i < b->slots[slot].count; i++) free(b->slots[slot].names[i]);
        free(b->slots[slot].names);
    }
    free(b);
}

// Returns where it is, or their number.
static unsigned videos_find(const struct videos *v, const char *video) {
    unsigned i = 0;
    while (i < v->count && strcmp(v->names[i], video) != 0) i++;
    return i;
}

void redis_by_slot_add(struct redis_by_slot *b, unsigned slot, const char *video) {
    struct videos *v = &b->slots[slot];
    if (videos_find(v, video) < v->count) return;
    if (v->count == v->room) {
        unsigned room = v->room ? 2 * v->room : 4;
        char **names = mem_alloc(room * sizeof *names);
        if (v->count) memcpy(names, v->names, v->count * sizeof *names);
        free(v->names);
        v->names = names;
        v->room = room;
    }
    v->names[v->count++] = mem_strdup(video);
}

void redis_by_slot_remove(struct redis_by_slot *b, unsigned slot, const char *video) {
    struct videos *v = &b->slots[slot];
    unsigned at = videos_find(v, video);
    if (at == v->count) return;
    free(v->names[at]);
    v->names[at] = v->names[--v->count];
    if (v->count) return;
    free(v->names);
    *v = (struct videos){0};
}

size_t redis_by_slot_of(const struct redis_by_slot *b, unsigned slot, char *const **names) {
    *names = b->slots[slot].names;
    return b->slots[slot].count;
}
