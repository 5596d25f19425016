#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> // its tcp_info is the newer one
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static void sock_set(int fd, int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
}

static int sock_new(const union address *a) {
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    return fd;
}

static int sock_fail(int fd) {
    int error = -errno;
    close(fd);
    return error;
}

int sock_connect(const union address *to, const union address *from) {
    int fd = sock_new(to);
    if (fd < 0) return fd;
    sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (from) {
        sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); // defers the choice of the port to connect()
        if (bind(fd, &from->any, address_size(from)) < 0) return sock_fail(fd);
    }
    if (connect(fd, &to->any, address_size(to)) == 0 || errno == EINPROGRESS || errno == EINTR) return fd;
    return sock_fail(fd);
}

int sock_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return -error;
}

int sock_listen(const union address *a, bool only_v6) {
    int fd = sock_new(a);
    if (fd < 0) return fd;
    sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (only_v6 && a->any.sa_family == AF_INET6) sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(fd, &a->any, address_size(a)) == 0 && listen(fd, BACKLOG) == 0) return fd;
    return sock_fail(fd);
}

static int sock_try_unix(const struct sockaddr_un *at) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = connect(fd, (const void *)at, sizeof *at) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static bool sock_is_stale(const struct sockaddr_un *at) {
    struct stat file;
    return lstat(at->sun_path, &file) == 0 && S_ISSOCK(file.st_mode) && sock_try_unix(at) == -ECONNREFUSED;
}

// Nothing can connect before listen(), and by then the permissions are as they should be.
int sock_listen_unix(const char *path, unsigned mode) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len > SOCK_PATH_MAX) return -ENAMETOOLONG;
    memcpy(at.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = bind(fd, (const void *)&at, sizeof at);
    if (error < 0 && errno == EADDRINUSE) {
        if (sock_is_stale(&at)) unlink(path);
        error = bind(fd, (const void *)&at, sizeof at);
    }
    if (error == 0 && chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0) return fd;
    return sock_fail(fd);
}

int sock_connect_unix(const char *path, int64_t timeout_ms) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) > SOCK_PATH_MAX) return -ENAMETOOLONG;
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    bool limited = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
    return limited && connect(fd, (const void *)&at, sizeof at) == 0 ? fd : sock_fail(fd);
}

// It is stale once nothing listens: a file that another process has put there since is not.
void sock_remove_unix(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) > SOCK_PATH_MAX) return;
    memcpy(at.sun_path, path, strlen(path));
    if (sock_is_stale(&at)) unlink(path);
}

int sock_duplicate(int fd) {
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return other < 0 ? -errno : other;
}

int sock_accept(int listener, union address *peer) {
    *peer = (union address){0};
    socklen_t size = sizeof *peer;
    int fd;
    do fd = accept4(listener, &peer->any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return -errno;
    sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

int sock_lowest_free(void) {
    int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), lowest = copy < 0 ? -errno : copy;
    if (copy >= 0) close(copy);
    return lowest;
}

int sock_local_address(int fd, union address *a) {
    *a = (union address){0};
    socklen_t size = sizeof *a;
    return getsockname(fd, &a->any, &size) < 0 ? -errno : 0;
}

int sock_peer_address(int fd, union address *a) {
    *a = (union address){0};
    socklen_t size = sizeof *a;
    return getpeername(fd, &a->any, &size) < 0 ? -errno : 0;
}

ssize_t sock_read(int fd, void *bytes, size_t room) {
    ssize_t n;
    do n = recv(fd, bytes, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t sock_write(int fd, const void *bytes, size_t len) {
    ssize_t n;
    do n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

// Retries a call that a signal may have interrupted. A separate function, so that sock_writev() has few
// registers to save.
static __attribute__((cold, noinline)) ssize_t sock_send_again(int fd, const struct msghdr *msg) {
    ssize_t n = -1;
    while (n < 0 && errno == EINTR) n = sendmsg(fd, msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

HOT_PATH ssize_t sock_writev(int fd, const struct iovec *iov, size_t count) {
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? sock_send_again(fd, &msg) : n;
}

int sock_unread(int fd) {
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) < 0 ? -errno : bytes;
}

uint64_t sock_number(int fd) {
    uint64_t number = 0;
    socklen_t size = sizeof number;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &number, &size) < 0 ? 0 : number;
}

// An older kernel fills a shorter structure.
bool sock_sent(int fd, struct sock_sent *sent) {
    struct tcp_info info;
    socklen_t size = sizeof info, needed = offsetof(struct tcp_info, tcpi_bytes_retrans) + 8;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || size < needed) return false;
    *sent = (struct sock_sent){info.tcpi_bytes_sent - info.tcpi_bytes_retrans, info.tcpi_notsent_bytes};
    return true;
}

void sock_shutdown(int fd) {
    shutdown(fd, SHUT_WR);
}

void sock_close(int fd) {
    close(fd);
}

void sock_reset(int fd) {
    struct linger immediately = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
    close(fd);
}

void sock_set_send_buffer(int fd, int bytes) {
    sock_set(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

void sock_set_user_timeout(int fd, int ms) {
    sock_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
}

void sock_set_keepalive(int fd, int after_s, int every_s) {
    if (after_s) sock_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, after_s);
    if (every_s) sock_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, every_s);
    sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int sock_wait(int fd, int events, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = (short)events};
    return poll(&p, 1, timeout_ms) > 0 ? p.revents : 0; // an interruption counts as a timeout
}

int sock_send_datagram(const char *name, const void *bytes, size_t len) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t name_len = strlen(name);
    if (!name_len || name_len >= sizeof to.sun_path) return -EINVAL;
    memcpy(to.sun_path, name, name_len);
    if (*name == '@') to.sun_path[0] = '\0';
    socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    ssize_t n = sendto(fd, bytes, len, MSG_NOSIGNAL, (struct sockaddr *)&to, to_len);
    int error = n < 0 ? -errno : 0;
    close(fd);
    return error;
}

int sock_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

// A message that carries a descriptor has one byte of data, because an empty one would look like the end.
struct carrier {
    char byte;
    struct iovec iov;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct msghdr msg;
};

static void carrier_init(struct carrier *c) {
    *c = (struct carrier){.byte = 0};
    c->iov = (struct iovec){&c->byte, 1};
    c->msg = (struct msghdr){
        .msg_iov = &c->iov, .msg_iovlen = 1, .msg_control = c->control, .msg_controllen = sizeof c->control};
}

int sock_send_descriptor(int end, int fd, bool wait) {
    struct carrier c;
    carrier_init(&c);
    struct cmsghdr *header = CMSG_FIRSTHDR(&c.msg);
    *header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ssize_t n;
    do n = sendmsg(end, &c.msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int sock_receive_descriptor(int end) {
    struct carrier c;
    carrier_init(&c);
    ssize_t n;
    do n = recvmsg(end, &c.msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&c.msg);
    if (!header || header->cmsg_type != SCM_RIGHTS) return c.msg.msg_flags & MSG_CTRUNC ? -EMFILE : -EPIPE;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}
