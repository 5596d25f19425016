#include "net/fd_table.h"

#include <assert.h>
#include <errno.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/sock.h"

enum { FIRST_OF_OURS = 3, KEEP_MAX = 16, RETRY_MS = 5 };

// Descriptors that did not fit into the pipe, in order.
struct waiting {
    int *fds;
    size_t first, count, room;
};

struct fd_pipe {
    struct loop *loop;
    struct loop_fd out; // the sender's end
    int in;
    struct waiting waiting;
    struct loop_timer retry;
};

static int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

// Closes [from, to]; the table is the thread's own by then.
static int close_between(int from, int to) {
    return from > to ? 0 : (int)syscall(SYS_close_range, from, to, 0);
}

int fd_table_unshare(const int *keep, size_t count) {
    int sorted[KEEP_MAX], from = FIRST_OF_OURS;
    if (count > KEEP_MAX) return -EINVAL;
    memcpy(sorted, keep, count * sizeof *keep);
    qsort(sorted, count, sizeof *sorted, compare);
    assert(!count || sorted[0] >= FIRST_OF_OURS);
    // This call closes nothing: it only unshares the table.
    if (syscall(SYS_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE) < 0) return -errno;
    for (size_t i = 0; i < count; i++) {
        if (close_between(from, sorted[i] - 1) < 0) return -errno;
        from = sorted[i] + 1;
    }
    return close_between(from, INT32_MAX) < 0 ? -errno : 0;
}

static void on_room(struct loop_fd *, uint32_t events);
static void on_retry(struct loop_timer *);

struct fd_pipe *fd_pipe_new(struct loop *sender, int *error) {
    int ends[2];
    *error = sock_pair(ends);
    if (*error) return NULL;
    struct fd_pipe *p = mem_zalloc(sizeof *p);
    p->loop = sender;
    p->in = ends[1];
    p->out = (struct loop_fd){.on_event = on_room};
    p->retry.on_due = on_retry;
    *error = loop_fd_add(sender, &p->out, ends[0], EPOLLOUT | EPOLLET);
    if (!*error) return p;
    sock_close(ends[0]);
    sock_close(ends[1]);
    free(p);
    return NULL;
}

void fd_pipe_free(struct fd_pipe *p) {
    if (!p) return;
    int out = p->out.fd;
    for (size_t i = 0; i < p->waiting.count; i++) sock_close(p->waiting.fds[p->waiting.first + i]);
    free(p->waiting.fds);
    loop_timer_stop(p->loop, &p->retry);
    loop_fd_remove(p->loop, &p->out);
    sock_close(out);
    sock_close(p->in);
    free(p);
}

int fd_pipe_receiving_end(const struct fd_pipe *p) {
    return p->in;
}

static int send_one(struct fd_pipe *p, int fd, bool wait) {
    int error = sock_send_descriptor(p->out.fd, fd, wait);
    if (!error) sock_close(fd);
    return error;
}

static void wait_in_line(struct waiting *w, int fd) {
    if (w->first) { // moves the queue to the front of its array
        memmove(w->fds, w->fds + w->first, w->count * sizeof *w->fds);
        w->first = 0;
    }
    if (w->count == w->room) {
        w->room = w->room ? w->room * 2 : 16;
        w->fds = mem_realloc(w->fds, w->room * sizeof *w->fds);
    }
    w->fds[w->count++] = fd;
}

// The kernel limits how many descriptors are in flight, per pipe (EAGAIN: on_room() follows) and per user
// (ETOOMANYREFS: no event follows, hence the timer).
static void send_waiting(struct fd_pipe *p, bool wait) {
    struct waiting *w = &p->waiting;
    int error = 0;
    while (w->count && (error = send_one(p, w->fds[w->first], wait)) == 0) {
        w->first++;
        w->count--;
    }
    if (w->count && error != -EAGAIN) loop_timer_start(p->loop, &p->retry, RETRY_MS);
}

void fd_pipe_send(struct fd_pipe *p, int fd) {
    wait_in_line(&p->waiting, fd);
    if (p->waiting.count == 1) send_waiting(p, false);
}

static void on_room(struct loop_fd *f, uint32_t events) {
    (void)events;
    send_waiting(container_of(f, struct fd_pipe, out), false);
}

static void on_retry(struct loop_timer *t) {
    send_waiting(container_of(t, struct fd_pipe, retry), false);
}

void fd_pipe_flush(struct fd_pipe *p) {
    while (p->waiting.count) {
        send_waiting(p, true);
        if (p->waiting.count) sock_wait(-1, 0, RETRY_MS);
    }
}

int fd_pipe_receive(struct fd_pipe *p) {
    return sock_receive_descriptor(p->in);
}
