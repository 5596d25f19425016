// Asks the statistics service for its dashboard, as often as that has news, and draws it: on a terminal in
// place, elsewhere or with --once once. When the service is away, the last figures stay, under a line that
// says so.
//
// The terminal is left as it was, also after Ctrl-C, and while the program is stopped by Ctrl-Z.
#include "app/top_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "app/settings.h"
#include "base/buf.h"
#include "base/container_of.h"
#include "base/terminal.h"
#include "http/client.h"
#include "net/loop.h"
#include "process.h"
#include "top/screen.h"

enum { AGAIN_MS = 2000, TIMEOUT_MS = 5000, ADDRESS_SIZE = SETTINGS_URL_MAX + 16, PLAIN_COLUMNS = 100 };

// The other screen of the terminal, without a cursor; and back.
static const char enter_screen[] = "\033[?1049h\033[?25l", leave_screen[] = "\033[?25h\033[?1049l";
static const char begin_drawing[] = "\033[H", end_line[] = "\033[K\r\n", end_drawing[] = "\033[K\033[J";

struct top {
    const struct settings *settings;
    char address[ADDRESS_SIZE], trouble[ADDRESS_SIZE + 160];
    char *authorization; // NULL: none
    struct loop *loop;
    struct http_client *client;
    struct screen screen;
    struct loop_timer again;
    struct loop_fd signals, keys;
    struct terminal_keys keyboard;
    bool live; // draws in place
    bool has_keys;
    int code;
};

