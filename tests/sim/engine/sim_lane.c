#include "sim_lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim_store_world.h"

struct sim_item *sim_item_new(enum sim_item_kind kind, const char *name) {
    size_t size = strlen(name) + 1;
    struct sim_item *i = mem_zalloc(sizeof *i + size);
    i->kind = kind;
    memcpy(i->name, name, size);
    return i;
}

void sim_item_free(struct sim_item *i) {
    if (i->call) sim_call_unref(i->call);
    sim_body_unref(i->entry.body);
    free(i);
}

struct sim_item *sim_lane_take(struct sim_lane *l) {
    struct sim_item *i = l->first;
    if (!i) return NULL;
    l->first = i->next;
    if (!l->first) l->last = NULL;
    i->next = NULL;
    return i;
}

static int64_t lane_opens_us(const struct sim_lane *l) {
    int64_t held_us = l->held_until ? l->held_until(l) : 0;
    return l->first->due_us > held_us ? l->first->due_us : held_us;
}

static void on_lane_due(void *arg);

// The rest arrives later.
void sim_lane_run(struct sim_lane *l) {
    int64_t now_us = l->world->now_us(l->world->arg);
    while (l->first && lane_opens_us(l) <= now_us) l->deliver(l, sim_lane_take(l));
    if (!l->first || l->armed) return;
    l->armed = true;
    l->world->at(l->world->arg, lane_opens_us(l) - now_us, on_lane_due, l);
}

static void on_lane_due(void *arg) {
    struct sim_lane *l = arg;
    l->armed = false;
    sim_lane_run(l);
    if (!l->armed && l->on_idle) l->on_idle(l);
}

void sim_lane_put(struct sim_lane *l, struct sim_item *i, int64_t delay_us) {
    int64_t due_us = l->world->now_us(l->world->arg) + delay_us;
    if (due_us < l->last_due_us) due_us = l->last_due_us;
    i->due_us = l->last_due_us = due_us;
    if (l->last)
        l->last->next = i;
    else
        l->first = i;
    l->last = i;
    if (!l->armed) sim_lane_run(l);
}
