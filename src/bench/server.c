#include "bench/server.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKETS_MAX = 256, STATE_LISTEN = 10 };

struct sockets {
    unsigned long inodes[SOCKETS_MAX];
    size_t count;
};

static bool is_among(int port, const int *ports, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (ports[i] == port) return true;
    return false;
}

// proc(5): a line is `sl: local:port remote:port state queues timer retransmits uid timeout inode ...`.
static void read_sockets(const char *path, const int *ports, size_t count, struct sockets *out) {
    char line[512];
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f) && out->count < SOCKETS_MAX) {
        unsigned port, state;
        unsigned long inode;
        if (sscanf(line, "%*[^:]: %*[^:]:%x %*s %x %*s %*s %*s %*s %*s %lu", &port, &state, &inode) != 3)
            continue;
        if (state == STATE_LISTEN && is_among((int)port, ports, count)) out->inodes[out->count++] = inode;
    }
    if (f) fclose(f);
}

static bool holds_one(const char *pid, const struct sockets *wanted) {
    char path[300], link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    bool found = false;
    for (const struct dirent *e; dir && !found && (e = readdir(dir));) {
        ssize_t len = readlinkat(dirfd(dir), e->d_name, link, sizeof link - 1);
        unsigned long inode;
        if (len <= 0) continue;
        link[len] = 0;
        if (sscanf(link, "socket:[%lu]", &inode) != 1) continue;
        for (size_t i = 0; i < wanted->count; i++) found |= wanted->inodes[i] == inode;
    }
    if (dir) closedir(dir);
    return found;
}

size_t server_find(const int *ports, size_t port_count, int *pids, size_t max) {
    struct sockets wanted = {.count = 0};
    size_t count = 0;
    read_sockets("/proc/net/tcp", ports, port_count, &wanted);
    read_sockets("/proc/net/tcp6", ports, port_count, &wanted);
    DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc && count < max && (e = readdir(proc));) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        if (!*end && pid > 0 && holds_one(e->d_name, &wanted)) pids[count++] = (int)pid;
    }
    if (proc) closedir(proc);
    return count;
}

// The name, which may hold anything, ends with the last parenthesis; time used is the 12th and 13th field
// after it, in ticks.
static bool add_cpu(int pid, struct server_usage *u) {
    char path[64], text[1024];
    uint64_t user, system_time;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    size_t len = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[len] = 0;
    const char *name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                            &user, &system_time) != 2)
        return false;
    u->cpu_us += (int64_t)(user + system_time) * 1000000 / sysconf(_SC_CLK_TCK);
    return true;
}

static bool add_memory(int pid, struct server_usage *u) {
    char path[64], line[256];
    int64_t kib = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "re");
    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "Pss: %" SCNd64, &kib) != 1) kib = -1;
    if (f) fclose(f);
    if (kib >= 0) u->pss_bytes += kib * 1024;
    return kib >= 0;
}

struct server_usage server_measure(const int *pids, size_t count) {
    struct server_usage u = {.known = count > 0};
    for (size_t i = 0; i < count; i++) u.known &= add_cpu(pids[i], &u) && add_memory(pids[i], &u);
    return u;
}
