#include "ask.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/id.h"
#include "net/loop.h"

struct asked {
    struct loop *loop;
    http_client_cb *done;
    void *arg;
};

int ask_main(enum command command, const char *what, int argc, char **argv, ask_run *run) {
    struct settings set;
    struct options options;
    const char *id = settings_take_operand(command, &argc, argv);
    if (!settings_begin(&set, &options, command, argc, argv)) return 2;
    int code = 2;
    if (!id || !id_is_valid(id, strlen(id)))
        fprintf(stderr, "chorus %s: It needs %s: 1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @.\n",
                settings_command_name(command), what);
    else
        code = run(&set, id);
    options_release(&options);
    return code;
}

bool ask_begin(struct ask *a, enum command command, const char *token) {
    *a = (struct ask){.command = command, .loop = loop_new()};
    if (!a->loop) {
        fprintf(stderr, "chorus %s: %s.\n", settings_command_name(command), strerror(errno));
        return false;
    }
    a->client = http_client_new(a->loop);
    a->authorization = http_client_bearer(token);
    return true;
}

void ask_end(struct ask *a) {
    http_client_free(a->client);
    free(a->authorization);
    loop_free(a->loop);
}

static void on_asked(void *arg, const struct http_client_response *answer) {
    const struct asked *asked = arg;
    asked->done(asked->arg, answer);
    loop_stop(asked->loop);
}

void ask_request(struct ask *a, const struct http_client_request *request, http_client_cb *done, void *arg) {
    struct asked asked = {a->loop, done, arg};
    struct http_client_request q = *request;
    q.authorization = a->authorization;
    http_client_request(a->client, &q, on_asked, &asked);
    loop_run(a->loop);
}

struct pause {
    struct loop_timer timer;
    struct loop *loop;
};

static void on_pause_over(struct loop_timer *t) {
    loop_stop(container_of(t, struct pause, timer)->loop);
}

void ask_pause(struct ask *a, int64_t ms) {
    struct pause pause = {.timer.on_due = on_pause_over, .loop = a->loop};
    loop_timer_start(a->loop, &pause.timer, ms);
    loop_run(a->loop);
}

void ask_url(char url[ASK_URL_SIZE], const char *address, const char *path, ...) {
    size_t len = strlen(address);
    while (len && address[len - 1] == '/') len--;
    if (len > SETTINGS_URL_MAX) len = SETTINGS_URL_MAX;
    memcpy(url, address, len);
    va_list args;
    va_start(args, path);
    vsnprintf(url + len, ASK_URL_SIZE - len, path, args);
    va_end(args);
}

void ask_say_failed(const struct ask *a, const char *address, const struct http_client_response *answer) {
    const char *name = settings_command_name(a->command);
    if (answer->error) {
        fprintf(stderr, "chorus %s: %s cannot be reached: %s.\n", name, address, strerror(-answer->error));
        return;
    }
    json_t *body = json_loadb(answer->body, answer->body_len, 0, NULL);
    const char *sentence = json_string_value(json_object_get(body, "error"));
    bool may_have_one = answer->status == 401 && !a->authorization;
    fprintf(stderr, "chorus %s: %s answers %d%s%s%s\n", name, address, answer->status, sentence ? ": " : ".",
            sentence ? sentence : "", may_have_one ? " Give one with --token." : "");
    json_decref(body);
}
