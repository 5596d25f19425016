#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

// The PROCESS_WIDE variables (base/process_wide.h), of the process that ran last.
extern unsigned char __start_process_wide[], __stop_process_wide[];

static struct sim_process *processes;
static bool some_are_dead;
static struct sim_process *variables_of; // which process's are in place
static unsigned char *variables_at_first;

static size_t variables_size(void) {
    return (size_t)(__stop_process_wide - __start_process_wide);
}

void process_switch_variables(struct sim_process *p) {
    if (variables_of == p) return;
    if (variables_of) memcpy(variables_of->wide, __start_process_wide, variables_size());
    memcpy(__start_process_wide, p->wide, variables_size());
    variables_of = p;
}

static unsigned char *variables_new(void) {
    if (!variables_at_first) {
        variables_at_first = kernel_alloc(variables_size());
        memcpy(variables_at_first, __start_process_wide, variables_size());
    }
    return memcpy(kernel_alloc(variables_size()), variables_at_first, variables_size());
}

// Hosts

enum { HOSTS_MAX = 60000, FIRST_PORT = 32768 };

struct host *host_named(const char *name) {
    for (uint32_t i = 0; i < world.host_count; i++)
        if (!strcmp(world.hosts[i]->name, name)) return world.hosts[i];
    struct host *h = kernel_alloc(sizeof *h);
    uint32_t number = ++world.host_count;
    world.hosts = kernel_grow(world.hosts, number * sizeof(struct host *));
    world.hosts[number - 1] = h;
    snprintf(h->name, sizeof h->name, "%s", name);
    snprintf(h->address, sizeof h->address, "10.0.%u.%u", number >> 8 & 255, number & 255);
    h->number = number;
    h->next_port = FIRST_PORT;
    h->monotonic_us = (int64_t)(1000000 + sim_random(1000000000));
    h->wall_us = INT64_C(1767225600000000) + (int64_t)sim_random(1000000); // 2026
    return h;
}

struct host *host_numbered(uint32_t number) {
    return number && number <= world.host_count ? world.hosts[number - 1] : NULL;
}

struct host *host_at(const union address *a, const struct host *self) {
    if (a->any.sa_family != AF_INET) return NULL;
    uint32_t ip = ntohl(a->v4.sin_addr.s_addr);
    if (ip >> 24 == 127) return host_numbered(self->number);
    return ip >> 16 == (10u << 8) ? host_numbered(ip & 0xffff) : NULL;
}

const char *sim_address(const char *host) {
    return host_named(host)->address;
}

void sim_step_clock(const char *host, int64_t step_us) {
    host_named(host)->wall_us += step_us;
}

int64_t sim_wall_us(const char *host) {
    return world.now_us + host_named(host)->wall_us;
}

// Life

static void process_end(struct sim_process *p, bool silently) {
    if (p->state != PROCESS_ALIVE) return;
    p->state = PROCESS_DEAD;
    some_are_dead = true;
    p->host->process = NULL;
    p->host->is_up = !silently;
    threads_unlist(p);
    for (size_t fd = 0; fd < p->sock_room; fd++)
        if (p->socks[fd]) sock_abandon(p->socks[fd], silently);
    loop_forget(p);
    for (struct sim_thread *t = p->threads; t; t = t->next) {
        event_stop(&t->due);
        t->state = THREAD_ENDED;
    }
    if (world.self == p) thread_leave();
}

static void *process_run(void *arg) {
    struct sim_process *p = arg;
    p->exit_code = p->run(p->arg);
    sim_trace("ended with %d", p->exit_code);
    process_end(p, false);
    return NULL; // never reached
}

struct sim_process *sim_start(const char *host, int (*run)(void *arg), void *arg) {
    struct host *h = host_named(host);
    struct sim_process *p = kernel_alloc(sizeof *p);
    if (h->process) {
        fprintf(stderr, "chorus_sim: %s has a process already\n", host);
        abort();
    }
    *p = (struct sim_process){
        .host = h, .run = run, .arg = arg, .exit_code = -1, .sock_max = SIZE_MAX, .next = processes};
    memory_init(&p->memory);
    p->wide = variables_new();
    processes = p;
    h->process = p;
    h->is_up = true;
    sim_trace("start %s", host);
    network_host_is_back(h);
    thread_start(p, process_run, p);
    return p;
}

