// The figures are those of the dashboard: it is asked for them over HTTP, like by any other client.
#include "live_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/settings.h"
#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "http/client.h"
#include "net/loop.h"
#include "system.h"
#include "top/screen.h"
#include "top/summary.h"

enum { EVERY_MS = 1000, TIMEOUT_MS = 5000 };

const char live_line_clear[] = "\r\033[K";

struct live_line {
    struct loop *loop;
    struct http_client *client;
    struct loop_timer timer;
    struct screen screen;
    unsigned columns; // that it takes up
    char url[SYSTEM_URL_SIZE + 16];
    const struct settings *settings;
};

// A terminal that has become narrower may have wrapped the line: then it takes up several.
static void live_line_add_clear(const struct live_line *l, unsigned columns, struct buf *out) {
    unsigned wrapped = l->columns > columns ? (l->columns - 1) / columns : 0;
    if (wrapped)
        buf_printf(out, "\033[%uA\r\033[J", wrapped);
    else
        buf_add_string(out, live_line_clear);
}

static void live_line_put(struct buf *out) {
    fwrite(out->data, 1, out->len, stdout);
    fflush(stdout);
    buf_release(out);
}

static void live_line_draw(struct live_line *l) {
    struct buf out = {0};
    unsigned columns = terminal_size(STDOUT_FILENO).columns;
    live_line_add_clear(l, columns, &out);
    l->columns = summary_write(&l->screen, columns - 1, terminal_has_colours(STDOUT_FILENO), &out);
    live_line_put(&out);
}

static void on_figures(void *arg, const struct http_client_response *a) {
    struct live_line *l = arg;
    if (a->error == -ECANCELED) return;
    if (!a->error && a->status == 200) screen_take(&l->screen, a->body, a->body_len);
    live_line_draw(l);
    loop_timer_start(l->loop, &l->timer, EVERY_MS);
}

static void on_live_line_due(struct loop_timer *t) {
    struct live_line *l = container_of(t, struct live_line, timer);
    char *authorization = http_client_bearer(l->settings->internal_token);
    http_client_request(
        l->client,
        &(struct http_client_request){
            .method = "GET", .url = l->url, .authorization = authorization, .timeout_ms = TIMEOUT_MS},
        on_figures, l);
    free(authorization);
}

struct live_line *live_line_start(struct system *s, const struct settings *set) {
    struct live_line *l = mem_zalloc(sizeof *l);
    l->loop = system_loop(s);
    l->settings = set;
    l->client = http_client_new(l->loop);
    l->timer.on_due = on_live_line_due;
    snprintf(l->url, sizeof l->url, "%s/dashboard", system_url(s, "statistics"));
    loop_timer_start(l->loop, &l->timer, 0);
    return l;
}

void live_line_free(struct live_line *l) {
    if (!l) return;
    struct buf out = {0};
    live_line_add_clear(l, terminal_size(STDOUT_FILENO).columns, &out);
    live_line_put(&out);
    loop_timer_stop(l->loop, &l->timer);
    http_client_free(l->client);
    screen_release(&l->screen);
    free(l);
}
