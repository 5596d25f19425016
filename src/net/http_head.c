#include "net/http_head.h"

#include "net/http_server.h"

enum state {
    BEFORE,    // empty lines before the start line are let pass
    BEFORE_LF, // ... the LF of one
    METHOD,
    TARGET_FIRST,
    TARGET,
    VERSION,
    START_LF,   // LF of the start line
    LINE_FIRST, // first byte of a field line
    LINE,
    LINE_LF,
    END_LF // LF of the empty line
};

static const char version[] = "HTTP/1.";
enum { VERSION_LEN = sizeof version - 1 };

// Consumes one byte of `HTTP/1.0` or `HTTP/1.1` and the CR behind it.
static enum http_head_verdict version_byte(struct http_head *h, char c) {
    if (h->version_matched < VERSION_LEN) {
        if (c != version[h->version_matched]) return HTTP_HEAD_VERSION;
    } else if (h->version_matched == VERSION_LEN) {
        if (c != '0' && c != '1') return HTTP_HEAD_VERSION;
    } else {
        if (c != '\r') return HTTP_HEAD_VERSION;
        h->state = START_LF;
    }
    h->version_matched++;
    return HTTP_HEAD_MORE;
}

static enum http_head_verdict start_line_byte(struct http_head *h, char c) {
    if (h->state == VERSION) return version_byte(h, c);
    if (c == '\r' || c == '\n') return HTTP_HEAD_BAD;
    if (c != ' ') {
        if (h->state == TARGET_FIRST) h->state = TARGET;
        return HTTP_HEAD_MORE;
    }
    if (h->state == TARGET_FIRST) return HTTP_HEAD_BAD; // two spaces
    h->state = h->state == METHOD ? TARGET_FIRST : VERSION;
    return HTTP_HEAD_MORE;
}

static enum http_head_verdict expect_lf(struct http_head *h, char c, enum state next) {
    h->state = (uint8_t)next;
    return c == '\n' ? HTTP_HEAD_MORE : HTTP_HEAD_BAD;
}

static enum http_head_verdict field_byte(struct http_head *h, char c) {
    if (c == '\n') return HTTP_HEAD_BAD;
    if (h->state == LINE_FIRST) {
        if (c == ' ' || c == '\t' || c == ':') return HTTP_HEAD_BAD; // a folded line, or no name
        h->state = c == '\r' ? END_LF : LINE;
    } else if (c == '\r') {
        h->state = LINE_LF;
    }
    return HTTP_HEAD_MORE;
}

static enum http_head_verdict one_byte(struct http_head *h, char c) {
    switch ((enum state)h->state) {
    case BEFORE:
        if (c == '\n' || c == ' ') return HTTP_HEAD_BAD;
        h->state = c == '\r' ? BEFORE_LF : METHOD;
        return HTTP_HEAD_MORE;
    case BEFORE_LF: return expect_lf(h, c, BEFORE);
    case METHOD:
    case TARGET_FIRST:
    case TARGET:
    case VERSION: return start_line_byte(h, c);
    case START_LF:
    case LINE_LF: return expect_lf(h, c, LINE_FIRST);
    case LINE_FIRST:
    case LINE: return field_byte(h, c);
    case END_LF: return c == '\n' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    }
    return HTTP_HEAD_BAD;
}

enum http_head_verdict http_head_scan(struct http_head *h, const char *bytes, size_t len, size_t *used) {
    for (size_t i = 0; i < len; i++) {
        *used = i + 1;
        if (++h->seen > HTTP_HEAD_MAX) return HTTP_HEAD_LONG;
        enum http_head_verdict v = one_byte(h, bytes[i]);
        if (v != HTTP_HEAD_MORE) return v;
    }
    *used = len;
    return HTTP_HEAD_MORE;
}
