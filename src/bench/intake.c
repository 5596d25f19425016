#include "intake.h"

#include <stdlib.h>

#include "base/mem.h"

// One call of intake_feed().
struct feeding {
    struct scan scan;
    const struct intake_calls *calls;
    void *arg;
    bool head_is_read, is_framed;
};

static int intake_on_head(llhttp_t *p) {
    struct feeding *f = p->data;
    if (p->status_code != 200) return -1;
    f->head_is_read = true;
    f->is_framed = p->flags & (F_CHUNKED | F_CONTENT_LENGTH);
    f->calls->on_stream(f->arg);
    return 0;
}

static int intake_on_body(llhttp_t *p, const char *at, size_t len) {
    struct feeding *f = p->data;
    return scan_feed(&f->scan, at, len, f->calls->on_event, f->arg) ? 0 : -1;
}

// The stream is over when its body ends.
static int intake_on_end(llhttp_t *p) {
    (void)p;
    return -1;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = intake_on_head, .on_body = intake_on_body, .on_message_complete = intake_on_end};

void intake_begin(struct intake *in) {
    *in = (struct intake){.http = mem_alloc(sizeof *in->http)};
    llhttp_init(in->http, HTTP_RESPONSE, &settings);
}

static bool intake_execute(struct intake *in, struct feeding *f, const char *bytes, size_t len) {
    in->http->data = f;
    bool fine = llhttp_execute(in->http, bytes, len) == HPE_OK;
    if (!f->head_is_read || f->is_framed) return fine;
    free(in->http);
    in->http = NULL;
    return fine;
}

static void intake_keep_scan(struct intake *in, const struct feeding *f) {
    if (scan_is_at_rest(&f->scan)) {
        free(in->scan);
        in->scan = NULL;
        return;
    }
    if (!in->scan) in->scan = mem_alloc(sizeof *in->scan);
    *in->scan = f->scan;
}

bool intake_feed(struct intake *in, const char *bytes, size_t len, const struct intake_calls *calls,
                 void *arg) {
    struct feeding f = {.calls = calls, .arg = arg};
    if (in->scan) f.scan = *in->scan;
    bool fine =
        in->http ? intake_execute(in, &f, bytes, len) : scan_feed(&f.scan, bytes, len, calls->on_event, arg);
    intake_keep_scan(in, &f);
    return fine;
}

int intake_status(const struct intake *in) {
    return in->http ? in->http->status_code : 0;
}

void intake_release(struct intake *in) {
    if (in->scan) scan_release(in->scan);
    free(in->scan);
    free(in->http);
    *in = (struct intake){.http = NULL};
}
