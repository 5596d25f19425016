// What bench/instructions counts: a channel with VIEWERS viewers whose sockets always have room, and COMMENTS
// comments, flushed GATHERED at a time. Nothing here reads or waits, so that every run is the same; the
// stand-in for sendmsg() takes everything, as the C library's differs between machines.
//   instructions VIEWERS COMMENTS GATHERED      prints how many deliveries it made
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/loop.h"
#include "fanout/channel.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"

enum { COMMENT_BYTES = 290 }; // a comment of 120 bytes with its id, user and time

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    ssize_t taken = 0;
    (void)fd, (void)flags;
    for (size_t i = 0; i < msg->msg_iovlen; i++) taken += (ssize_t)msg->msg_iov[i].iov_len;
    return taken;
}

static struct pending *head(void) {
    struct pending *p = pending_new(0);
    pending_set_head(p, frame_of_bytes("hello\n\n", 7, (struct position){0}));
    return p;
}

static void join(struct channel *ch) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends)) exit(1);
    struct sink sink = sink_from_socket(ends[0], SINK_RAW);
    channel_add(ch, &sink, 0, head(), 0);
}

static void publish(struct channel *ch, unsigned number) {
    char bytes[COMMENT_BYTES];
    memset(bytes, '.', sizeof bytes);
    channel_publish(ch, frame_of_bytes(bytes, sizeof bytes, (struct position){1, number}));
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    unsigned viewers = (unsigned)atol(argv[1]), comments = (unsigned)atol(argv[2]),
             gathered = (unsigned)atol(argv[3]);
    struct loop *loop = loop_new();
    struct fan_counters counters = {0};
    struct channel_env env = {.loop = loop,
                              .bounds = {.ring_frames = 1024, .ring_bytes = 1 << 20, .heartbeat_ms = 15000}};
    struct channel channel;
    struct ledger ledger = {.counters = &counters};
    channel_init(&channel, &env, &ledger, NULL);
    for (unsigned i = 0; i < viewers; i++) join(&channel);
    for (unsigned i = 1; i <= comments; i++) {
        publish(&channel, i);
        if (i % gathered == 0) channel_flush(&channel, 0);
    }
    printf("%llu\n", counter_get(&counters.delivered));
    channel_release(&channel, FAN_END_STOPPING);
    loop_free(loop);
    return 0;
}
