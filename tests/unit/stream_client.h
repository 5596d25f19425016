// The other end of a viewer: reads what the viewer is sent.
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "chunk_reader.h"
#include "event_reader.h"
#include "fanout/channel.h"
#include "fanout/frame.h"
#include "fanout/pending.h"
#include "run_loop.h"
#include "test_sinks.h"
#include "unit.h"

struct client {
    int fd, server_fd;
    struct viewer *viewer; // if the test knows it; must not be used once it may be freed
    size_t bytes;          // received
    struct unscrambler scrambled;
    struct chunk_reader chunks;
    struct event_reader seen;
    bool ended; // the server closed it
};

// What a viewer gets first; takes the frames, of which the first is its head.
static inline struct pending *pending_with(struct frame *const *frames, uint32_t count) {
    struct pending *p = pending_new(count);
    pending_set_head(p, frames[0]);
    for (uint32_t i = 1; i < count; i++) p = pending_add(p, frames[i]);
    return p;
}

static inline struct frame *hello_frame(void) {
    return frame_of_bytes("data: hello\n\n", 13, (struct position){0});
}

static inline void client_give_credit(const struct client *c, size_t len) {
    char credit[128];
    size_t n = unscrambler_credit(len, credit);
    ssize_t sent = send(c->fd, credit, n, MSG_NOSIGNAL | MSG_DONTWAIT); // it may be closed, or half-closed
    (void)sent;
}

// Takes what was received apart, transport by transport.
static inline void client_take(struct client *c, char *bytes, size_t len) {
    char content[16384 + SCRAMBLED_MOST];
    c->bytes += len;
    if (test_is_scrambled()) {
        client_give_credit(c, len);
        len = unscrambler_feed(&c->scrambled, bytes, len, content);
        bytes = content;
    }
    if (test_framing() == SINK_CHUNKED) len = chunk_reader_feed(&c->chunks, bytes, len);
    event_reader_add(&c->seen, bytes, len);
}

// Reads up to `most` bytes that are there; returns how many.
static inline size_t client_read(struct client *c, size_t most) {
    char bytes[16384];
    size_t got = 0;
    while (got < most && !c->ended) {
        size_t want = most - got < sizeof bytes ? most - got : sizeof bytes;
        ssize_t n = recv(c->fd, bytes, want, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        c->ended = n <= 0;
        if (n <= 0) break;
        client_take(c, bytes, (size_t)n);
        got += (size_t)n;
    }
    return got;
}

// Returns event_reader_text() of all there is.
static inline const char *client_text(struct client *c) {
    client_read(c, SIZE_MAX);
    return event_reader_text(&c->seen);
}

static inline void client_wait_for_bytes(const struct client *c) {
    poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 1000 * HANG_S);
}

// Waits until the client has seen this many events, its first one included.
static inline void client_wait_for_events(struct client *c, size_t events) {
    for (client_read(c, SIZE_MAX); c->seen.count < events; client_read(c, SIZE_MAX)) {
        assert_false(c->ended);
        client_wait_for_bytes(c);
    }
}

static inline void client_wait_for_end(struct client *c) {
    for (client_read(c, SIZE_MAX); !c->ended; client_read(c, SIZE_MAX)) client_wait_for_bytes(c);
}

static inline void client_close(struct client *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    event_reader_release(&c->seen);
    buf_release(&c->chunks.size);
}