void sim_kill(struct sim_process *p) {
    if (p->state != PROCESS_ALIVE) return;
    sim_trace("kill %s", p->host->name);
    process_end(p, false);
}

void sim_cut_power(struct sim_process *p) {
    if (p->state != PROCESS_ALIVE) return;
    sim_trace("cut the power of %s", p->host->name);
    process_end(p, true);
}

void sim_pause(struct sim_process *p) {
    if (p->state != PROCESS_ALIVE || p->is_paused) return;
    sim_trace("pause %s", p->host->name);
    p->is_paused = true;
    threads_unlist(p);
    if (world.self == p) thread_yield();
}

void sim_continue(struct sim_process *p) {
    if (p->state != PROCESS_ALIVE || !p->is_paused) return;
    sim_trace("continue %s", p->host->name);
    p->is_paused = false;
    threads_list(p);
}

void sim_signal(struct sim_process *p, int number) {
    if (p->state != PROCESS_ALIVE) return;
    sim_trace("signal %d to %s", number, p->host->name);
    signals_raise(p, number);
}

bool sim_alive(const struct sim_process *p) {
    return p->state == PROCESS_ALIVE;
}

bool sim_paused(const struct sim_process *p) {
    return p->is_paused;
}

int sim_exit_code(const struct sim_process *p) {
    return p->state == PROCESS_ALIVE ? -1 : p->exit_code;
}

const char *sim_name(const struct sim_process *p) {
    return p->host->name;
}

struct sim_process *sim_self(void) {
    return world.self;
}

struct sim_process *sim_step_out(void) {
    struct sim_process *p = world.self;
    world.self = NULL;
    return p;
}

void sim_step_in(struct sim_process *p) {
    if (p && p->state == PROCESS_ALIVE) process_switch_variables(p);
    world.self = p;
}

struct sim_process *sim_process_on(const char *host) {
    return host_named(host)->process;
}

// The end

static void process_reap(struct sim_process *p) {
    p->state = PROCESS_REAPED;
    while (p->threads) thread_free(p->threads);
    memory_release(&p->memory);
    kernel_free(p->socks);
    p->socks = NULL;
    p->sock_room = 0;
    if (variables_of == p) variables_of = NULL;
    kernel_free(p->wide);
    p->wide = NULL;
}

void processes_reap(void) {
    if (!some_are_dead) return;
    some_are_dead = false;
    for (struct sim_process *p = processes; p; p = p->next)
        if (p->state == PROCESS_DEAD) process_reap(p);
}

void processes_release(void) {
    struct sim_process *next;
    for (struct sim_process *p = processes; p; p = p->next) process_end(p, true);
    processes_reap();
    for (; processes; processes = next) {
        next = processes->next;
        kernel_free(processes);
    }
    if (variables_at_first) memcpy(__start_process_wide, variables_at_first, variables_size());
    kernel_free(variables_at_first);
    variables_at_first = NULL;
}

// Descriptors

enum { FIRST_DESCRIPTOR = 3 };

struct sock *sock_of(int fd) {
    struct sim_process *p = world.self;
    return p && fd >= 0 && (size_t)fd < p->sock_room ? p->socks[fd] : NULL;
}

int sock_add(struct sim_process *p, struct sock *s) {
    size_t fd = FIRST_DESCRIPTOR;
    if (p->sock_count >= p->sock_max) return -EMFILE;
    while (fd < p->sock_room && p->socks[fd]) fd++;
    if (fd >= p->sock_room) {
        size_t room = p->sock_room ? p->sock_room * 2 : 64;
        p->socks = kernel_grow(p->socks, room * sizeof(struct sock *));
        memset(p->socks + p->sock_room, 0, (room - p->sock_room) * sizeof(struct sock *));
        p->sock_room = room;
    }
    p->socks[fd] = s;
    p->sock_count++;
    s->fd = (int)fd;
    s->process = p;
    return s->fd;
}

void sock_remove(struct sock *s) {
    struct sim_process *p = s->process;
    loop_unqueue(s);
    s->loop = NULL;
    s->watch = NULL;
    if (!p) return;
    p->socks[s->fd] = NULL;
    p->sock_count--;
    s->process = NULL;
    s->fd = -1;
}

void sim_limit_descriptors(struct sim_process *p, size_t left) {
    p->sock_max = left < SIZE_MAX - p->sock_count ? p->sock_count + left : SIZE_MAX;
}
