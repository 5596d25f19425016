#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

// Returns the number that follows `label` at the start of a line; an empty label: the number that the file
// is.
static int64_t number_in(const char *root, const char *file, const char *label) {
    char path[PATH_SIZE], line[LINE_SIZE];
    int64_t number = MACHINE_UNKNOWN;
    snprintf(path, sizeof path, "%s%s", root, file);
    FILE *f = fopen(path, "re");
    if (!f) return MACHINE_UNKNOWN;
    while (number == MACHINE_UNKNOWN && fgets(line, sizeof line, f)) {
        if (strncmp(line, label, strlen(label)) != 0) continue;
        char *end, *at = line + strlen(label);
        long long read = strtoll(at, &end, 10);
        if (end != at) number = read;
    }
    fclose(f);
    return number;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a == MACHINE_UNKNOWN || (b != MACHINE_UNKNOWN && b < a) ? b : a;
}

// A group is also bound by those above it. In a container the path may be that of the host, which is not
// there: what the container sees as the top is its own group.
static int64_t group_limit(const char *root, const char *mount, const char *group, const char *file) {
    char at[PATH_SIZE], path[PATH_SIZE + 128];
    int64_t least = MACHINE_UNKNOWN;
    snprintf(at, sizeof at, "%s", group);
    for (;;) {
        char *last = strrchr(at, '/');
        if (last && !last[1]) *last = 0;
        snprintf(path, sizeof path, "%s%s/%s", mount, at, file);
        least = smaller(least, number_in(root, path, ""));
        last = strrchr(at, '/');
        if (!last) return least;
        *last = 0;
    }
}

// /proc/self/cgroup has lines like 0::/system.slice/chorus.service (version 2) and 4:memory:/docker/... (1).
static int64_t read_memory_limit(const char *root) {
    char path[PATH_SIZE], line[LINE_SIZE];
    int64_t least = MACHINE_UNKNOWN;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
        if (!group) continue;
        *group++ = 0;
        if (!names[1]) least = smaller(least, group_limit(root, "/sys/fs/cgroup", group, "memory.max"));
        if (strcmp(names + 1, "memory") == 0)
            least =
                smaller(least, group_limit(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
    if (f) fclose(f);
    return least;
}

// Of the next folder above that exists.
static void read_disk(struct machine *m, const char *data) {
    struct statvfs disk;
    char path[PATH_SIZE];
    m->disk = m->disk_free = MACHINE_UNKNOWN;
    if (!data || snprintf(path, sizeof path, "%s", data) >= PATH_SIZE) return;
    while (statvfs(path, &disk) != 0) {
        char *last = strrchr(path, '/');
        if (errno != ENOENT || !strcmp(path, ".") || !strcmp(path, "/")) return;
        if (last > path)
            *last = 0;
        else
            memcpy(path, last ? "/" : ".", 2);
    }
    m->disk = (int64_t)(disk.f_blocks * disk.f_frsize);
    m->disk_free = (int64_t)(disk.f_bavail * disk.f_frsize);
}

void machine_read(struct machine *m, const char *root, const char *data) {
    struct rlimit limit;
    struct timex clock = {0}; // asks, and changes nothing
    int64_t total_kb = number_in(root, "/proc/meminfo", "MemTotal:");
    int state = adjtimex(&clock);
    *m = (struct machine){
        .descriptors = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_max : MACHINE_UNKNOWN,
        .somaxconn = number_in(root, "/proc/sys/net/core/somaxconn", ""),
        .syn_backlog = number_in(root, "/proc/sys/net/ipv4/tcp_max_syn_backlog", ""),
        .syncookies = number_in(root, "/proc/sys/net/ipv4/tcp_syncookies", ""),
        .tracked = number_in(root, "/proc/sys/net/netfilter/nf_conntrack_count", ""),
        .tracked_max = number_in(root, "/proc/sys/net/netfilter/nf_conntrack_max", ""),
        .memory = total_kb == MACHINE_UNKNOWN ? MACHINE_UNKNOWN : total_kb * 1024,
        .memory_limit = read_memory_limit(root),
        .clock_is_known = state >= 0,
        .clock_is_synchronised = state >= 0 && state != TIME_ERROR && !(clock.status & STA_UNSYNC)};
    if (m->memory_limit > m->memory && m->memory != MACHINE_UNKNOWN)
        m->memory_limit = MACHINE_UNKNOWN; // none
    read_disk(m, data);
}
