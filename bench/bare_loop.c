// The minimum of a fan-out: one thread, one send() to each viewer for each comment, nothing kept, nothing
// checked. Its cost is the kernel's, with which bench/limit compares a real server.
//   bare_loop PORT       GET anything: a stream. POST anything: its body becomes an event for all streams.
// Only for the bench on loopback: it trusts its client, and exits on a request longer than INPUT_SIZE.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS = 20000, INPUT_SIZE = 4096, EVENT_SIZE = 8192, EVENTS = 256 };

static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n";
static const char posted[] = "HTTP/1.1 204 No Content\r\n\r\n";

static struct input {
    size_t len;
    char bytes[INPUT_SIZE];
} * inputs[DESCRIPTORS]; // of connections that are not streams
static int streams[DESCRIPTORS], stream_count;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(const char *body, size_t len) {
    static unsigned long number;
    static char event[EVENT_SIZE];
    int size =
        snprintf(event, sizeof event, "id: 1763932000000-%lu\ndata: %.*s\n\n", ++number, (int)len, body);
    for (int i = 0; i < stream_count; i++)
        if (send(streams[i], event, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) die("a viewer lags");
}

static void drop(int fd) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i] == fd) streams[i] = streams[--stream_count];
    free(inputs[fd]);
    inputs[fd] = NULL;
    close(fd);
}

static void answer(int fd, const char *text, size_t len) {
    if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len) drop(fd);
}

// Returns the length of a complete request, or 0.
static size_t request_length(const struct input *in) {
    const char *end = memmem(in->bytes, in->len, "\r\n\r\n", 4),
               *field = strcasestr(in->bytes, "\r\ncontent-length:");
    if (!end) return 0;
    size_t head = (size_t)(end + 4 - in->bytes);
    size_t body = field && field < end ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
    return in->len >= head + body ? head + body : 0;
}

static void take_request(int fd, struct input *in, size_t len) {
    if (!strncmp(in->bytes, "GET", 3)) {
        free(in);
        inputs[fd] = NULL;
        streams[stream_count++] = fd;
        answer(fd, stream_head, sizeof stream_head - 1);
        return;
    }
    const char *body = strstr(in->bytes, "\r\n\r\n") + 4;
    send_all(body, (size_t)(in->bytes + len - body));
    in->len = 0;
    answer(fd, posted, sizeof posted - 1);
}

static void read_some(int fd) {
    static char ignored[INPUT_SIZE];
    struct input *in = inputs[fd];
    if (!in) {
        if (recv(fd, ignored, sizeof ignored, 0) <= 0) drop(fd);
        return;
    }
    ssize_t n = recv(fd, in->bytes + in->len, sizeof in->bytes - 1 - in->len, 0);
    if (n <= 0) {
        drop(fd);
        return;
    }
    in->len += (size_t)n;
    in->bytes[in->len] = 0;
    size_t whole = request_length(in);
    if (whole) take_request(fd, in, whole);
}

static void take_connection(int listener, int epoll) {
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0 || fd >= DESCRIPTORS) die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    inputs[fd] = calloc(1, sizeof *inputs[fd]);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static int listen_at(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096)) die("listen");
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = listen_at((int)strtol(argv[1], NULL, 10)), epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                take_connection(listener, epoll);
            else
                read_some(events[i].data.fd);
        }
    }
}
