#include "app/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/client.h"
#include "http/url.h"
#include "net/loop.h"

enum { PROBE_TIMEOUT_MS = 2500 };

struct probe {
    struct loop *loop;
    const char *url;
    int code;
};

static void on_probe_answer(void *arg, const struct http_client_response *a) {
    struct probe *p = arg;
    p->code = a->error || a->status < 200 || a->status > 299;
    if (a->error)
        fprintf(stderr, "chorus probe: %s: %s\n", p->url, strerror(-a->error));
    else if (p->code)
        fprintf(stderr, "chorus probe: %s: %d %.*s\n", p->url, a->status, (int)a->body_len, a->body);
    loop_stop(p->loop);
}

static int probe_request(struct loop *loop, const char *url) {
    struct probe p = {.loop = loop, .url = url, .code = 1};
    struct http_client *client = http_client_new(loop);
    http_client_request(
        client, &(struct http_client_request){.method = "GET", .url = url, .timeout_ms = PROBE_TIMEOUT_MS},
        on_probe_answer, &p);
    loop_run(loop);
    http_client_free(client);
    return p.code;
}

int probe_main(int argc, char **argv) {
    if (argc != 1) {
        fputs("usage: chorus probe URL\n", stderr);
        return 2;
    }
    struct http_url url;
    if (http_url_parse(&url, argv[0]) < 0) {
        fprintf(stderr, "chorus probe: %s is not a URL like http://127.0.0.1:3000/ready.\n", argv[0]);
        return 1;
    }
    struct loop *loop = loop_new();
    if (!loop) {
        fprintf(stderr, "chorus probe: %s\n", strerror(errno));
        return 1;
    }
    int code = probe_request(loop, argv[0]);
    loop_free(loop);
    return code;
}
