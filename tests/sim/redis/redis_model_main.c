// The model of Redis as a server: takes the arguments of redis-server that the tests use, and can stand in
// its place for them. What it executes is in `--dir`/effects, if there is an append-only file.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "redis_model.h"

struct options {
    int port, replica_port; // the latter: of a second server, which can become a replica of the first
    const char *bind, *dir;
    bool keeps;
};

static struct loop *loop;
static int file = -1;

static void on_signal(int number) {
    _exit(128 + number); // all is written
}

static void write_effect(void *arg, const void *bytes, size_t len) {
    (void)arg;
    if (write(file, bytes, len) != (ssize_t)len) abort();
}

// Reads what an earlier process has written.
static void load(struct redis_model *model, const char *dir) {
    char path[4096];
    char *bytes = NULL;
    size_t len = 0, room = 0;
    snprintf(path, sizeof path, "%s/effects", dir);
    file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        perror(path);
        exit(1);
    }
    for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0) {
        if (room - len < 65536) bytes = mem_realloc(bytes, room = room * 2 + 65536);
        n = read(file, bytes + len, room - len);
    }
    if (!redis_model_load(model, bytes, len)) exit(1);
    free(bytes);
    redis_model_set_file(model, write_effect, NULL);
}

// Settings of Redis that have a meaning here are given to CONFIG SET; the rest is passed over.
static void read_options(int argc, char **argv, struct options *o, struct redis_model *model) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i] + strspn(argv[i], "-"), *value = argv[i + 1];
        char command[512];
        if (!strcmp(name, "port")) {
            o->port = (int)strtol(value, NULL, 10);
        } else if (!strcmp(name, "replica-port")) {
            o->replica_port = (int)strtol(value, NULL, 10);
        } else if (!strcmp(name, "bind")) {
            o->bind = value;
        } else if (!strcmp(name, "dir")) {
            o->dir = value;
        } else if (!strcmp(name, "appendonly")) {
            o->keeps = !strcmp(value, "yes");
        } else {
            snprintf(command, sizeof command, "CONFIG SET %s \"%s\"", name, value);
            redis_model_do(model, command);
        }
    }
}

static void listen_on(const struct options *o, int port, struct redis_model *model) {
    union address address;
    if (address_parse(&address, o->bind)) {
        address_set_port(&address, port);
        if (redis_port_new(loop, &address, model)) return;
    }
    fprintf(stderr, "cannot listen on %s:%d\n", o->bind, port);
    exit(1);
}

int main(int argc, char **argv) {
    struct options o = {.port = 6379, .bind = "127.0.0.1", .dir = "."};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    loop = loop_new();
    struct redis_model *model = redis_model_new(loop, "redis");
    read_options(argc, argv, &o, model);
    if (o.keeps) load(model, o.dir);
    listen_on(&o, o.port, model);
    if (o.replica_port) listen_on(&o, o.replica_port, redis_model_new(loop, "replica"));
    return loop_run(loop) ? 1 : 0;
}
