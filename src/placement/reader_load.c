#include "placement/reader_load.h"

#include <inttypes.h>
#include <jansson.h>

#include "base/buf.h"

void reader_load_write(struct buf *b, const struct reader_load *l) {
    buf_printf(b, "{\"draining\":%s,\"connects\":%" PRIu64 ",\"most\":%" PRIu64 "}",
               l->draining ? "true" : "false", l->connects, l->most);
}

static uint64_t load_number(const json_t *json, const char *name) {
    json_int_t n = json_integer_value(json_object_get(json, name));
    return n > 0 ? (uint64_t)n : 0;
}

void reader_load_read(struct reader_load *l, const char *text) {
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    *l = (struct reader_load){.draining = json_is_true(json_object_get(json, "draining")),
                              .connects = load_number(json, "connects"),
                              .most = load_number(json, "most")};
    json_decref(json);
}
