// A stream gives the same events however it was cut on its way.
#include "clients/event_parser.h"
#include "fuzz.h"

struct seen {
    size_t events;
    uint64_t hash;
};

static void mix(struct seen *s, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) s->hash = (s->hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    s->hash = (s->hash ^ len) * 1099511628211u;
}

static void on_event(void *arg, const struct event_parsed *e) {
    struct seen *s = arg;
    s->events++;
    mix(s, e->id, strlen(e->id));
    mix(s, e->type, strlen(e->type));
    mix(s, e->data, e->data ? e->data_len : 0);
}

static bool feed(struct event_parser *p, struct seen *s, const uint8_t *data, size_t size) {
    char *bytes = fuzz_bytes(data, size);
    bool fits = event_parser_feed(p, bytes, size, on_event, s);
    free(bytes);
    return fits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct event_parser whole = {0}, cut = {0};
    struct seen expected = {0}, seen = {0};
    size_t step = 1 + fuzz_number(data, &size, 15);
    bool fits = feed(&whole, &expected, data, size);
    for (size_t at = 0; fits && at < size; at += step) {
        if (step > size - at) step = size - at;
        assert(feed(&cut, &seen, data + at, step));
    }
    assert(!fits || (seen.events == expected.events && seen.hash == expected.hash &&
                     !strcmp(whole.last_id, cut.last_id) && whole.retry_ms == cut.retry_ms));
    event_parser_reset(&whole);
    event_parser_reset(&cut);
    return 0;
}
