#include "head.h"

#include <stdbool.h>

#include "http/request.h"

enum state {
    BEFORE,    // empty lines before the start line are let pass
    BEFORE_LF, // ... the LF of one
    METHOD,
    TARGET_FIRST,
    TARGET,
    VERSION,
    START_LF,   // LF of the start line
    LINE_FIRST, // first byte of a field line
    NAME,
    VALUE,
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

// RFC 9110, 5.6.2 and 5.5
enum { IN_VALUE = 1, IN_NAME = 2, IN_BOTH = 3 };
static const unsigned char classes[256] = {
    ['\t'] = IN_VALUE,        [' '] = IN_VALUE,         ['!'] = IN_BOTH,         ['"'] = IN_VALUE,
    ['#' ... '\''] = IN_BOTH, ['(' ... ')'] = IN_VALUE, ['*' ... '+'] = IN_BOTH, [','] = IN_VALUE,
    ['-' ... '.'] = IN_BOTH,  ['/'] = IN_VALUE,         ['0' ... '9'] = IN_BOTH, [':' ... '@'] = IN_VALUE,
    ['A' ... 'Z'] = IN_BOTH,  ['[' ... ']'] = IN_VALUE, ['^' ... 'z'] = IN_BOTH, ['{'] = IN_VALUE,
    ['|'] = IN_BOTH,          ['}'] = IN_VALUE,         ['~'] = IN_BOTH,         [0x80 ... 0xff] = IN_VALUE,
};

// Goes over what may stand in the name or the value that the scanner is in.
static size_t skip_plain(const struct http_head *h, const char *bytes, size_t len) {
    if (h->state != NAME && h->state != VALUE) return 0;
    unsigned char class = h->state == NAME ? IN_NAME : IN_VALUE;
    size_t i = 0;
    while (i < len && classes[(unsigned char)bytes[i]] & class) i++;
    return i;
}

// A byte that begins a line, or that ends a name or a value.
static enum http_head_verdict field_byte(struct http_head *h, char c) {
    bool first = h->state == LINE_FIRST;
    if (h->state == NAME && c == ':')
        h->state = VALUE;
    else if (h->state == VALUE && c == '\r')
        h->state = LINE_LF;
    else if (first && c == '\r')
        h->state = END_LF;
    else if (first && classes[(unsigned char)c] & IN_NAME)
        h->state = NAME;
    else
        return HTTP_HEAD_BAD; // a folded line, or no name, too
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
    case NAME:
    case VALUE: return field_byte(h, c);
    case END_LF: return c == '\n' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    }
    return HTTP_HEAD_BAD;
}

enum http_head_verdict http_head_scan(struct http_head *h, const char *bytes, size_t len, size_t *used) {
    size_t room = HTTP_HEAD_MAX - h->seen, most = len < room ? len : room;
    for (size_t i = 0; (i += skip_plain(h, bytes + i, most - i)) < most;) {
        enum http_head_verdict v = one_byte(h, bytes[i++]);
        if (v == HTTP_HEAD_MORE) continue;
        h->seen += i;
        *used = i;
        return v;
    }
    h->seen += most;
    *used = most < len ? most + 1 : len;
    return most < len ? HTTP_HEAD_LONG : HTTP_HEAD_MORE;
}
