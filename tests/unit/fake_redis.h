// A Redis on the test's own loop that completes the handshake and then answers exactly the bytes that the
// test sets.
#pragma once

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "net/loop.h"

struct fake_redis_conn {
    struct fake_redis *server;
    struct loop_fd watch;
    redisReader *reader;
    bool subscribes;
    struct fake_redis_conn *next;
};

struct fake_redis {
    struct loop *loop;
    struct loop_fd listener;
    int port;
    struct fake_redis_conn *conns;
    const char *info, *script, *subscribe; // raw answers to INFO, SCRIPT LOAD, SUBSCRIBE; NULL: good ones
    const char *slots;                     // raw answer to CLUSTER
    const char *other;                     // raw answer to every other command
    unsigned asked;                        // commands answered with `other`
};

static inline void fake_redis_write(struct fake_redis_conn *c, const char *text) {
    if (c->watch.fd >= 0 && send(c->watch.fd, text, strlen(text), MSG_NOSIGNAL) < 0) return;
}

// Sends bytes to the connections that have subscribed.
static inline void fake_redis_push(struct fake_redis *s, const char *text) {
    for (struct fake_redis_conn *c = s->conns; c; c = c->next)
        if (c->subscribes) fake_redis_write(c, text);
}

static inline void fake_redis_answer_info(struct fake_redis_conn *c) {
    static const char info[] = "redis_version:7.0.0\r\nrun_id:0123456789\r\nrole:master\r\n"
                               "master_replid:0123456789012345678901234567890123456789\r\n"
                               "master_repl_offset:0\r\nserver_time_usec:1800000000000000\r\n";
    char text[sizeof info + 32];
    snprintf(text, sizeof text, "$%zu\r\n%s\r\n", sizeof info - 1, info);
    fake_redis_write(c, c->server->info ? c->server->info : text);
}

static inline void fake_redis_answer_subscribe(struct fake_redis_conn *c, const redisReply *command) {
    char text[512];
    const redisReply *word = command->element[0], *channel = command->element[1];
    c->subscribes = true;
    snprintf(text, sizeof text, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n:1\r\n", word->len,
             word->len == 10 ? "ssubscribe" : "subscribe", channel->len, channel->str);
    fake_redis_write(c, c->server->subscribe ? c->server->subscribe : text);
}

static inline void fake_redis_answer(struct fake_redis_conn *c, const redisReply *command) {
    static const char sha[] = "$40\r\n0123456789012345678901234567890123456789\r\n";
    const char *word = command->element[0]->str;
    if (!strcasecmp(word, "INFO")) {
        fake_redis_answer_info(c);
    } else if (!strcasecmp(word, "CLIENT")) {
        fake_redis_write(c, "+OK\r\n");
    } else if (!strcasecmp(word, "SCRIPT")) {
        fake_redis_write(c, c->server->script ? c->server->script : sha);
    } else if (!strcasecmp(word, "SUBSCRIBE") || !strcasecmp(word, "SSUBSCRIBE")) {
        fake_redis_answer_subscribe(c, command);
    } else if (!strcasecmp(word, "CLUSTER") && c->server->slots) {
        fake_redis_write(c, c->server->slots);
    } else {
        c->server->asked++;
        fake_redis_write(c, c->server->other);
    }
}

static inline void fake_redis_close(struct fake_redis_conn *c) {
    if (c->watch.fd < 0) return;
    int fd = c->watch.fd;
    loop_fd_remove(c->server->loop, &c->watch);
    close(fd);
    c->subscribes = false;
}

static inline void fake_redis_on_event(struct loop_fd *f, uint32_t events) {
    struct fake_redis_conn *c = container_of(f, struct fake_redis_conn, watch);
    char bytes[65536];
    void *command;
    (void)events;
    ssize_t n = recv(f->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0) {
        fake_redis_close(c);
        return;
    }
    redisReaderFeed(c->reader, bytes, (size_t)n);
    while (redisReaderGetReply(c->reader, &command) == REDIS_OK && command) {
        fake_redis_answer(c, command);
        freeReplyObject(command);
    }
}

static inline void fake_redis_on_listener(struct loop_fd *f, uint32_t events) {
    struct fake_redis *s = container_of(f, struct fake_redis, listener);
    (void)events;
    int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct fake_redis_conn *c = mem_zalloc(sizeof *c);
    *c = (struct fake_redis_conn){.server = s, .next = s->conns, .reader = redisReaderCreate()};
    c->watch = (struct loop_fd){.fd = -1, .on_event = fake_redis_on_event};
    s->conns = c;
    loop_fd_add(s->loop, &c->watch, fd, EPOLLIN);
}

static inline void fake_redis_start(struct fake_redis *s, struct loop *loop) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    *s = (struct fake_redis){.loop = loop, .listener = {.fd = -1, .on_event = fake_redis_on_listener}};
    s->other = "+OK\r\n";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    s->port = ntohs(a.sin_port);
    loop_fd_add(loop, &s->listener, fd, EPOLLIN);
}

static inline void fake_redis_stop(struct fake_redis *s) {
    int fd = s->listener.fd;
    loop_fd_remove(s->loop, &s->listener);
    close(fd);
    while (s->conns) {
        struct fake_redis_conn *c = s->conns;
        s->conns = c->next;
        fake_redis_close(c);
        redisReaderFree(c->reader);
        free(c);
    }
}
