// A channel with a loop that the test runs, and its viewers' clients. Comments are numbered 1-1, 1-2, ...
#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include "entries.h"
#include "limited_send.h"
#include "net/loop.h"
#include "fanout/channel.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "run_loop.h"
#include "socket_pairs.h"
#include "stream_client.h"
#include "unit.h"

enum { RIG_HEARTBEAT_MS = 15000, RIG_STALL_MS = 30000, DRAIN_TRIES = 20000 };

struct rig {
    struct loop *loop;
    struct fan_counters counters;
    struct ledger ledger;
    struct channel_env env;
    struct channel channel;
    uint64_t newest; // number of the last comment
    uint8_t asks;    // kinds of moments that joining viewers ask for
    int64_t ends_ms; // when the streams of joining viewers end; 0: not by themselves
};

static inline void rig_init(struct rig *rig, uint32_t ring_frames, uint32_t ring_bytes) {
    *rig = (struct rig){.loop = loop_new()};
    rig->env = (struct channel_env){.loop = rig->loop,
                                    .bounds = {.ring_frames = ring_frames,
                                               .ring_bytes = ring_bytes,
                                               .heartbeat_ms = RIG_HEARTBEAT_MS,
                                               .stall_ms = RIG_STALL_MS}};
    rig->ledger.counters = &rig->counters;
    channel_init(&rig->channel, &rig->env, &rig->ledger, NULL);
    limited_send_reset();
}

static inline void rig_release(struct rig *rig) {
    channel_release(&rig->channel, FAN_END_STOPPING);
    loop_free(rig->loop);
}

static inline void rig_publish(struct rig *rig, size_t padding_bytes) {
    channel_publish(&rig->channel, padded_frame(1, ++rig->newest, padding_bytes));
}

static inline void rig_publish_frame(struct rig *rig, struct frame *f) {
    channel_publish(&rig->channel, f);
}

static inline void rig_flush(struct rig *rig) {
    channel_flush(&rig->channel, loop_now_ms(rig->loop));
}

static inline void rig_sweep_later(struct rig *rig, int64_t ms) {
    run_later(rig->loop, ms);
    channel_sweep(&rig->channel, loop_now_ms(rig->loop));
    channels_close_stalled(&rig->env, loop_now_ms(rig->loop), UINT32_MAX);
    channel_sweep(&rig->channel, loop_now_ms(rig->loop));
    rig_flush(rig); // as a worker does, for the heartbeat
}

// Publishes and flushes each comment by itself.
static inline void rig_send_run(struct rig *rig, unsigned comments, size_t padding_bytes) {
    while (comments--) {
        rig_publish(rig, padding_bytes);
        rig_flush(rig);
    }
}

// Reads the ledger, with what the channel adds to it with its next flush or sweep.
static inline void rig_ledger(struct rig *rig, uint64_t parts[LEDGER_PARTS]) {
    ledger_read(&rig->ledger, parts);
    parts[LEDGER_DELIVERED] += rig->channel.delivered;
}

// Runs turns of the loop, and at the end of each serves the viewers that are behind, as a worker does.
static inline void rig_turns(struct rig *rig, unsigned turns) {
    for (; turns; turns--) {
        run_turns(rig->loop, 1);
        channels_send_behind(&rig->env, loop_now_ms(rig->loop), UINT32_MAX);
    }
}

static inline struct viewer *viewer_with(const struct rig *rig, int server_fd) {
    for (uint32_t i = 0; i < rig->channel.viewers.count; i++)
        if (rig->channel.viewers.at[i]->watch.fd == server_fd) return rig->channel.viewers.at[i];
    return NULL;
}

// Joins with these sockets and first frames (taken).
static inline void client_join_with(struct rig *rig, struct client *c, struct socket_pair sockets,
                                    struct pending *pending) {
    *c = (struct client){.fd = sockets.client, .server_fd = sockets.server};
    struct sink sink = test_sink(sockets.server);
    sink.ends_ms = rig->ends_ms;
    channel_add(&rig->channel, &sink, rig->asks, pending, loop_now_ms(rig->loop));
    c->viewer = viewer_with(rig, sockets.server);
}

// Joins over a socketpair with the head alone.
static inline void client_join(struct rig *rig, struct client *c) {
    struct frame *head = hello_frame();
    client_join_with(rig, c, socket_pair_open(SOCKETPAIR, 0), pending_with(&head, 1));
}

// Reads, with turns of the loop in between, until the viewer is up to date and `wanted` is the end of what
// client_text(). TCP may need some time.
static inline void client_drain(struct rig *rig, struct client *c, const char *wanted) {
    for (int tries = 0;; tries++) {
        const char *text = client_text(c);
        size_t len = strlen(text), wanted_len = strlen(wanted);
        bool there = len >= wanted_len && !strcmp(text + len - wanted_len, wanted);
        if (there && c->viewer->slot < rig->channel.viewers.ready) break;
        if (tries == DRAIN_TRIES) fail_msg("`%s` never comes: %s", wanted, text);
        poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 1);
        rig_turns(rig, 1);
    }
}

// The viewer's socket accepts this many bytes more, and then blocks.
static inline void client_room(const struct client *c, long bytes) {
    limited_send_room(c->server_fd, bytes);
}

// As above, and the loop hears of it: arming a descriptor again reports again that it is writable.
static inline void client_room_again(struct rig *rig, const struct client *c, long bytes) {
    client_room(c, bytes);
    loop_fd_change(rig->loop, &c->viewer->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    rig_turns(rig, 1);
}
