#include "limited_send.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { FDS_MAX = 1024, IOV_MAX_HERE = 256 };

static struct rule {
    int limited, error;
    long room;
    unsigned calls;
} rules[FDS_MAX];
static unsigned calls;

void limited_send_reset(void) {
    for (int fd = 0; fd < FDS_MAX; fd++) rules[fd] = (struct rule){0};
    calls = 0;
}

static struct rule *rule_of(int fd) {
    assert(fd >= 0 && fd < FDS_MAX);
    return &rules[fd];
}

void limited_send_room(int fd, long bytes) {
    rule_of(fd)->limited = bytes >= 0;
    rule_of(fd)->room = bytes;
}

void limited_send_fail(int fd, int error) {
    rule_of(fd)->error = error;
}

unsigned limited_send_calls(void) {
    return calls;
}

unsigned limited_send_calls_to(int fd) {
    return rule_of(fd)->calls;
}

static int fail_with(int error) {
    errno = error;
    return -1;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    struct rule *r = rule_of(fd);
    struct iovec iov[IOV_MAX_HERE];
    struct msghdr cut = *msg;
    calls++;
    r->calls++;
    if (r->error) {
        int error = r->error;
        r->error = 0;
        return fail_with(error);
    }
    if (!r->limited) return syscall(SYS_sendmsg, fd, msg, flags);
    if (!r->room) return fail_with(EAGAIN);
    size_t left = (size_t)r->room;
    assert(msg->msg_iovlen <= IOV_MAX_HERE);
    for (cut.msg_iovlen = 0; cut.msg_iovlen < msg->msg_iovlen && left; cut.msg_iovlen++) {
        struct iovec *part = &iov[cut.msg_iovlen];
        *part = msg->msg_iov[cut.msg_iovlen];
        if (part->iov_len > left) part->iov_len = left;
        left -= part->iov_len;
    }
    cut.msg_iov = iov;
    ssize_t sent = syscall(SYS_sendmsg, fd, &cut, flags);
    if (sent > 0) r->room -= sent;
    return sent;
}
