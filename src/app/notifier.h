// Reports to the service manager that started the process, if it wants that: systemd does for Type=notify,
// and names a socket in NOTIFY_SOCKET. The messages are those of sd_notify(3) and sd_watchdog_enabled(3), a
// stable protocol of text in datagrams, for which the manual page asks no library. Control loop only; nothing
// blocks.
//
// - READY=1 once the loop runs with the ports open: from then on requests are answered, if only with 503 as
//   long as the store is away. STATUS= says so, within a second.
// - WATCHDOG=1 in half of WATCHDOG_USEC, from the loop: a process whose loop hangs is ended, and started
//   again.
#pragma once

struct notifier;
struct system;

// To be called before system_run(). Returns NULL if no service manager wants reports; then the calls below do
// nothing.
struct notifier *notifier_start(struct system *);

// Settings are about to be read again, and have been.
void notifier_reloading(struct notifier *);
void notifier_reloaded(struct notifier *);

// Reports STOPPING=1. To be called before the system is freed.
void notifier_free(struct notifier *);
