// A redis-server of the test's own, on a free port, that keeps nothing and ends with the test.
#pragma once

#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct redis_server {
    pid_t pid;
    int port;
    const char *folder; // keeps an append-only file there, written through; NULL: keeps nothing
    int bus_port;       // of a Cluster's, which has a folder; 0: it is none
};

static inline int redis_free_port(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0) abort();
    close(fd);
    return ntohs(a.sin_port);
}

// A command of its own connection; NULL: the server does not answer. The caller frees the reply.
static inline redisReply *redis_server_ask(const struct redis_server *s, const char *command) {
    redisContext *c = redisConnect("127.0.0.1", s->port);
    redisReply *reply = c && !c->err ? redisCommand(c, command) : NULL;
    if (c) redisFree(c);
    return reply;
}

static inline bool redis_server_tell(const struct redis_server *s, const char *command) {
    redisReply *reply = redis_server_ask(s, command);
    bool ok = reply && reply->type != REDIS_REPLY_ERROR;
    if (reply) freeReplyObject(reply);
    return ok;
}

// Returns how often a command has been called, within scripts as well.
static inline int64_t redis_server_calls(const struct redis_server *s, const char *command) {
    char line[64];
    redisReply *info = redis_server_ask(s, "INFO commandstats");
    if (!info) abort();
    snprintf(line, sizeof line, "cmdstat_%s:calls=", command);
    const char *at = strstr(info->str, line);
    int64_t calls = at ? strtoll(at + strlen(line), NULL, 10) : 0;
    freeReplyObject(info);
    return calls;
}

static inline void redis_server_start(struct redis_server *s) {
    char port[8], bus_port[8];
    snprintf(bus_port, sizeof bus_port, "%d", s->bus_port);
    if (!s->port) s->port = redis_free_port();
    snprintf(port, sizeof port, "%d", s->port);
    s->pid = fork();
    if (!s->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!freopen("/dev/null", "w", stdout)) _exit(1);
        execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
               "--appendonly", s->folder ? "yes" : "no", "--appendfsync", "always", "--dir",
               s->folder ? s->folder : "/tmp", "--cluster-enabled", s->bus_port ? "yes" : "no",
               "--cluster-port", bus_port, "--cluster-require-full-coverage", "no", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 1000; i++) {
        if (redis_server_tell(s, "PING")) return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fputs("redis-server does not start; is it installed?\n", stderr);
    abort();
}

static inline void redis_server_stop(struct redis_server *s) {
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}
