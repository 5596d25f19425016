#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DESCRIPTORS_AT_FIRST = 1 << 16 };

static sigset_t taken;

int process_take_signals(void) {
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigprocmask(SIG_BLOCK, &taken, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // the engine handles the error of a file that must not grow
    return signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
}

void process_take_too(int signals, int number) {
    sigaddset(&taken, number);
    sigprocmask(SIG_BLOCK, &taken, NULL);
    signalfd(signals, &taken, 0);
}

void process_release_signals(int signals) {
    close(signals);
}

int process_next_signal(int signals) {
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void process_take_hangup(int signals) {
    struct sigaction now;
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN) return;
    process_take_too(signals, SIGHUP);
}

// The kernel doubles a table that is full. Once there are threads, that waits for an RCU grace period
// (fs/file.c, expand_fdtable()), 10 to 20 ms in which the thread that accepts a connection stands still:
// eight times while the first 65,536 viewers arrive.
static void process_grow_descriptor_table(rlim_t limit) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    int room = limit < DESCRIPTORS_AT_FIRST ? (int)limit : DESCRIPTORS_AT_FIRST;
    int last = fcntl(fd, F_DUPFD_CLOEXEC, room - 1);
    if (last >= 0) close(last);
    if (fd >= 0) close(fd);
}

unsigned long process_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    process_grow_descriptor_table(limit.rlim_cur);
    return limit.rlim_cur;
}
