// A channel with a small ring and a crowd of viewers, set up again for each test.
#pragma once

#include "channel_rig.h"

enum { RING_FRAMES = 4, RING_BYTES = 1 << 20, CROWD = 8 };

static struct rig rig;
static struct client clients[CROWD]; // those of the test

static inline int set_up_ring(uint32_t frames, uint32_t bytes) {
    moved_clock.real = false;
    for (int i = 0; i < CROWD; i++) clients[i] = (struct client){.fd = -1};
    rig_init(&rig, frames, bytes);
    return 0;
}

static inline int set_up(void **state) {
    (void)state;
    return set_up_ring(RING_FRAMES, RING_BYTES);
}

static inline int tear_down(void **state) {
    (void)state;
    rig_release(&rig);
    for (int i = 0; i < CROWD; i++) client_close(&clients[i]);
    return 0;
}

static inline void join_crowd(int n) {
    for (int i = 0; i < n; i++) client_join(&rig, &clients[i]);
    assert_int_equal(rig.channel.viewers.count, n);
    assert_int_equal(rig.channel.viewers.ready, n);
}

static inline void assert_seen(int i, const char *text) {
    assert_string_equal(client_text(&clients[i]), text);
}

static inline void assert_all_seen(int n, const char *text) {
    for (int i = 0; i < n; i++) assert_seen(i, text);
}

static inline void assert_ring_empty(void) {
    assert_int_equal(rig.channel.ring.bytes, 0);
    assert_int_equal(rig.channel.ring.first, rig.channel.ring.next);
    assert_null(rig.channel.ring.slots);
}
