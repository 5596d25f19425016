#include "app/ctl_main.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/settings.h"
#include "base/buf.h"
#include "base/id.h"
#include "net/sock.h"

const char ctl_usage[] =
    "status | drain READER | stay READER | move VIDEO [READER] | plan | apply | stop  [OPTIONS]";

enum { SEEN_TRIES = 50, SEEN_AGAIN_MS = 100, WORDS = 3 };

struct ctl {
    const struct settings *settings;
    char path[SETTINGS_PATH_MAX];
    struct buf answer;
    const char *body; // of the answer
    int status;
};

static int ctl_fail(const struct ctl *c, const char *what) {
    fprintf(stderr, "chorus ctl: %s: %s.\n", c->path, what);
    return 1;
}

static const char *why_not(int error) {
    if (error == -ENOENT)
        return "There is no such socket: give that of a running process with --control, or its --data";
    if (error == -ECONNREFUSED) return "No process listens there: it has ended";
    if (error == -EAGAIN) return "It does not answer: the process hangs, or has too much to do";
    if (error == -EPIPE || error == -ECONNRESET)
        return "It has closed the connection: too many commands at once, or it is ending";
    if (error == -EACCES) return "Permission denied: only the user that runs the process may";
    return strerror(-error);
}

// Returns 0 or a negative errno.
static int ctl_exchange(int fd, const struct buf *request, struct buf *answer) {
    ssize_t n = sock_write(fd, request->data, request->len); // a new socket has room for it
    if (n < 0) return (int)n;
    while ((n = read(fd, buf_reserve(answer, 4096), 4096)) > 0) answer->len += (size_t)n;
    if (n < 0 && (errno != ECONNRESET || !answer->len)) return -errno;
    return answer->len ? 0 : -ECONNRESET;
}

// Returns 0, and the answer, or 1 and has said why.
static int ctl_ask(struct ctl *c, const char *method, const char *target) {
    struct buf request = {0};
    int fd = sock_connect_unix(c->path, c->settings->ctl_timeout_ms);
    if (fd < 0) return ctl_fail(c, why_not(fd));
    buf_clear(&c->answer);
    buf_printf(&request, "%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", method, target);
    int error = ctl_exchange(fd, &request, &c->answer);
    buf_release(&request);
    close(fd);
    const char *text = buf_string(&c->answer), *end = strstr(text, "\r\n\r\n");
    c->body = end ? end + 4 : "";
    c->status = end && strlen(text) > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
    if (error) return ctl_fail(c, why_not(error));
    return c->status ? 0 : ctl_fail(c, "It answers, but not as a control socket");
}

// An order that is refused. Returns 1.
static int ctl_refused(const struct ctl *c) {
    json_t *json = json_loads(c->body, 0, NULL);
    const char *why = json_string_value(json_object_get(json, "error"));
    fprintf(stderr, "chorus ctl: %s\n", why ? why : "It has been refused.");
    json_decref(json);
    return 1;
}

static const char *text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "-";
}

static long long number_of(const json_t *json, const char *name) {
    return (long long)json_integer_value(json_object_get(json, name));
}

static void print_status(const json_t *status) {
    const json_t *row;
    size_t i;
    printf("%-24s %-9s %12s %12s %14s  %s\n", "reader", "state", "viewers", "at most", "takes a second",
           "address");
    json_array_foreach(json_object_get(status, "readers"), i, row)
        printf("%-24s %-9s %12lld %12lld %14lld  %s\n", text_of(row, "instanceId"), text_of(row, "state"),
               number_of(row, "viewers"), number_of(row, "maxViewers"), number_of(row, "connects"),
               text_of(row, "readerUrl"));
    printf("The fullest has %lld %% of the mean.%s\n", number_of(status, "maxOfMeanPercent"),
           json_is_true(json_object_get(status, "rebalancing")) ? " Rebalancing." : "");
}

static void print_plan(const json_t *plan) {
    const json_t *move;
    size_t i;
    long long viewers = 0;
    json_array_foreach(json_object_get(plan, "moves"), i, move) {
        printf("move %s %s  # %lld viewers, from %s\n", text_of(move, "videoid"), text_of(move, "to"),
               number_of(move, "viewers"), text_of(move, "from"));
        viewers += number_of(move, "viewers");
    }
    printf("# The fullest reader has %lld %% of the mean. %zu videos would move, with %lld viewers.\n",
           number_of(plan, "maxOfMeanPercent"), json_array_size(json_object_get(plan, "moves")), viewers);
}

static void print_move(const json_t *move) {
    printf("%s goes from %s to %s.\n", text_of(move, "videoid"), text_of(move, "from"), text_of(move, "to"));
}

static void print_rebalancing(const json_t *answer) {
    puts(
        json_is_true(json_object_get(answer, "rebalancing"))
            ? "Where a reader has more than 125 % of the mean for a minute, its coldest videos move, with 1 % of all viewers a minute at most, until `stop`."
            : "No more videos move.");
}

