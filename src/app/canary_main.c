#include "app/canary_main.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "base/log.h"
#include "clients/canary.h"
#include "http/client.h"
#include "http/url.h"
#include "net/loop.h"

enum { BASE_SIZE = 512 };

static void print_line(const struct canary_config *c, const struct canary_result *r) {
    printf("%s video=%s", r->why ? "failed" : "ok", c->video);
    if (*r->reader) printf(" reader=%s", r->reader);
    if (r->connect_ms >= 0) printf(" connect_ms=%.1f", r->connect_ms);
    if (r->post_ms >= 0) printf(" post_ms=%.1f", r->post_ms);
    if (r->delivery_ms >= 0) printf(" delivery_ms=%.1f", r->delivery_ms);
    if (r->why) printf(" why=\"%s\"", r->why);
    putchar('\n');
}

static void set_ms(json_t *o, const char *name, double ms) {
    if (ms >= 0) json_object_set_new(o, name, json_real(ms));
}

static void print_json(const struct canary_config *c, const struct canary_result *r) {
    json_t *o = json_pack("{s:b, s:s}", "ok", !r->why, "video", c->video);
    if (*r->reader) json_object_set_new(o, "readerUrl", json_string(r->reader));
    set_ms(o, "connectMs", r->connect_ms);
    set_ms(o, "postMs", r->post_ms);
    set_ms(o, "deliveryMs", r->delivery_ms);
    if (r->why) json_object_set_new(o, "why", json_string(r->why)); // left out if it is not UTF-8
    json_dumpf(o, stdout, JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(o);
}

// Returns whether the comment came back.
static bool canary_once(const struct canary_config *config, bool json) {
    struct canary_result result;
    struct loop *loop = loop_new();
    if (!loop) {
        fprintf(stderr, "chorus canary: %s.\n", strerror(errno));
        return false;
    }
    bool ok = canary_run(loop, config, &result);
    loop_free(loop);
    if (json)
        print_json(config, &result);
    else
        print_line(config, &result);
    fflush(stdout);
    return ok;
}

static int run_canary(const struct settings *set, const char *url) {
    char base[BASE_SIZE];
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    snprintf(base, sizeof base, "%.*s", (int)len, url);
    char *authorization = http_client_bearer(set->bearer);
    struct canary_config config = {.url = base,
                                   .video = set->canary.video,
                                   .authorization = authorization,
                                   .timeout_ms = set->canary.timeout_ms};
    int code = canary_once(&config, set->canary.json) ? 0 : 1;
    free(authorization);
    return code;
}

int canary_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    struct http_url parsed;
    const char *url = settings_take_operand(COMMAND_CANARY, &argc, argv);
    if (!settings_begin(&set, &options, COMMAND_CANARY, argc, argv)) return 2;
    int code = 2;
    log_set_level(LOG_WARN);
    log_set_format_for_stderr(LOG_LOGFMT);
    if (url && http_url_parse(&parsed, url) == -EPROTONOSUPPORT)
        fprintf(
            stderr,
            "chorus canary: It speaks only http://, which %s is not; give it an address behind the proxy.\n",
            url);
    else if (!url || strlen(url) >= BASE_SIZE || http_url_parse(&parsed, url) < 0)
        fprintf(stderr, "chorus canary: It needs the URL of a comment API, like http://127.0.0.1:3000.\n");
    else
        code = run_canary(&set, url);
    options_release(&options);
    return code;
}
