#include "engine/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "base/mem.h"

static struct lease *lease_find(struct lease *list, const char *reader_url) {
    struct lease *l;
    DL_FOREACH(list, l) {
        if (!strcmp(l->reader_url, reader_url)) return l;
    }
    return NULL;
}

static int lease_by_url(const struct lease *a, const struct lease *b) {
    return strcmp(a->reader_url, b->reader_url);
}

static struct lease *lease_add(struct lease **list, const char *reader_url) {
    struct lease *l = mem_zalloc(sizeof *l);
    l->reader_url = mem_strdup(reader_url);
    l->instance_id = mem_strdup("");
    l->given_up = l->changed = true;
    DL_INSERT_INORDER(*list, l, lease_by_url);
    return l;
}

void lease_remove(struct lease **list, struct lease *l) {
    DL_DELETE(*list, l);
    free(l->reader_url);
    free(l->public_url);
    free(l->instance_id);
    free(l->load);
    free(l);
}

static bool lease_is_held_by(const struct lease *l, const struct engine_lease *asked) {
    const char *instance_id = asked->instance_id ? asked->instance_id : "";
    return !l->given_up && asked->claim != LEASE_FIRST && l->generation == asked->generation &&
           !strcmp(l->instance_id, instance_id);
}

static bool lease_may_take(const struct lease *l, const struct engine_lease *asked) {
    if (l->given_up) return true;
    switch (asked->claim) {
    case LEASE_FIRST: return true;
    case LEASE_HELD: return l->generation > asked->generation;
    case LEASE_UNCHANGED: return l->stamp == asked->stamp;
    }
    return false;
}

// Returns whether it was another.
static bool lease_set_text(char **field, const char *text) {
    if (!*field && !text) return false;
    if (*field && text && !strcmp(*field, text)) return false;
    free(*field);
    *field = text ? mem_strdup(text) : NULL;
    return true;
}

static void lease_set(struct lease *l, const struct engine_lease *asked, uint64_t generation) {
    l->changed |= lease_set_text(&l->public_url, asked->public_url);
    l->changed |= lease_set_text(&l->instance_id, asked->instance_id ? asked->instance_id : "");
    l->changed |= l->generation != generation;
    l->generation = generation;
    l->viewers = asked->viewers;
    lease_set_text(&l->load, asked->load); // too short-lived to be stored
    l->given_up = false;
    l->stamp++;
}

struct lease *lease_renew(struct lease **list, const struct engine_lease *asked, int ttl_ms, int64_t now_ms,
                          struct engine_lease_answer *answer) {
    struct lease *l = lease_find(*list, asked->reader_url);
    uint64_t generation = asked->generation;
    answer->outcome = !l                           ? LEASE_GAINED
                      : lease_is_held_by(l, asked) ? LEASE_KEPT
                      : lease_may_take(l, asked)   ? LEASE_GAINED
                                                   : LEASE_TAKEN;
    if (l && answer->outcome == LEASE_GAINED && asked->claim != LEASE_HELD && generation <= l->generation)
        generation = l->generation + 1;
    if (!l) l = lease_add(list, asked->reader_url);
    if (answer->outcome != LEASE_TAKEN) {
        lease_set(l, asked, generation);
        l->ends_ms = now_ms + ttl_ms;
    }
    answer->generation = l->generation;
    answer->stamp = l->stamp;
    answer->instance_id = l->instance_id;
    return l;
}

void lease_drop(struct lease *list, const char *reader_url, uint64_t generation, int64_t now_ms) {
    struct lease *l = lease_find(list, reader_url);
    if (!l || l->generation != generation) return;
    l->given_up = l->changed = true;
    if (l->ends_ms > now_ms) l->ends_ms = now_ms;
}

struct engine_lease lease_view(const struct lease *l, int64_t now_ms) {
    return (struct engine_lease){.reader_url = l->reader_url,
                                 .public_url = l->public_url,
                                 .instance_id = l->instance_id,
                                 .generation = l->generation,
                                 .viewers = l->viewers,
                                 .load = l->load,
                                 .stamp = l->stamp,
                                 .left_ms = l->ends_ms - now_ms,
                                 .given_up = l->given_up,
                                 .live = !l->given_up && l->ends_ms > now_ms};
}