// Asks, and prints what comes.
static int ctl_show(struct ctl *c, const char *method, const char *target, void (*print)(const json_t *)) {
    if (ctl_ask(c, method, target)) return 1;
    if (c->status != 200) return ctl_refused(c);
    json_t *json = json_loads(c->body, 0, NULL);
    if (c->settings->ctl_json)
        fputs(c->body, stdout);
    else
        print(json);
    json_decref(json);
    return 0;
}

// Returns what the status says of the reader that an answer is about.
static bool reader_has_state(const json_t *status, const char *url, bool draining) {
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(status, "readers"), i, row)
        if (!strcmp(text_of(row, "readerUrl"), url))
            return !strcmp(text_of(row, "state"), "draining") == draining;
    return false;
}

// The order is a message, which may get lost; that it has come shows in the reader's lease.
static int ctl_drain(struct ctl *c, const char *target, bool draining) {
    if (ctl_ask(c, "POST", target)) return 1;
    if (c->status != 200) return ctl_refused(c);
    json_t *row = json_loads(c->body, 0, NULL);
    char url[SETTINGS_URL_MAX + 1];
    snprintf(url, sizeof url, "%s", text_of(row, "readerUrl"));
    long long viewers = number_of(row, "viewers");
    json_decref(row);
    bool seen = false;
    for (int i = 0; i < SEEN_TRIES && !seen; i++) {
        if (ctl_ask(c, "GET", "/status")) return 1;
        json_t *status = json_loads(c->body, 0, NULL);
        seen = reader_has_state(status, url, draining);
        json_decref(status);
        struct timespec pause = {.tv_nsec = SEEN_AGAIN_MS * 1000000};
        if (!seen) nanosleep(&pause, NULL);
    }
    if (!seen) {
        fprintf(stderr, "chorus ctl: %s has not answered: is it an older version?\n", url);
        return 1;
    }
    if (draining)
        printf("%s is draining: %lld viewers leave. `chorus ctl status` shows how many are left.\n", url,
               viewers);
    else
        printf("%s stays.\n", url);
    return 0;
}

static int ctl_move(struct ctl *c, const char *video, const char *reader) {
    char target[2 * SETTINGS_URL_MAX];
    snprintf(target, sizeof target, "/move?videoid=%s%s%s", video, reader ? "&reader=" : "",
             reader ? reader : "");
    return ctl_show(c, "POST", target, print_move);
}

// Neither is encoded: what has a meaning in a query is in no name of either.
static bool is_name(const char *word) {
    return *word && strlen(word) <= SETTINGS_URL_MAX && !strpbrk(word, " &#%+?\r\n\t");
}

static int ctl_run(struct ctl *c, char *const word[WORDS]) {
    char target[SETTINGS_URL_MAX + 32];
    const char *verb = word[0], *name = word[1];
    bool drains = !strcmp(verb, "drain"), stays = !strcmp(verb, "stay");
    if (!name && !strcmp(verb, "status")) return ctl_show(c, "GET", "/status", print_status);
    if (!name && !strcmp(verb, "plan")) return ctl_show(c, "GET", "/plan", print_plan);
    if (!name && !strcmp(verb, "apply")) return ctl_show(c, "POST", "/apply", print_rebalancing);
    if (!name && !strcmp(verb, "stop")) return ctl_show(c, "POST", "/stop", print_rebalancing);
    if ((drains || stays) && name && !word[2] && is_name(name)) {
        snprintf(target, sizeof target, "/%s?reader=%s", verb, name);
        return ctl_drain(c, target, drains);
    }
    if (!strcmp(verb, "move") && name && id_is_valid(name, strlen(name)) && (!word[2] || is_name(word[2])))
        return ctl_move(c, name, word[2]);
    fprintf(stderr, "usage: chorus ctl %s\n", ctl_usage);
    return 2;
}

// Of the manager of a package or a container, where none is named and there is no data folder of `up` here.
static void ctl_choose_socket(struct ctl *c) {
    static const char usual[] = "/run/chorus/control.sock";
    const struct settings *s = c->settings;
    settings_control_path(s, c->path);
    bool is_named = s->control || strcmp(s->data, SETTINGS_DATA) != 0;
    if (!is_named && access(c->path, F_OK) && (!access(usual, F_OK) || errno != ENOENT))
        snprintf(c->path, sizeof c->path, "%s", usual);
}

int ctl_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    char *word[WORDS + 1] = {NULL};
    for (int i = 0; i <= WORDS; i++) word[i] = settings_take_operand(COMMAND_CTL, &argc, argv);
    if (!settings_begin(&set, &options, COMMAND_CTL, argc, argv)) return 2;
    struct ctl c = {.settings = &set};
    ctl_choose_socket(&c);
    int code = 2;
    if (word[0] && !word[WORDS])
        code = ctl_run(&c, word);
    else
        fprintf(stderr, "usage: chorus ctl %s\n", ctl_usage);
    buf_release(&c.answer);
    options_release(&options);
    return code;
}
