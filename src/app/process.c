#include "process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

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

unsigned long process_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
