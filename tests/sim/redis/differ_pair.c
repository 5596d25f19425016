#include "differ_pair.h"

#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

// Words

void words_clear(struct words *w) {
    w->argc = 0;
    w->used = 0;
}

void words_add_bytes(struct words *w, const void *bytes, size_t len) {
    if (w->argc == DIFFER_WORDS) abort();
    w->argv[w->argc] = bytes;
    w->lens[w->argc++] = len;
}

void words_add(struct words *w, const char *format, ...) {
    va_list args;
    size_t left = sizeof w->room - w->used;
    char *at = w->room + w->used;
    va_start(args, format);
    int len = vsnprintf(at, left, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= left) abort();
    w->used += (size_t)len + 1;
    words_add_bytes(w, at, (size_t)len);
}

// A copy whose words stand in its own room, as far as they do in that of the original.
static void words_copy(struct words *to, const struct words *from) {
    *to = *from;
    for (int i = 0; i < from->argc; i++)
        if (from->argv[i] >= from->room && from->argv[i] < from->room + sizeof from->room)
            to->argv[i] = to->room + (from->argv[i] - from->room);
}

static void words_print(const struct words *w) {
    for (int i = 0; i < w->argc; i++) printf(" %.*s", w->lens[i] < 300 ? (int)w->lens[i] : 300, w->argv[i]);
    printf("\n");
}

// Servers

static const char *faketime_library(void) {
    static char path[256];
    glob_t found;
    if (!path[0] && !glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &found)) {
        snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
        globfree(&found);
    }
    return path;
}

static int free_port(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0) abort();
    close(fd);
    return ntohs(a.sin_port);
}

