// HTTP/1.1 by hand, because only the times of bytes matter: whatever encoding a proxy chooses, what follows
// the head are events.
#include "stream_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "http/url.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"

enum {
    ANSWER_MS = 5000,
    APART_MS = 50, // bytes so soon after the first are of the same moment
    ANSWER_BYTES = 1 << 20,
    URL_SIZE = 1024
};

struct probe {
    struct loop *loop;
    struct resolver *resolver;
    struct stream stream;
    struct loop_timer timeout;
    struct tls_client *tls;
    struct http_url url;
    struct buf request, answer;
    size_t sent, head;                   // bytes; head 0: incomplete
    int64_t asked_ms, first_ms, next_ms; // 0: not yet
    int error;
    bool watches, over; // watches: the answer is a stream
    int64_t most_ms;    // between first and next
    struct stream_facts *facts;
};

static void probe_end(struct probe *p, int error) {
    if (p->over) return;
    p->over = true;
    p->error = error;
    loop_stop(p->loop);
}

static void probe_connect(struct probe *p) {
    struct resolver_addresses found;
    int error = resolver_get(p->resolver, p->url.host, &found);
    if (error == -EINPROGRESS) return;
    if (error) snprintf(p->facts->why, sizeof p->facts->why, "its name has no address here");
    if (!error) {
        address_set_port(&found.at[0], p->url.port);
        error = stream_connect(&p->stream, &found.at[0]);
    }
    if (error) probe_end(p, error);
}

static void on_probe_resolved(void *arg) {
    probe_connect(arg);
}

static void probe_send(struct probe *p) {
    while (p->sent < p->request.len && p->stream.writable && !p->stream.broken) {
        ssize_t n = stream_write(&p->stream, p->request.data + p->sent, p->request.len - p->sent);
        if (n <= 0) return;
        p->sent += (size_t)n;
        p->asked_ms = clock_monotonic_ms();
    }
}

static void probe_note(struct probe *p) {
    int64_t now_ms = clock_monotonic_ms();
    const char *end = p->head ? NULL : memmem(p->answer.data, p->answer.len, "\r\n\r\n", 4);
    if (end) p->head = (size_t)(end - p->answer.data) + 4;
    if (!p->watches || !p->head || p->answer.len <= p->head) return;
    if (strncmp(p->answer.data + strcspn(p->answer.data, " "), " 200", 4) != 0) {
        probe_end(p, 0);
    } else if (!p->first_ms) {
        p->first_ms = now_ms;
        loop_timer_start(p->loop, &p->timeout, p->most_ms);
    } else if (now_ms - p->first_ms > APART_MS) {
        p->next_ms = now_ms;
        probe_end(p, 0);
    }
}

static void probe_read(struct probe *p) {
    char bytes[4096];
    while (!p->over && p->stream.readable) {
        ssize_t n = stream_read(&p->stream, bytes, sizeof bytes);
        if (n == -EAGAIN) return;
        if (n <= 0 || p->answer.len > ANSWER_BYTES) {
            probe_end(p, p->answer.len ? 0 : (int)n);
            return;
        }
        buf_add(&p->answer, bytes, (size_t)n);
        buf_string(&p->answer);
        probe_note(p);
    }
}

static void on_probe_ready(struct stream *s) {
    struct probe *p = container_of(s, struct probe, stream);
    if (p->over || s->error == -EINPROGRESS) return;
    if (s->error) {
        probe_end(p, s->error);
        return;
    }
    probe_send(p);
    probe_read(p);
}

static void on_probe_timeout(struct loop_timer *t) {
    struct probe *p = container_of(t, struct probe, timeout);
    probe_end(p, p->asked_ms ? 0 : -ETIMEDOUT);
}

