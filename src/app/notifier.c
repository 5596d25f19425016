#include "notifier.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/sock.h"
#include "system.h"

enum { STATUS_MS = 1000, STATUS_MAX = 512 };

struct notifier {
    struct system *system;
    const char *socket; // of the environment
    struct loop_timer timer;
    int64_t every_ms;
    bool has_watchdog, announced, failed;
    char status[STATUS_MAX]; // the last one
};

// Returns false if the manager has no room for a message right now.
__attribute__((format(printf, 2, 3))) static bool notifier_send(struct notifier *n, const char *format, ...) {
    char message[STATUS_MAX + 64];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    int error = sock_send_datagram(n->socket, message, (size_t)len);
    if (error && error != -EAGAIN && !n->failed)
        log_warn("chorus", "not_notified", "socket=%s error=\"%s\"", n->socket, strerror(-error));
    n->failed = error && error != -EAGAIN; // reported once
    return !error;
}

// What could not be sent is sent when the timer is due again.
static void notifier_send_status(struct notifier *n) {
    char status[STATUS_MAX];
    const char *why = system_trouble(n->system);
    snprintf(status, sizeof status, "%s%s", why ? "Degraded: " : "Ready.", why ? why : "");
    if (n->announced && !strcmp(status, n->status)) return;
    if (!notifier_send(n, "%sSTATUS=%s", n->announced ? "" : "READY=1\n", status)) return;
    n->announced = true;
    memcpy(n->status, status, sizeof status);
}

static void on_notifier_due(struct loop_timer *t) {
    struct notifier *n = container_of(t, struct notifier, timer);
    notifier_send_status(n);
    if (n->has_watchdog) notifier_send(n, "WATCHDOG=1");
    loop_timer_start(system_loop(n->system), t, n->every_ms);
}

// Returns in what time a keep-alive is due, or 0 if none is wanted of this process.
static int64_t watchdog_ms(void) {
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid())) return 0;
    long long us = strtoll(usec, NULL, 10);
    return us > 0 ? us / 1000 : 0;
}

struct notifier *notifier_start(struct system *s) {
    const char *socket = getenv("NOTIFY_SOCKET");
    if (!socket || (*socket != '/' && *socket != '@')) return NULL;
    struct notifier *n = mem_zalloc(sizeof *n);
    int64_t within_ms = watchdog_ms();
    n->system = s;
    n->socket = socket;
    n->has_watchdog = within_ms > 0;
    n->every_ms = within_ms > 1 && within_ms < 2 * STATUS_MS ? within_ms / 2 : STATUS_MS;
    n->timer.on_due = on_notifier_due;
    loop_timer_start(system_loop(s), &n->timer, 0);
    return n;
}

void notifier_reloading(struct notifier *n) {
    if (n) notifier_send(n, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_us());
}

void notifier_reloaded(struct notifier *n) {
    if (!n) return;
    n->announced = false;
    notifier_send_status(n);
}

void notifier_free(struct notifier *n) {
    if (!n) return;
    notifier_send(n, "STOPPING=1\nSTATUS=Stopping.");
    loop_timer_stop(system_loop(n->system), &n->timer);
    free(n);
}
