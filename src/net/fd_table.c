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
struct fd_queue {
    int *fds;
    size_t first, count, room;
};

struct fd_pipe {
    struct loop *loop;
    struct loop_fd out; // the sender's end
    int in;
    struct fd_queue queue;
    struct loop_timer retry;
};

static int compare_fds(const void *a, const void *b) {
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
    qsort(sorted, count, sizeof *sorted, compare_fds);
    assert(!count || sorted[0] >= FIRST_OF_OURS);
    // This call closes nothing: it only unshares the table.
    if (syscall(SYS_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE) < 0) return -errno;
    for (size_t i = 0; i < count; i++) {
        if (close_between(from, sorted[i] - 1) < 0) return -errno;
        from = sorted[i] + 1;
    }
    return close_between(from, INT32_MAX) < 0 ? -errno : 0;
}

static void fd_pipe_on_writable(struct loop_fd *, uint32_t events);
static void fd_pipe_on_retry(struct loop_timer *);

struct fd_pipe *fd_pipe_new(struct loop *sender, int *error) {
    int ends[2];
    *error = sock_pair(ends);
    if (*error) return NULL;
    struct fd_pipe *p = mem_zalloc(sizeof *p);
    p->loop = sender;
    p->in = ends[1];
    p->out = (struct loop_fd){.on_event = fd_pipe_on_writable};
    p->retry.on_due = fd_pipe_on_retry;
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
    for (size_t i = 0; i < p->queue.count; i++) sock_close(p->queue.fds[p->queue.first + i]);
    free(p->queue.fds);
    loop_timer_stop(p->loop, &p->retry);
    loop_fd_remove(p->loop, &p->out);
    sock_close(out);
    sock_close(p->in);
    free(p);
}

int fd_pipe_receiving_end(const struct fd_pipe *p) {
    return p->in;
}

static void fd_queue_add(struct fd_queue *q, int fd) {
    if (q->first) { // moves the queue to the front of its array
        memmove(q->fds, q->fds + q->first, q->count * sizeof *q->fds);
        q->first = 0;
    }
    if (q->count == q->room) {
        q->room = q->room ? q->room * 2 : 16;
        q->fds = mem_realloc(q->fds, q->room * sizeof *q->fds);
    }
    q->fds[q->count++] = fd;
}

// The kernel limits how many descriptors are in flight, per pipe (EAGAIN: fd_pipe_on_writable() follows) and
// per user (ETOOMANYREFS: no event follows, hence the timer).
static void fd_pipe_send_queued(struct fd_pipe *p, bool wait) {
    struct fd_queue *q = &p->queue;
    int error = 0;
    while (q->count && (error = sock_send_descriptor(p->out.fd, q->fds[q->first], wait)) == 0) {
        sock_close(q->fds[q->first]);
        q->first++;
        q->count--;
    }
    if (q->count && error != -EAGAIN) loop_timer_start(p->loop, &p->retry, RETRY_MS);
}

void fd_pipe_send(struct fd_pipe *p, int fd) {
    fd_queue_add(&p->queue, fd);
    if (p->queue.count == 1) fd_pipe_send_queued(p, false);
}

static void fd_pipe_on_writable(struct loop_fd *f, uint32_t events) {
    (void)events;
    fd_pipe_send_queued(container_of(f, struct fd_pipe, out), false);
}

static void fd_pipe_on_retry(struct loop_timer *t) {
    fd_pipe_send_queued(container_of(t, struct fd_pipe, retry), false);
}

void fd_pipe_flush(struct fd_pipe *p) {
    while (p->queue.count) {
        fd_pipe_send_queued(p, true);
        if (p->queue.count) sock_wait(-1, 0, RETRY_MS);
    }
}

int fd_pipe_receive(struct fd_pipe *p) {
    return sock_receive_descriptor(p->in);
}
