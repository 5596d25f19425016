// A connection: commands in, replies and messages out.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "redis_model_server.h"

enum { READ_BYTES = 1 << 14, READS_A_TURN = 16 };

static void model_client_at_turn_end(struct model_client *c) {
    if (c->ends_queued || !c->server) return;
    c->ends_queued = true;
    loop_defer(c->loop, &c->turn_end);
}

static void model_client_write(struct model_client *c) {
    while (c->out.len && c->stream.writable) {
        ssize_t n = stream_write(&c->stream, c->out.data, c->out.len);
        if (n > 0) buf_consume(&c->out, (size_t)n);
    }
    if (c->stream.broken || (c->closes && !c->out.len)) model_client_close(c);
}

static void on_model_client_turn_end(struct loop_job *job) {
    struct model_client *c = container_of(job, struct model_client, turn_end);
    c->ends_queued = false;
    if (c->server && !c->server->frozen) model_client_write(c);
}

// Redis limits the output of subscribers only; that of others may grow.
static bool model_client_is_over(struct model_client *c) {
    const struct model_limits *l = &c->server->limits;
    int64_t now_ms = clock_monotonic_ms();
    if (l->hard && c->out.len > l->hard) return true;
    if (!l->soft || c->out.len <= l->soft) {
        c->over_soft_ms = 0;
        return false;
    }
    if (!c->over_soft_ms) c->over_soft_ms = now_ms;
    return now_ms - c->over_soft_ms > l->soft_ms;
}

void model_client_flush(struct model_client *c) {
    if (c->subscribed_count && model_client_is_over(c)) {
        buf_clear(&c->out);
        c->closes = true;
    }
    model_client_at_turn_end(c);
}

// Whether the command waits for the end of a pause.
static bool model_client_is_paused(const struct model_client *c, int argc, const struct model_bytes *argv) {
    const struct redis_model *m = c->server;
    if (clock_monotonic_ms() >= m->pause_until_ms) return false;
    const struct model_command *command = model_command_find(argc, argv);
    unsigned flags = command ? model_script_flags(c->server, command, argc, argv) : 0;
    return m->pauses_all || (flags & (MODEL_WRITE | MODEL_MAY_REPLICATE));
}

// Returns false if the command has to wait.
static bool model_client_take(struct model_client *c, const redisReply *words) {
    struct model_bytes *argv = mem_alloc((words->elements + 1) * sizeof *argv);
    for (size_t i = 0; i < words->elements; i++)
        argv[i] = (struct model_bytes){words->element[i]->str, (size_t)words->element[i]->len};
    bool waits = words->elements && model_client_is_paused(c, (int)words->elements, argv);
    if (!waits && words->elements) model_client_execute(c, (int)words->elements, argv);
    free(argv);
    if (!waits && c->server) model_client_flush(c);
    return !waits;
}

static bool model_is_command(const redisReply *words) {
    if (words->type != REDIS_REPLY_ARRAY) return false;
    for (size_t i = 0; i < words->elements; i++)
        if (words->element[i]->type != REDIS_REPLY_STRING) return false;
    return true;
}

// Executes the commands that have been read completely.
static void model_client_take_all(struct model_client *c) {
    void *words = c->held;
    c->held = NULL;
    while (c->server && !c->closes) {
        if (!words && (redisReaderGetReply(c->reader, &words) != REDIS_OK)) {
            model_client_close(c);
            return;
        }
        if (!words) return;
        if (!model_is_command(words)) {
            freeReplyObject(words);
            model_client_close(c);
            return;
        }
        if (!model_client_take(c, words)) {
            c->held = words;
            return;
        }
        freeReplyObject(words);
        words = NULL;
    }
    if (words) freeReplyObject(words);
}

static void model_client_read(struct model_client *c) {
    char bytes[READ_BYTES];
    for (int i = 0; i < READS_A_TURN && c->server && !c->held && !c->closes && c->stream.readable; i++) {
        ssize_t n = stream_read(&c->stream, bytes, sizeof bytes);
        if (n == -EAGAIN) break;
        if (n <= 0) {
            model_client_close(c);
            return;
        }
        if (redisReaderFeed(c->reader, bytes, (size_t)n) == REDIS_OK) model_client_take_all(c);
    }
    if (c->server && !c->held && !c->closes && c->stream.readable) stream_ready_again(&c->stream);
}

static void on_model_client_stream(struct stream *s) {
    struct model_client *c = container_of(s, struct model_client, stream);
    if (!c->server || c->server->frozen) return;
    model_client_write(c);
    if (c->server) model_client_read(c);
}

void model_client_go_on(struct model_client *c) {
    model_client_take_all(c);
    if (!c->server) return;
    model_client_at_turn_end(c);
    if (c->stream.readable) stream_ready_again(&c->stream);
}

void model_client_accept(struct redis_model *m, struct redis_port *port, int fd) {
    struct model_client *c = mem_zalloc(sizeof *c);
    stream_init(&c->stream, &stream_tcp, m->loop, on_model_client_stream);
    if (stream_accept(&c->stream, fd) < 0) {
        free(c);
        return;
    }
    c->server = m;
    c->port = port;
    c->loop = m->loop;
    c->id = ++m->last_client_id;
    m->connections++;
    c->name = mem_strdup("");
    c->user = m->users->password ? NULL : m->users;
    c->turn_end.run = on_model_client_turn_end;
    c->reader = redisReaderCreate();
    if (!c->reader) mem_abort("a Redis reader");
    DL_APPEND(m->clients, c);
}

static void on_model_client_reap(struct loop_job *job) {
    struct model_client *c = container_of(job, struct model_client, reap);
    redisReaderFree(c->reader);
    if (c->held) freeReplyObject(c->held);
    buf_release(&c->out);
    free(c->subscribed);
    free(c->name);
    free(c);
}

void model_client_close(struct model_client *c) {
    if (!c->server) return;
    model_unsubscribe_all(c);
    DL_DELETE(c->server->clients, c);
    c->server = NULL;
    stream_close(&c->stream);
    c->reap.run = on_model_client_reap;
    loop_defer(c->loop, &c->reap);
}