static void set_clock(const struct pair *p) {
    char path[96], new_path[96], text[40];
    time_t s = (time_t)(p->now_us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(path, sizeof path, "%s/clock", p->folder);
    snprintf(new_path, sizeof new_path, "%s/clock.new", p->folder);
    FILE *f = fopen(new_path, "w");
    if (!f || fprintf(f, "%s.%06d\n", text, (int)(p->now_us % 1000000)) < 0 || fclose(f) ||
        rename(new_path, path))
        abort();
}

void pair_pass(struct pair *p, int64_t us) {
    p->now_us += us;
    set_clock(p);
}

static pid_t start_server(const struct pair *p, const char *program, int port, int replica_port) {
    char preload[300], clock[96], text[8], replica_text[8];
    pid_t pid = fork();
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(preload, sizeof preload, "%s:libc.so.6", faketime_library());
    snprintf(clock, sizeof clock, "%s/clock", p->folder);
    snprintf(text, sizeof text, "%d", port);
    snprintf(replica_text, sizeof replica_text, "%d", replica_port);
    setenv("LD_PRELOAD", preload, 1);
    setenv("FAKETIME_TIMESTAMP_FILE", clock, 1);
    setenv("FAKETIME_NO_CACHE", "1", 1);
    setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
    setenv("DONT_FAKE_MONOTONIC", "1", 1);
    setenv("TZ", "UTC", 1);
    if (!freopen("/dev/null", "w", stdout)) _exit(1);
    if (replica_port) execlp(program, program, "--port", text, "--replica-port", replica_text, (char *)NULL);
    execlp(program, program, "--port", text, "--bind", "127.0.0.1", "--save", "", "--dir", p->folder,
           "--repl-diskless-sync-delay", "0", (char *)NULL);
    _exit(127);
}

static redisContext *connect_to(int port) {
    for (int i = 0; i < 2000; i++) {
        redisContext *c = redisConnectWithTimeout("127.0.0.1", port, (struct timeval){.tv_sec = 10});
        redisReply *pong = c && !c->err ? redisCommand(c, "PING") : NULL;
        if (pong) {
            freeReplyObject(pong);
            redisSetTimeout(c, (struct timeval){.tv_sec = 30});
            return c;
        }
        if (c) redisFree(c);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fputs("a server does not start\n", stderr);
    exit(1);
}

static void peer_connect(struct peer *e) {
    e->commands = connect_to(e->port);
    e->replica = connect_to(e->replica_port);
    for (int s = 0; s < DIFFER_SUBSCRIBERS; s++) e->subscribers[s] = connect_to(e->port);
    e->replica_subscriber = connect_to(e->replica_port);
}

// Returns whether it has begun to listen; it has ended otherwise.
static bool has_started(pid_t pid, int port) {
    while (!waitpid(pid, NULL, WNOHANG)) {
        redisContext *c = redisConnect("127.0.0.1", port);
        bool connected = c && !c->err;
        if (c) redisFree(c);
        if (connected) return true;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return false;
}

// A port that was free may be taken by another program meanwhile: tries others then.
static pid_t launch(const struct pair *p, const char *program, int *port, int *replica_port) {
    for (int tries = 0; tries < 10; tries++) {
        *port = free_port();
        if (replica_port) *replica_port = free_port();
        pid_t pid = start_server(p, program, *port, replica_port ? *replica_port : 0);
        if (has_started(pid, *port)) return pid;
    }
    fprintf(stderr, "%s does not start\n", program);
    exit(1);
}

void pair_start(struct pair *p, const char *redis, const char *model, int64_t now_us) {
    snprintf(p->folder, sizeof p->folder, "/tmp/chorus-differ-XXXXXX");
    if (!mkdtemp(p->folder)) abort();
    p->now_us = now_us;
    set_clock(p);
    for (int i = 0; i < 2; i++) {
        struct peer *e = &p->peers[i];
        e->name = i ? "model" : "redis";
        e->pid = launch(p, i ? model : redis, &e->port, i ? &e->replica_port : NULL);
        if (!i) e->replica_pid = launch(p, redis, &e->replica_port, NULL);
    }
    for (int i = 0; i < 2; i++) peer_connect(&p->peers[i]);
    for (int i = 0; i < 2; i++) { // both
        pair_share_ids(p);
        pair_use_replicas(p, true);
    }
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw) {
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void stop_server(pid_t pid) {
    if (!pid) return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void pair_stop(struct pair *p) {
    for (int i = 0; i < 2; i++) {
        struct peer *e = &p->peers[i];
        redisFree(e->commands);
        redisFree(e->replica);
        for (int s = 0; s < DIFFER_SUBSCRIBERS; s++) redisFree(e->subscribers[s]);
        redisFree(e->replica_subscriber);
        stop_server(e->pid);
        stop_server(e->replica_pid);
    }
    nftw(p->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void pair_use_replicas(struct pair *p, bool replicas) {
    (void)replicas; // they change places
    for (int i = 0; i < 2; i++) {
        struct peer *e = &p->peers[i];
        redisContext *c = e->commands;
        e->commands = e->replica;
        e->replica = c;
    }
}

// Replies as text

static void text_add(struct buf *b, const redisReply *r, int depth);

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void text_add_groups(struct buf *b, const redisReply *r, size_t size, int depth) {
    size_t count = r->elements / size;
    char **texts = calloc(count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        struct buf one = {0};
        size_t len;
        for (size_t n = 0; n < size; n++) text_add(&one, r->element[i * size + n], depth + 1);
        buf_add(&one, "", 1);
        texts[i] = buf_steal(&one, &len);
    }
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        buf_add_string(b, texts[i]);
        free(texts[i]);
    }
    free(texts);
}

static void text_add(struct buf *b, const redisReply *r, int depth) {
    if (!r) {
        buf_add_string(b, "disconnected\n");
        return;
    }
    buf_printf(b, "%*s", 2 * depth, "");
    switch (r->type) {
    case REDIS_REPLY_STRING: buf_add_string(b, "\""); break;
    case REDIS_REPLY_STATUS: buf_add_string(b, "+"); break;
    case REDIS_REPLY_ERROR: buf_add_string(b, "-"); break;
    case REDIS_REPLY_INTEGER: buf_printf(b, ":%lld", r->integer); break;
    case REDIS_REPLY_NIL: buf_add_string(b, "nil"); break;
    default: buf_printf(b, "*%zu", r->elements); break;
    }
    for (int i = 0; r->str && i < (int)r->len; i++)
        buf_printf(b, r->str[i] && (unsigned char)r->str[i] < 128 ? "%c" : "\\%02x",
                   (unsigned char)r->str[i]);
    buf_add_string(b, "\n");
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
        text_add(b, r->element[i], depth + 1);
}

static void text_of(struct buf *b, const redisReply *r, enum differ_shape shape) {
    bool list = r && r->type == REDIS_REPLY_ARRAY;
    size_t group = shape == DIFFER_ORDER ? 1 : shape == DIFFER_ORDER_2 ? 2 : shape == DIFFER_ORDER_8 ? 8 : 0;
    buf_clear(b);
    if (r && shape == DIFFER_VALUE && r->type != REDIS_REPLY_ERROR)
        buf_printf(b, "type %d\n", r->type);
    else if (list && shape == DIFFER_REST)
        text_add(b, r->elements ? r->element[0] : NULL, 0);
    else if (list && group)
        text_add_groups(b, r, group, 0);
    else
        text_add(b, r, 0);
    buf_add(b, "", 1);
}

static void fail(struct pair *p, const char *what, const struct words *w, struct buf texts[2]) {
    printf("DIFFERENT after %" PRIu64 " commands, %s:", p->commands, what);
    if (w) words_print(w);
    for (int i = 0; i < 2; i++) printf("%s:\n%s", p->peers[i].name, texts[i].data);
    pair_stop(p);
    exit(1);
}

// Commands

void pair_send(struct pair *p, const struct words *w, enum differ_shape shape) {
    if (p->pending == DIFFER_PIPELINE) pair_compare(p);
    words_copy(&p->sent[p->pending].words, w);
    p->sent[p->pending++].shape = shape;
    for (int i = 0; i < 2; i++)
        redisAppendCommandArgv(p->peers[i].commands, w->argc, (const char **)w->argv, w->lens);
}

static redisReply *next_reply(redisContext *c) {
    void *reply = NULL;
    return redisGetReply(c, &reply) == REDIS_OK ? reply : NULL;
}

void pair_compare(struct pair *p) {
    struct buf texts[2] = {{0}, {0}};
    for (int n = 0; n < p->pending; n++) {
        for (int i = 0; i < 2; i++) {
            redisReply *r = next_reply(p->peers[i].commands);
            text_of(&texts[i], r, p->sent[n].shape);
            if (r) freeReplyObject(r);
        }
        p->commands++;
        p->errors += texts[0].data[0] == '-';
        if (strcmp(texts[0].data, texts[1].data) != 0) fail(p, "reply to", &p->sent[n].words, texts);
    }
    if (p->pending) snprintf(p->last, sizeof p->last, "%s", texts[1].data);
    p->pending = 0;
    for (int i = 0; i < 2; i++) buf_release(&texts[i]);
}

const char *pair_ask(struct pair *p, const struct words *w, enum differ_shape shape) {
    pair_send(p, w, shape);
    pair_compare(p);
    return p->last;
}

const char *pair_say(struct pair *p, enum differ_shape shape, const char *format, ...) {
    static struct words w;
    char text[512], *rest = text;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    words_clear(&w);
    for (char *word; (word = strsep(&rest, " "));) words_add(&w, "%s", word);
    return pair_ask(p, &w, shape);
}

// Asks one server, without comparing. The caller frees the reply.
static redisReply *peer_ask(struct peer *e, const char *command) {
    return redisCommand(e->commands, command);
}

static void read_id(struct peer *e, const char *command, const char *field, char id[41]) {
    redisReply *r = peer_ask(e, command);
    const char *at = r && r->str ? strstr(r->str, field) : NULL;
    snprintf(id, 41, "%.40s", at ? at + strlen(field) : "");
    if (r) freeReplyObject(r);
}

static void share_id(struct pair *p, const char *command, const char *field, const char *setting) {
    char ids[2][41], set[96];
    for (int i = 0; i < 2; i++) read_id(&p->peers[i], command, field, ids[i]);
    if (!strcmp(ids[0], ids[1])) return;
    snprintf(set, sizeof set, "CONFIG SET %s %s", setting, ids[0]);
    redisReply *r = peer_ask(&p->peers[1], set);
    if (!r || r->type == REDIS_REPLY_ERROR) abort();
    freeReplyObject(r);
}

void pair_share_ids(struct pair *p) {
    share_id(p, "INFO replication", "master_replid:", "model-replid");
    share_id(p, "INFO server", "run_id:", "model-run-id");
}

void pair_await(struct pair *p, const char *command, const char *reply) {
    for (int i = 0; i < 2; i++) {
        bool found = false;
        for (int tries = 0; !found && tries < 4000; tries++) {
            redisReply *r = peer_ask(&p->peers[i], command);
            found = r && r->str && strstr(r->str, reply);
            if (r) freeReplyObject(r);
            if (!found) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        if (found) continue;
        printf("%s does not come to reply %s to %s\n", p->peers[i].name, reply, command);
        pair_stop(p);
        exit(1);
    }
}

// Subscribers

void pair_subscriber_send(struct pair *p, int s, const struct words *w) {
    for (int i = 0; i < 2; i++)
        redisAppendCommandArgv(p->peers[i].subscribers[s], w->argc, (const char **)w->argv, w->lens);
}

static bool is_pong(const redisReply *r) {
    const redisReply *last = r->type == REDIS_REPLY_ARRAY && r->elements == 2 ? r->element[1] : r;
    return last->str && !strcmp(last->str, "so-far");
}

// Adds what one has received, up to the answer to a PING. Returns false if it was disconnected.
static bool receive_all(struct pair *p, redisContext *c, struct buf *b) {
    redisAppendCommand(c, "PING so-far");
    for (;;) {
        redisReply *r = next_reply(c);
        if (!r) return false;
        bool over = is_pong(r);
        if (!over) text_add(b, r, 0);
        p->messages += !over && b;
        freeReplyObject(r);
        if (over) return true;
    }
}

// Compares what two subscribers have received, each of one server.
static void listen_to(struct pair *p, const int ports[2], redisContext **real, redisContext **model) {
    redisContext **const subscribers[] = {real, model};
    struct buf texts[2] = {{0}, {0}};
    bool connected[2];
    for (int i = 0; i < 2; i++) {
        connected[i] = receive_all(p, *subscribers[i], &texts[i]);
        if (!connected[i]) buf_add_string(&texts[i], "disconnected\n");
        buf_add(&texts[i], "", 1);
    }
    if (strcmp(texts[0].data, texts[1].data) != 0) fail(p, "messages", NULL, texts);
    for (int i = 0; i < 2 && !connected[0]; i++) {
        redisFree(*subscribers[i]);
        *subscribers[i] = connect_to(ports[i]);
    }
    p->kicks += !connected[0];
    for (int i = 0; i < 2; i++) buf_release(&texts[i]);
}

void pair_listen(struct pair *p) {
    const int ports[] = {p->peers[0].port, p->peers[1].port};
    for (int s = 0; s < DIFFER_SUBSCRIBERS; s++)
        listen_to(p, ports, &p->peers[0].subscribers[s], &p->peers[1].subscribers[s]);
}

void pair_listen_to_replicas(struct pair *p) {
    const int ports[] = {p->peers[0].replica_port, p->peers[1].replica_port};
    listen_to(p, ports, &p->peers[0].replica_subscriber, &p->peers[1].replica_subscriber);
}

void pair_subscribe_at_replicas(struct pair *p, const char *command) {
    for (int i = 0; i < 2; i++) redisAppendCommand(p->peers[i].replica_subscriber, command);
    pair_listen_to_replicas(p);
}
