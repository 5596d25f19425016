#include "bench/server.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKETS_MAX = 256, STATE_LISTEN = 10 };

struct sockets {
    unsigned long inodes[SOCKETS_MAX];
    size_t count;
};

static bool ports_contain(int port, const int *ports, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (ports[i] == port) return true;
    return false;
}

// Returns the text after `count` fields and the blanks that follow them.
static const char *skip_fields(const char *text, int count) {
    text += strspn(text, " ");
    for (; count; count--) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return text;
}

// Returns the inode of a listening socket, or 0. proc(5): a line is `sl: local:port remote:port state queues
// timer retransmits uid timeout inode ...`.
static unsigned long listening_inode(const char *line, const int *ports, size_t count) {
    const char *colon = strchr(skip_fields(line, 1), ':');
    if (!colon || strtoul(skip_fields(line, 3), NULL, 16) != STATE_LISTEN) return 0;
    return ports_contain((int)strtoul(colon + 1, NULL, 16), ports, count)
               ? strtoul(skip_fields(line, 9), NULL, 10)
               : 0;
}

static void read_sockets(const char *path, const int *ports, size_t count, struct sockets *out) {
    char line[512];
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f) && out->count < SOCKETS_MAX) {
        unsigned long inode = listening_inode(line, ports, count);
        if (inode) out->inodes[out->count++] = inode;
    }
    if (f) fclose(f);
}

// A descriptor's link has the form `socket:[inode]`.
static bool is_socket_of(const char *fds, const char *name, const struct sockets *wanted) {
    static const char opening[] = "socket:[";
    char path[600], link[64];
    snprintf(path, sizeof path, "%s/%s", fds, name);
    ssize_t len = readlink(path, link, sizeof link - 1);
    if (len <= 0) return false;
    link[len] = 0;
    if (strncmp(link, opening, sizeof opening - 1) != 0) return false;
    unsigned long inode = strtoul(link + sizeof opening - 1, NULL, 10);
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->inodes[i] == inode) return true;
    return false;
}

// For scandir().
static int is_number(const struct dirent *e) {
    return e->d_name[0] >= '0' && e->d_name[0] <= '9';
}

static bool process_holds_socket(const char *pid, const struct sockets *wanted) {
    char fds[300];
    struct dirent **names;
    bool found = false;
    snprintf(fds, sizeof fds, "/proc/%s/fd", pid);
    int count = scandir(fds, &names, is_number, alphasort);
    for (int i = 0; i < count; i++) {
        found = found || is_socket_of(fds, names[i]->d_name, wanted);
        free(names[i]);
    }
    if (count >= 0) free(names);
    return found;
}

size_t server_find(const int *ports, size_t port_count, int *pids, size_t max) {
    struct sockets wanted = {.count = 0};
    size_t count = 0;
    read_sockets("/proc/net/tcp", ports, port_count, &wanted);
    read_sockets("/proc/net/tcp6", ports, port_count, &wanted);
    struct dirent **names;
    int entries = scandir("/proc", &names, is_number, alphasort);
    for (int i = 0; i < entries; i++) {
        if (count < max && process_holds_socket(names[i]->d_name, &wanted))
            pids[count++] = (int)strtol(names[i]->d_name, NULL, 10);
        free(names[i]);
    }
    if (entries >= 0) free(names);
    return count;
}

// proc(5): the first field is nanoseconds of CPU time. (/proc/PID/stat counts in ticks of 10 ms.)
static int64_t task_cpu_ns(const char *tasks, const char *name) {
    char path[400], text[64] = "";
    snprintf(path, sizeof path, "%s/%s/schedstat", tasks, name);
    FILE *f = fopen(path, "re");
    bool there = f && fgets(text, sizeof text, f);
    if (f) fclose(f);
    return there ? strtoll(text, NULL, 10) : 0;
}

// Adds the CPU time of the threads that exist: a server's threads do not end.
static bool add_cpu(int pid, struct server_usage *u) {
    char tasks[64];
    struct dirent **names;
    int64_t ns = 0;
    snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
    int count = scandir(tasks, &names, is_number, alphasort);
    for (int i = 0; i < count; i++) {
        ns += task_cpu_ns(tasks, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0) free(names);
    u->cpu_us += ns / 1000;
    return ns > 0;
}

// Returns the amount in the line that begins with the name, or -1.
static int64_t read_kib(const char *path, const char *name) {
    char line[256];
    int64_t kib = -1;
    FILE *f = fopen(path, "re");
    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name))) kib = strtoll(line + strlen(name), NULL, 10);
    if (f) fclose(f);
    return kib;
}

static bool add_memory(int pid, struct server_usage *u) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    int64_t kib = read_kib(path, "Pss:");
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int64_t peak_kib = read_kib(path, "VmHWM:");
    if (kib < 0 || peak_kib < 0) return false;
    u->pss_bytes += kib * 1024;
    u->peak_bytes += peak_kib * 1024;
    return true;
}

struct server_usage server_measure(const int *pids, size_t count) {
    struct server_usage u = {.known = count > 0};
    for (size_t i = 0; i < count; i++) u.known &= add_cpu(pids[i], &u) && add_memory(pids[i], &u);
    return u;
}

static int64_t sum_kib_fields(const char *const *names, size_t count) {
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t kib = read_kib("/proc/meminfo", names[i]);
        if (kib > 0) sum += kib * 1024; // an older kernel does not have all of them
    }
    return sum;
}

struct machine_memory machine_memory_now(void) {
    static const char *const kernel[] = {"Slab:", "KernelStack:", "PageTables:", "VmallocUsed:", "Percpu:"};
    static const char *const left[] = {"MemFree:", "Buffers:", "Cached:"}, *const shared[] = {"Shmem:"};
    return (struct machine_memory){
        .kernel_bytes = sum_kib_fields(kernel, sizeof kernel / sizeof *kernel),
        .left_bytes = sum_kib_fields(left, sizeof left / sizeof *left) - sum_kib_fields(shared, 1),
    };
}
