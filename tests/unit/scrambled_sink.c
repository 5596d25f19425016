#include "scrambled_sink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "net/sock.h"

struct scrambled {
    uint64_t number; // of the record begun, or of the next
    uint32_t len;    // content of the record begun; 0: none is
    uint32_t sent;   // of its bytes
    uint32_t checksum;
    uint32_t credit;
    bool wants_socket, is_broke; // blocked by a full socket; by lack of credit
    bool fin;
};

static uint8_t key_byte(uint32_t number, uint32_t i) {
    uint32_t x = (number + 1) * 0x9e3779b1u + i * 0x85ebca6bu;
    x = (x ^ x >> 15) * 0x2c1b3c6du;
    return (uint8_t)(x >> 24);
}

static uint32_t checksum_of(uint8_t type, uint64_t number, const uint8_t *content, size_t len) {
    uint32_t sum = 2166136261u ^ type ^ (uint32_t)number;
    for (size_t i = 0; i < len; i++) sum = (sum ^ content[i]) * 16777619u;
    return sum;
}

static void scramble(uint8_t *content, size_t len, uint64_t number) {
    for (size_t i = 0; i < len; i++) content[i] ^= key_byte((uint32_t)number, (uint32_t)i);
}

// Copies len bytes of the pieces, from `skip` on.
static void gather(uint8_t *out, const struct iovec *pieces, size_t skip, size_t len) {
    for (; len; pieces++) {
        size_t here = pieces->iov_len;
        if (skip >= here) {
            skip -= here;
            continue;
        }
        size_t n = here - skip < len ? here - skip : len;
        memcpy(out, (const char *)pieces->iov_base + skip, n);
        out += n;
        len -= n;
        skip = 0;
    }
}

static size_t seal(uint8_t *record, uint8_t type, uint64_t number, size_t len, uint32_t checksum) {
    record[0] = type;
    record[1] = (uint8_t)(len >> 8);
    record[2] = (uint8_t)len;
    for (int i = 0; i < 4; i++) record[3 + i] = (uint8_t)(checksum >> (24 - 8 * i));
    scramble(record + SCRAMBLED_HEAD, len, number);
    return SCRAMBLED_HEAD + len;
}

// Sends what it can of one record, of len bytes of the pieces from `skip` on. Returns 1 when all of it has
// gone, 0 if it is blocked, or a negative errno.
static int send_record(struct scrambled *s, int fd, const struct iovec *pieces, size_t skip, size_t len) {
    uint8_t record[SCRAMBLED_HEAD + SCRAMBLED_MOST];
    gather(record + SCRAMBLED_HEAD, pieces, skip, len);
    uint32_t checksum = checksum_of(SCRAMBLED_DATA, s->number, record + SCRAMBLED_HEAD, len);
    assert(!s->len || checksum == s->checksum); // a number is never sealed over other content
    size_t size = seal(record, SCRAMBLED_DATA, s->number, len, checksum), rest = size - s->sent;
    size_t allowed = s->fin || rest < s->credit ? rest : s->credit;
    s->is_broke = !allowed;
    if (s->is_broke) return 0;
    struct iovec piece = {record + s->sent, allowed};
    ssize_t n = sock_writev(fd, &piece, 1);
    s->wants_socket = n == -EAGAIN || (n >= 0 && (size_t)n < allowed);
    if (n == -EAGAIN) return 0;
    if (n < 0) return (int)n;
    s->sent += (uint32_t)n;
    s->credit -= s->fin ? 0 : (uint32_t)n;
    s->is_broke = !s->wants_socket && s->sent < size;
    s->len = s->sent ? (uint32_t)len : 0;
    s->checksum = checksum;
    if (s->sent < size) return 0;
    s->number++;
    s->len = s->sent = 0;
    return 1;
}