// Asks for a path below the URL, and returns when the answer has ended, or what is to be measured is known.
static bool probe_ask(struct probe *p, const struct stream_question *q, const char *path) {
    static const char *const accepted[] = {"application/json", "text/event-stream"};
    size_t base = p->url.path_len;
    while (base && p->url.path[base - 1] == '/') base--;
    buf_clear(&p->request);
    buf_clear(&p->answer);
    buf_printf(&p->request, "GET %.*s%s HTTP/1.1\r\nHost: %s%s%s", (int)base, p->url.path, path,
               p->url.ipv6 ? "[" : "", p->url.host, p->url.ipv6 ? "]" : "");
    if (p->url.port != (p->tls ? 443 : 80)) buf_printf(&p->request, ":%d", p->url.port);
    buf_printf(&p->request, "\r\nAccept: %s\r\nUser-Agent: chorus-doctor\r\n", accepted[p->watches]);
    if (!p->watches) buf_add_string(&p->request, "Connection: close\r\n");
    if (q->token) buf_printf(&p->request, "Authorization: Bearer %s\r\n", q->token);
    buf_add_string(&p->request, "\r\n");
    p->sent = p->head = 0;
    p->asked_ms = p->first_ms = p->next_ms = 0;
    p->over = false;
    p->error = 0;
    loop_timer_start(p->loop, &p->timeout, ANSWER_MS);
    probe_connect(p);
    if (!p->over) loop_run(p->loop);
    loop_timer_stop(p->loop, &p->timeout);
    const char *why = p->error ? stream_why(&p->stream) : NULL;
    p->facts->tls_failed = why;
    if (why)
        snprintf(p->facts->why, sizeof p->facts->why, "the server %s", why);
    else if (p->error && !p->facts->why[0])
        snprintf(p->facts->why, sizeof p->facts->why, "%s", strerror(-p->error));
    stream_close(&p->stream);
    loop_drain(p->loop);
    return !p->error;
}

// The first of GET /videos. Ids hold nothing that JSON would escape.
static void take_video(struct probe *p) {
    static const char name[] = "\"videoid\":\"";
    const char *at = p->head ? strstr(p->answer.data + p->head, name) : NULL;
    if (!at) return;
    at += sizeof name - 1;
    size_t len = strcspn(at, "\"");
    if (at[len]) snprintf(p->facts->video, sizeof p->facts->video, "%.*s", (int)len, at);
}

// A JWT says whose stream it is; with a service's token, or none, the request has to.
static const char *name_user(const char *token) {
    return token && !strncmp(token, "eyJ", 3) ? "" : "userid=doctor&";
}

static void probe_watch(struct probe *p, const struct stream_question *q) {
    char path[URL_SIZE];
    p->watches = true;
    p->most_ms = q->heartbeat_ms * 2 + ANSWER_MS;
    snprintf(path, sizeof path, "/connect?%svideoid=%s&redirect=never", name_user(q->token), p->facts->video);
    if (!probe_ask(p, q, path)) return;
    if (p->answer.len)
        p->facts->status = (int)strtol(p->answer.data + strcspn(p->answer.data, " "), NULL, 10);
    if (p->first_ms) p->facts->first_ms = p->first_ms - p->asked_ms;
    if (p->next_ms) p->facts->next_ms = p->next_ms - p->first_ms;
}

static bool probe_open(struct probe *p, const struct stream_question *q) {
    struct stream_facts *f = p->facts;
    bool is_https = !http_url_parse_https(&p->url, q->url);
    if (!is_https && http_url_parse(&p->url, q->url) < 0) {
        snprintf(f->why, sizeof f->why, "it is no address like https://live.example.org");
        return false;
    }
    if (is_https)
        p->tls = tls_client_new(&(struct tls_client_config){.peer_name = p->url.host}, f->why, sizeof f->why);
    if (is_https && !p->tls) return false;
    stream_init(&p->stream, p->tls ? tls_client_transport(p->tls) : &stream_tcp, p->loop, on_probe_ready);
    p->resolver = resolver_new(p->loop, on_probe_resolved, p);
    return true;
}

void stream_probe(struct loop *loop, const struct stream_question *q, struct stream_facts *facts) {
    struct probe p = {.loop = loop, .facts = facts, .timeout.on_due = on_probe_timeout};
    *facts = (struct stream_facts){.first_ms = -1, .next_ms = -1};
    if (probe_open(&p, q)) {
        if (q->video)
            snprintf(facts->video, sizeof facts->video, "%s", q->video);
        else if (probe_ask(&p, q, "/videos?limit=1"))
            take_video(&p);
        if (facts->video[0] && !facts->why[0]) probe_watch(&p, q);
        resolver_free(p.resolver);
    }
    tls_client_free(p.tls);
    buf_release(&p.request);
    buf_release(&p.answer);
}
