#include "app/ledger_main.h"

#include <jansson.h>
#include <stdio.h>

#include "app/settings.h"
#include "ask.h"

enum { TIMEOUT_MS = 5000 };

struct ledger_query {
    struct ask ask;
    const char *address;
    bool json;
    int code;
};

static const char *const columns[] = {"due",       "delivered", "sampled", "dropped",
                                      "retracted", "waiting",   "unknown"};
static const char *const reasons[] = {"slow", "lost", "left"};

enum { COLUMNS = sizeof columns / sizeof *columns, REASONS = sizeof reasons / sizeof *reasons };

static void print_row(const char *name, const json_t *row, const char *note) {
    const json_t *dropped = json_object_get(row, "droppedAs");
    printf("%-20s", name);
    for (size_t i = 0; i < COLUMNS; i++)
        printf(" %*lld", i ? 10 : 12, (long long)json_integer_value(json_object_get(row, columns[i])));
    for (size_t i = 0; i < REASONS; i++)
        printf("%s%lld %s", i ? ", " : "  ",
               (long long)json_integer_value(json_object_get(dropped, reasons[i])), reasons[i]);
    printf("%s\n", note);
}

static void print_ledger(const json_t *ledger, bool closes) {
    const json_t *row;
    size_t i;
    printf("%-20s", "");
    for (i = 0; i < COLUMNS; i++) printf(" %*s", i ? 10 : 12, columns[i]);
    puts("  dropped as");
    json_array_foreach(json_object_get(ledger, "readers"), i, row) {
        bool ended = json_is_true(json_object_get(row, "ended"));
        const char *note = !json_is_true(json_object_get(row, "closes")) ? "; does not close"
                           : ended                                       ? "; has ended"
                                                                         : "";
        print_row(json_string_value(json_object_get(row, "instanceId")), row, note);
    }
    print_row("all", ledger, "");
    puts(closes ? "It closes." : "It does not close: pairs of a comment and a viewer are missing.");
}

static int show_answer(const struct ledger_query *q, const char *body, size_t len) {
    json_t *ledger = json_loadb(body, len, 0, NULL);
    bool is_ledger = json_is_boolean(json_object_get(ledger, "closes"));
    bool closes = json_is_true(json_object_get(ledger, "closes"));
    if (!is_ledger)
        fprintf(stderr, "chorus ledger: %s answers, but not with a ledger: is it the statistics service?\n",
                q->address);
    else if (q->json)
        printf("%.*s\n", (int)len, body);
    else
        print_ledger(ledger, closes);
    json_decref(ledger);
    return closes ? 0 : 1;
}

static void on_ledger(void *arg, const struct http_client_response *a) {
    struct ledger_query *q = arg;
    if (!a->error && a->status == 403)
        fprintf(stderr,
                "chorus ledger: %s answers 403: it shows ledgers to addresses in its --internal-from, and to "
                "others with its --internal-token.\n",
                q->address);
    else if (!a->error && a->status == 404)
        fprintf(stderr, "chorus ledger: No reader has reported this video to %s.\n", q->address);
    else if (a->error || a->status != 200)
        ask_say_failed(&q->ask, q->address, a);
    else
        q->code = show_answer(q, a->body, a->body_len);
}

static int run_ledger(const struct settings *set, const char *video) {
    char url[ASK_URL_SIZE];
    struct ledger_query q = {.address = set->statistics_url, .json = set->ledger.json, .code = 1};
    if (!ask_begin(&q.ask, COMMAND_LEDGER, set->internal_token)) return 1;
    ask_url(url, set->statistics_url, "/videos/%s/ledger", video);
    ask_request(&q.ask, &(struct http_client_request){.method = "GET", .url = url, .timeout_ms = TIMEOUT_MS},
                on_ledger, &q);
    ask_end(&q.ask);
    return q.code;
}

int ledger_main(int argc, char **argv) {
    return ask_main(COMMAND_LEDGER, "a video", argc, argv, run_ledger);
}