static ssize_t scrambled_write(void *state, int fd, const struct iovec *pieces, size_t count) {
    struct scrambled *s = state;
    size_t total = 0, taken = 0;
    for (size_t i = 0; i < count; i++) total += pieces[i].iov_len;
    assert(s->len <= total); // what is pinned is shown
    while (taken < total) {
        size_t len = s->len ? s->len : total - taken < SCRAMBLED_MOST ? total - taken : SCRAMBLED_MOST;
        int whole = send_record(s, fd, pieces, taken, len);
        if (whole < 0) return whole;
        if (!whole) break;
        taken += len;
    }
    return (ssize_t)taken;
}

static size_t scrambled_pinned(const void *state) {
    return ((const struct scrambled *)state)->len;
}

// Reads credit. Returns what the fan-out should know.
static unsigned read_credit(struct scrambled *s, int fd) {
    uint8_t bytes[512];
    ssize_t n;
    while ((n = sock_read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++) s->credit += bytes[i] + 1u;
    if (n == 0) s->fin = true; // it can give no more, so it needs none
    if (n < 0 && n != -EAGAIN) return SINK_GONE;
    if (!s->is_broke || (!s->credit && !s->fin)) return 0;
    s->is_broke = false;
    return SINK_WRITABLE;
}

static unsigned scrambled_on_socket(void *state, int fd, uint32_t events) {
    struct scrambled *s = state;
    if (events & (EPOLLHUP | EPOLLERR)) return SINK_GONE;
    unsigned found = events & (EPOLLIN | EPOLLRDHUP) ? read_credit(s, fd) : 0;
    if ((events & EPOLLOUT) && s->wants_socket) found |= SINK_WRITABLE;
    return found | (events & EPOLLRDHUP ? SINK_FIN : 0);
}

static int scrambled_attach(void *state, int fd, struct loop *loop, struct sink_owner *owner) {
    (void)state, (void)fd, (void)loop, (void)owner;
    return 0;
}

static void scrambled_close(void *state, int fd, enum sink_end end) {
    struct scrambled *s = state;
    uint8_t record[SCRAMBLED_HEAD];
    if (!s->len && end != SINK_RESET) {
        size_t size =
            seal(record, SCRAMBLED_CLOSE, s->number, 0, checksum_of(SCRAMBLED_CLOSE, s->number, NULL, 0));
        sock_write(fd, record, size); // as far as there is room
    }
    free(s);
    sink_close(&(struct sink){.fd = fd}, end);
}

static const struct sink_ops scrambled_ops = {
    .state_bytes = sizeof(struct scrambled),
    .attach = scrambled_attach,
    .write = scrambled_write,
    .pinned = scrambled_pinned,
    .on_socket = scrambled_on_socket,
    .close = scrambled_close,
};

struct sink scrambled_sink(struct sink s, uint32_t credit) {
    struct scrambled *state = mem_zalloc(sizeof *state);
    state->credit = credit;
    s.ops = &scrambled_ops;
    s.state = state;
    return s;
}

// Returns the content of the record that is complete.
static size_t open_record(struct unscrambler *u, char *out) {
    size_t len = u->len - SCRAMBLED_HEAD;
    uint8_t *content = u->record + SCRAMBLED_HEAD;
    uint32_t checksum = 0;
    for (int i = 0; i < 4; i++) checksum = checksum << 8 | u->record[3 + i];
    scramble(content, len, u->number);
    assert(!u->closed);
    assert(checksum == checksum_of(u->record[0], u->number, content, len));
    u->closed = u->record[0] == SCRAMBLED_CLOSE;
    u->number++;
    u->len = 0;
    memcpy(out, content, len);
    return len;
}

size_t unscrambler_feed(struct unscrambler *u, const char *bytes, size_t len, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        u->record[u->len++] = (uint8_t)bytes[i];
        if (u->len < SCRAMBLED_HEAD) continue;
        size_t content = (size_t)u->record[1] << 8 | u->record[2];
        assert(content <= SCRAMBLED_MOST);
        if (u->len == SCRAMBLED_HEAD + content) written += open_record(u, out + written);
    }
    return written;
}

size_t unscrambler_credit(size_t len, char *out) {
    size_t n = 0;
    for (; len; n++) {
        size_t part = len < 256 ? len : 256;
        out[n] = (char)(part - 1);
        len -= part;
    }
    return n;
}