static void top_put(const char *text, size_t len) {
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

static void top_draw(struct top *t) {
    // The last column stays empty: after it a terminal may or may not have begun another line.
    struct terminal_size size = terminal_size(STDOUT_FILENO);
    struct buf out = {0};
    buf_add_string(&out, begin_drawing);
    screen_write(&t->screen,
                 &(struct screen_look){.columns = size.columns - 1,
                                       .rows = size.rows,
                                       .colour = terminal_has_colours(STDOUT_FILENO),
                                       .utf8 = terminal_is_utf8(),
                                       .line_end = end_line,
                                       .address = t->address,
                                       .trouble = t->trouble[0] ? t->trouble : NULL,
                                       .hint = "q quits"},
                 &out);
    buf_add_string(&out, end_drawing);
    top_put(out.data, out.len);
    buf_release(&out);
}

static void top_print(struct top *t) {
    struct buf out = {0};
    bool terminal = terminal_is(STDOUT_FILENO);
    screen_write(
        &t->screen,
        &(struct screen_look){.columns = terminal ? terminal_size(STDOUT_FILENO).columns - 1 : PLAIN_COLUMNS,
                              .colour = terminal_has_colours(STDOUT_FILENO),
                              .utf8 = terminal_is_utf8(),
                              .line_end = "\n",
                              .address = t->address},
        &out);
    buf_add_string(&out, "\n");
    top_put(out.data, out.len);
    buf_release(&out);
}

// Writes why an answer is none, as a sentence.
static void top_say_trouble(struct top *t, const struct http_client_response *a) {
    char *out = t->trouble;
    if (a->error)
        snprintf(out, sizeof t->trouble, "%s cannot be reached: %s.", t->address, strerror(-a->error));
    else if (a->status == 403)
        snprintf(
            out, sizeof t->trouble,
            "%s answers 403: it shows its dashboard to addresses in its --internal-from, and to others with its "
            "--internal-token.",
            t->address);
    else if (a->status != 200)
        snprintf(out, sizeof t->trouble, "%s answers %d: is it the statistics service?", t->address,
                 a->status);
    else
        snprintf(out, sizeof t->trouble,
                 "%s answers, but not with a dashboard: is it the statistics service?", t->address);
}

// Shows what has been asked for, and arranges the next time, if there is one.
static void top_show(struct top *t, bool fine) {
    if (t->live)
        top_draw(t);
    else if (fine && !t->settings->top.json)
        top_print(t);
    if (t->live || (t->settings->top.json && !t->settings->top.once)) {
        loop_timer_start(t->loop, &t->again, fine ? screen_every_ms(&t->screen) : AGAIN_MS);
        return;
    }
    t->code = fine ? 0 : 1;
    loop_stop(t->loop);
}

static void on_dashboard(void *arg, const struct http_client_response *a) {
    struct top *t = arg;
    if (a->error == -ECANCELED) return;
    bool fine = !a->error && a->status == 200 && screen_take(&t->screen, a->body, a->body_len);
    t->trouble[0] = 0;
    if (!fine) top_say_trouble(t, a);
    if (!fine && !t->live) fprintf(stderr, "chorus top: %s\n", t->trouble);
    if (fine && t->settings->top.json) top_put(a->body, a->body_len);
    top_show(t, fine);
}

static void on_again(struct loop_timer *timer) {
    struct top *t = container_of(timer, struct top, again);
    char url[ADDRESS_SIZE + 16];
    snprintf(url, sizeof url, "%s/dashboard", t->address);
    http_client_request(
        t->client,
        &(struct http_client_request){
            .method = "GET", .url = url, .authorization = t->authorization, .timeout_ms = TIMEOUT_MS},
        on_dashboard, t);
}

static void top_enter(struct top *t) {
    t->has_keys = terminal_take_keys(&t->keyboard, STDIN_FILENO);
    top_put(enter_screen, sizeof enter_screen - 1);
}

static void top_leave(struct top *t) {
    top_put(leave_screen, sizeof leave_screen - 1);
    if (t->has_keys) terminal_release_keys(&t->keyboard);
}

static void on_signal(struct loop_fd *f, uint32_t events) {
    struct top *t = container_of(f, struct top, signals);
    int number = process_next_signal(f->fd);
    (void)events;
    if (number == SIGTSTP && t->live) {
        top_leave(t);
        raise(SIGSTOP); // returns when the shell continues it
        top_enter(t);
    }
    if (number == SIGINT || number == SIGTERM)
        loop_stop(t->loop);
    else if (number && t->live)
        top_draw(t); // the size has changed, or the terminal was someone else's
}

static void on_key(struct loop_fd *f, uint32_t events) {
    struct top *t = container_of(f, struct top, keys);
    char keys[64];
    (void)events;
    ssize_t n = read(f->fd, keys, sizeof keys);
    if (n <= 0) {
        loop_fd_remove(t->loop, f); // the keyboard is gone
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        if (keys[i] == 'q' || keys[i] == 'Q') loop_stop(t->loop);
}

static int run_top(struct top *t, int signals) {
    t->again.on_due = on_again;
    t->signals.on_event = on_signal;
    t->keys = (struct loop_fd){.fd = -1, .on_event = on_key};
    loop_fd_add(t->loop, &t->signals, signals, EPOLLIN);
    if (t->live) top_enter(t);
    if (t->live) top_draw(t);
    if (t->has_keys) loop_fd_add(t->loop, &t->keys, STDIN_FILENO, EPOLLIN);
    loop_timer_start(t->loop, &t->again, 0);
    int error = loop_run(t->loop);
    if (t->live) top_leave(t);
    if (t->keys.fd >= 0) loop_fd_remove(t->loop, &t->keys);
    loop_fd_remove(t->loop, &t->signals);
    loop_timer_stop(t->loop, &t->again);
    return error ? 1 : t->code;
}

static void set_address(struct top *t, const char *given) {
    size_t len = strlen(given);
    while (len && given[len - 1] == '/') len--;
    snprintf(t->address, sizeof t->address, "%.*s", (int)len, given);
}

int top_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    struct top t = {.settings = &set};
    if (!settings_begin(&set, &options, COMMAND_TOP, argc, argv)) return 2;
    set_address(&t, set.statistics_url);
    t.authorization = http_client_bearer(set.internal_token);
    t.live = !set.top.once && !set.top.json && terminal_is(STDOUT_FILENO);
    int signals = process_take_signals();
    if (signals >= 0) process_take_too(signals, SIGWINCH);
    if (signals >= 0 && t.live) process_take_too(signals, SIGTSTP);
    t.loop = signals < 0 ? NULL : loop_new();
    if (!t.loop) {
        fputs("chorus top: There is no file descriptor left.\n", stderr);
        return 1;
    }
    t.client = http_client_new(t.loop);
    int code = run_top(&t, signals);
    http_client_free(t.client);
    loop_free(t.loop);
    screen_release(&t.screen);
    free(t.authorization);
    process_release_signals(signals);
    options_release(&options);
    return code;
}
