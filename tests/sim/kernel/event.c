#include "core.h"

static bool event_before(const struct event *a, const struct event *b) {
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

static void event_place(uint32_t slot, struct event *e) {
    world.heap[slot] = e;
    e->slot = slot;
}

static void event_sift_up(uint32_t slot, struct event *e) {
    for (; slot > 1 && event_before(e, world.heap[slot / 2]); slot /= 2)
        event_place(slot, world.heap[slot / 2]);
    event_place(slot, e);
}

static void event_sift_down(uint32_t slot, struct event *e) {
    for (uint32_t child; (child = slot * 2) <= world.events; slot = child) {
        if (child < world.events && event_before(world.heap[child + 1], world.heap[child])) child++;
        if (!event_before(world.heap[child], e)) break;
        event_place(slot, world.heap[child]);
    }
    event_place(slot, e);
}

void event_start(struct event *e, int64_t due_us) {
    event_stop(e);
    e->due_us = due_us;
    e->order = world.event_order++;
    if (world.events + 2 > world.heap_room) {
        world.heap_room = world.heap_room ? world.heap_room * 2 : 256;
        world.heap = kernel_grow(world.heap, world.heap_room * sizeof(struct event *));
    }
    world.events++;
    event_sift_up(world.events, e);
}

void event_stop(struct event *e) {
    uint32_t slot = e->slot;
    if (!slot) return;
    e->slot = 0;
    struct event *last = world.heap[world.events--];
    if (last == e) return;
    if (slot > 1 && event_before(last, world.heap[slot / 2]))
        event_sift_up(slot, last);
    else
        event_sift_down(slot, last);
}

int64_t events_run_due(void) {
    while (world.events && world.heap[1]->due_us <= world.now_us && !world.ended) {
        struct event *e = world.heap[1];
        event_stop(e);
        e->run(e);
    }
    return world.events ? world.heap[1]->due_us : INT64_MAX;
}

// What sim_at() runs

struct call {
    struct event due;
    void (*run)(void *);
    void *arg;
};

static void on_call_due(struct event *e) {
    struct call call = *(struct call *)e;
    kernel_free(e);
    call.run(call.arg);
}

void sim_at(int64_t delay_us, void (*run)(void *arg), void *arg) {
    struct call *call = kernel_alloc(sizeof *call);
    *call = (struct call){.due.run = on_call_due, .run = run, .arg = arg};
    event_start(&call->due, world.now_us + delay_us);
}
