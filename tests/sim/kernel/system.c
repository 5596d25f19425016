// What a program asks the machine for beside sockets: clocks, randomness, signals, the log, a terminal.
#include <ifaddrs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "core.h"

// base/clock.h. Outside of processes there is only the world's clock.

int64_t clock_monotonic_us(void) {
    return world.now_us + (world.self ? world.self->host->monotonic_us : 0);
}

int64_t clock_monotonic_ms(void) {
    return clock_monotonic_us() / 1000;
}

// All the time that passes while a thread runs is its own.
int64_t clock_thread_cpu_us(void) {
    return clock_monotonic_us();
}

int64_t clock_process_cpu_us(void) {
    return clock_monotonic_us();
}

int64_t clock_wall_us(void) {
    return world.now_us + (world.self ? world.self->host->wall_us : 0);
}

int64_t clock_wall_ms(void) {
    return clock_wall_us() / 1000;
}

void clock_condition_init(pthread_cond_t *condition) {
    memset(condition, 0, sizeof *condition);
}

void clock_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t due_ms) {
    pthread_mutex_unlock(lock);
    thread_wait(condition, due_ms * 1000 - world.self->host->monotonic_us);
    pthread_mutex_lock(lock);
}

// base/random.h. Before the world there is what seeds base/hash.c: one key for all runs.
bool random_bytes(void *out, size_t len) {
    unsigned char *bytes = out;
    bool is_world = world.random[0] | world.random[1];
    for (size_t i = 0; i < len; i++) bytes[i] = (unsigned char)(is_world ? sim_random(256) : 17 * i + 5);
    return true;
}

// Getpid(2): the embedded engine writes it into its lock.
pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void) {
    return 1;
}

// Getifaddrs(3): no process has networks of its own machine, whatever those are.
int __wrap_getifaddrs(struct ifaddrs **interfaces);
int __wrap_getifaddrs(struct ifaddrs **interfaces) {
    *interfaces = NULL;
    return 0;
}

// base/log.h: a line is printed with --trace.

void log_set_level(enum log_level level) {
    (void)level;
}

bool log_enabled(enum log_level level) {
    (void)level;
    return world.traced;
}

void log_set_format(enum log_format format, bool with_time) {
    (void)format, (void)with_time;
}

void log_set_format_for_stderr(enum log_format format) {
    (void)format;
}

void log_set_line_start(const char *start) {
    (void)start;
}

void log_line(enum log_level level, const char *role, const char *event, const char *format, ...) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char text[1024] = "";
    if (!world.traced) return;
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
    }
    sim_note("    %s %s %s %s", names[level], role, event, text);
}

bool log_sample(struct log_sampler *s, const char *role, unsigned per_second, int64_t now_ms) {
    (void)s, (void)role, (void)per_second, (void)now_ms;
    return world.traced;
}

void log_sampler_settle(struct log_sampler *s, const char *role, int64_t now_ms) {
    (void)s, (void)role, (void)now_ms;
}

// app/process.h

int process_take_signals(void);
void process_release_signals(int signals);
void process_take_too(int signals, int number);
int process_next_signal(int signals);
void process_take_hangup(int signals);
unsigned long process_raise_descriptor_limit(void);

int process_take_signals(void) {
    struct sock *s = kernel_alloc(sizeof *s);
    s->kind = SOCK_SIGNALS;
    int fd = sock_add(world.self, s);
    if (fd < 0) {
        kernel_free(s);
        return -1;
    }
    world.self->signals = s;
    return fd;
}

void process_release_signals(int signals) {
    struct sock *s = sock_of(signals);
    if (!s) return;
    world.self->signals = NULL;
    sock_remove(s);
    kernel_free(s);
}

void process_take_too(int signals, int number) {
    (void)signals, (void)number;
}

void process_take_hangup(int signals) {
    (void)signals;
}

int process_next_signal(int signals) {
    (void)signals;
    for (int i = 1; i < 32; i++) {
        if (!(world.self->raised & 1u << i)) continue;
        world.self->raised &= ~(1u << i);
        return i;
    }
    return 0;
}

unsigned long process_raise_descriptor_limit(void) {
    return 1 << 20;
}

// A program that does not take signals ends by them.
void signals_raise(struct sim_process *p, int number) {
    if (!p->signals) {
        sim_kill(p);
        return;
    }
    p->raised |= 1u << number;
    sock_notify(p->signals);
}

// app/start_box.h
struct system;
struct settings;
void start_box_print(const struct system *, const struct settings *, bool quiet);
void start_line_print(const struct system *, const struct settings *);

void start_box_print(const struct system *s, const struct settings *set, bool quiet) {
    (void)s, (void)set, (void)quiet;
}

void start_line_print(const struct system *s, const struct settings *set) {
    (void)s, (void)set;
}
