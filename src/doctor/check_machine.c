#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/redis_facts.h"
#include "machine.h"

enum {
    LISTEN_BACKLOG = 4096, // what each port asks for (net/sock.c)
    OWN_DESCRIPTORS = 256, // logs, the store, loops, calls between services
    VIEWERS_AT_LEAST = 10000,
    SKEW_MS = 1000,
    MB = 1 << 20
};
#define DISK_PLENTY INT64_C(10000000000)

void check_descriptors(const struct doctor_config *c, const struct machine *m, struct doctor_report *r) {
    static const char check[] = "descriptors";
    int64_t connections = c->max_connections * (int64_t)c->ports, needed = connections + OWN_DESCRIPTORS;
    int64_t left = m->descriptors - needed;
    char remedy[256];
    snprintf(remedy, sizeof remedy,
             "Raise the limit to %" PRId64
             " and a descriptor for each viewer (LimitNOFILE=1048576 in a unit, nofile "
             "in Compose, ulimit -n), or lower --max-connections.",
             needed);
    if (left < 0)
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "The process may have %" PRId64 " descriptors; %zu ports with --max-connections %" PRId64
                   " alone may need %" PRId64 ".",
                   m->descriptors, c->ports, c->max_connections, connections);
    else if (c->has_streams && left < VIEWERS_AT_LEAST && !c->own_descriptors)
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "The process may have %" PRId64 " descriptors, which leaves %" PRId64
                   " for viewers beside --max-connections.",
                   m->descriptors, left);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "The process may have %" PRId64 " descriptors%s.",
                   m->descriptors, c->own_descriptors ? ", and each fan-out thread as many" : "");
}

void check_backlog(const struct machine *m, struct doctor_report *r) {
    static const char check[] = "backlog";
    if (m->somaxconn == MACHINE_UNKNOWN || m->syn_backlog == MACHINE_UNKNOWN)
        doctor_add(r, check, DOCTOR_UNKNOWN,
                   "Look at net.core.somaxconn and net.ipv4.tcp_max_syn_backlog on the host.",
                   "The kernel's settings cannot be read here.");
    else if (m->somaxconn < LISTEN_BACKLOG)
        doctor_add(r, check, DOCTOR_WARNING, "sysctl -w net.core.somaxconn=4096 (sysctls in Compose)",
                   "net.core.somaxconn is %" PRId64
                   ": so few connections wait while a burst is accepted; each port asks for %d.",
                   m->somaxconn, LISTEN_BACKLOG);
    else if (m->syncookies == 0)
        doctor_add(r, check, DOCTOR_WARNING, "sysctl -w net.ipv4.tcp_syncookies=1",
                   "net.ipv4.tcp_syncookies is 0: a flood of half-open connections keeps others out.");
    else if (m->syn_backlog < LISTEN_BACKLOG)
        doctor_add(r, check, DOCTOR_WARNING, "sysctl -w net.ipv4.tcp_max_syn_backlog=4096",
                   "net.ipv4.tcp_max_syn_backlog is %" PRId64
                   ": a burst of viewers falls back on SYN cookies.",
                   m->syn_backlog);
    else
        doctor_add(r, check, DOCTOR_OK, NULL,
                   "net.core.somaxconn is %" PRId64 ", net.ipv4.tcp_max_syn_backlog %" PRId64 ".",
                   m->somaxconn, m->syn_backlog);
}

void check_conntrack(const struct doctor_config *c, const struct machine *m, struct doctor_report *r) {
    static const char check[] = "conntrack";
    int64_t wanted = 2 * c->max_connections * (int64_t)c->ports;
    if (wanted < 65536) wanted = 65536;
    if (m->tracked_max == MACHINE_UNKNOWN)
        doctor_add(r, check, DOCTOR_OK, NULL, "netfilter tracks no connections here.");
    else if (m->tracked_max < wanted || m->tracked > m->tracked_max / 10 * 8)
        doctor_add(r, check, DOCTOR_WARNING,
                   "sysctl -w net.netfilter.nf_conntrack_max=1048576, or exempt the ports (notrack)",
                   "netfilter tracks %" PRId64 " connections, and %" PRId64
                   " at most; a full table drops new ones without a word.",
                   m->tracked, m->tracked_max);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "netfilter tracks %" PRId64 " connections of %" PRId64 ".",
                   m->tracked, m->tracked_max);
}

void check_clock(const struct machine *m, const struct redis_facts *redis, struct doctor_report *r) {
    static const char check[] = "clock", remedy[] = "Let chrony or systemd-timesyncd keep it.";
    bool is_asked = redis && redis->answers;
    if (is_asked && llabs(redis->ahead_ms) > SKEW_MS)
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "The clock of Redis is %" PRId64
                   " ms %s this machine's: tokens and times of comments differ by that.",
                   (int64_t)llabs(redis->ahead_ms), redis->ahead_ms > 0 ? "ahead of" : "behind");
    else if (!m->clock_is_known)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Look at it on the host (timedatectl).",
                   "The kernel does not say whether the clock is synchronised.");
    else if (!m->clock_is_synchronised)
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "Nothing synchronises the clock: tokens may expire early or late.");
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "The clock is synchronised%s.",
                   is_asked ? ", and agrees with that of Redis" : "");
}

void check_memory(const struct doctor_config *c, const struct machine *m, struct doctor_report *r) {
    static const char check
        [] = "memory",
   remedy[] =
        "Lower --memory, or give it twice as much: the rest is the store's, the sockets' and the program's.";
    bool is_limited = m->memory_limit != MACHINE_UNKNOWN;
    int64_t there = is_limited ? m->memory_limit : m->memory;
    const char *whose = is_limited ? "its control group" : "the machine";
    if (there == MACHINE_UNKNOWN)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Compare --memory with what the machine has.",
                   "The memory of the machine cannot be read here.");
    else if (there < c->memory + c->memory / 4)
        doctor_add(r, check, DOCTOR_FAULT, remedy,
                   "--memory is %" PRId64 " MB, and %s has %" PRId64 " MB: the kernel may kill the process.",
                   c->memory / MB, whose, there / MB);
    else if (there < 2 * c->memory)
        doctor_add(r, check, DOCTOR_WARNING, remedy, "--memory is %" PRId64 " MB, and %s has %" PRId64 " MB.",
                   c->memory / MB, whose, there / MB);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "--memory is %" PRId64 " MB, and %s has %" PRId64 " MB.",
                   c->memory / MB, whose, there / MB);
}

// As the alert ChorusDiskLow.
void check_disk(const struct doctor_config *c, const struct machine *m, struct doctor_report *r) {
    static const char check[] = "disk";
    if (!c->data)
        doctor_add(r, check, DOCTOR_OK, NULL, "Nothing is stored on a disk here.");
    else if (m->disk == MACHINE_UNKNOWN)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Look at the file system of --data (df).",
                   "The disk of %s cannot be looked at.", c->data);
    else if (m->disk_free < m->disk / 10 && m->disk_free < DISK_PLENTY)
        doctor_add(r, check, DOCTOR_WARNING,
                   "Make room, or choose another folder (--data) or fewer days (--archive-days).",
                   "%" PRId64 " MB of %" PRId64 " are left on the disk of %s.", m->disk_free / MB,
                   m->disk / MB, c->data);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "%" PRId64 " MB of %" PRId64 " are left on the disk of %s.",
                   m->disk_free / MB, m->disk / MB, c->data);
}
