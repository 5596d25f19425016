#include "bench/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// Returns the length of the placeholder at `text`, with its braces; 0 if there is none.
static size_t name_at(const char *text, const struct template_values *v, const char **value) {
    const struct {
        const char *name, *value;
    } names[] = {{"{video}", v->video}, {"{viewer}", v->viewer}, {"{body}", v->body}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i].name);
        if (strncmp(text, names[i].name, len) != 0) continue;
        *value = names[i].value ? names[i].value : "";
        return len;
    }
    return 0;
}

void template_expand(struct buf *out, const char *text, const struct template_values *v) {
    while (*text) {
        const char *value;
        size_t plain = strcspn(text, "{"), name;
        buf_add(out, text, plain);
        text += plain;
        if (!*text) return;
        name = name_at(text, v, &value);
        if (name)
            buf_add_string(out, value);
        else
            buf_add(out, text, 1);
        text += name ? name : 1;
    }
}

const char *template_path(const char *url) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return host + strcspn(host, "/?");
}

static bool is_method(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] < 'A' || text[i] > 'Z') return false;
    return len && len < sizeof((struct bench_request *)0)->method;
}

bool bench_request_parse(struct bench_request *r, const char *text) {
    *r = (struct bench_request){0};
    size_t method = strcspn(text, " ");
    if (!is_method(text, method) || !text[method]) return false;
    memcpy(r->method, text, method);
    const char *url = text + method + 1;
    size_t len = strcspn(url, " ");
    if (!len) return false;
    r->url = mem_strndup(url, len);
    if (url[len]) r->body = mem_strdup(url + len + 1);
    return true;
}

void bench_request_release(struct bench_request *r) {
    free(r->url);
    free(r->body);
    *r = (struct bench_request){0};
}
