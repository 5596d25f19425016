// A request's target on the first line, header fields on the others: the path lies in the head, and what is
// decoded from it is no longer than what was sent.
#include "fuzz.h"
#include "http/request.h"
#include "http/request_parts.h"

static void take_field(struct http_request *r, const char *line) {
    const char *colon = strchr(line, ':');
    enum http_field field = colon ? http_field_find(line, (size_t)(colon - line)) : FIELD_UNKNOWN;
    uint32_t at = (uint32_t)r->head.len;
    if (field == FIELD_UNKNOWN) return;
    buf_add(&r->head, colon + 1, strlen(colon + 1) + 1);
    http_request_take_field(r, field, at);
}

static void check_parts(struct http_request *r, size_t most) {
    const char *path = r->head.data + r->path_start;
    assert(r->path_start + r->path_len + strlen(path + r->path_len) < r->head.len);
    http_request_normalize_path(r);
    for (size_t i = 1; i < r->path_len; i++) assert(path[i] != '/' || path[i - 1] != '/');
    http_request_set_params(r, (const struct http_path_part[HTTP_PARAMS]){{path, r->path_len}});
    assert(strlen(http_request_param(r, 0)) <= r->path_len);
    const char *value = http_request_query(r, "videoid");
    assert(!value || strlen(value) < most);
    assert(http_request_query(r, "videoid") == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_request r = {0};
    char *text = fuzz_text(data, size), *rest = text, *target = strsep(&rest, "\n");
    buf_add(&r.head, target, strlen(target) + 1);
    while (rest) take_field(&r, strsep(&rest, "\n"));
    if (!http_request_check_head(&r, 1)) check_parts(&r, size);
    http_request_release(&r);
    free(text);
    return 0;
}
