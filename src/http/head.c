#include "head.h"

#include <stdbool.h>

#include "http/request.h"

enum state {
    BEFORE,    // empty lines before the start line are skipped
    BEFORE_LF, // the LF of one
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

// A byte of `HTTP/1.0` or `HTTP/1.1` that head_skip() has not passed, or the CR behind it.
static enum http_head_verdict head_version_byte(struct http_head *h, char c) {
    bool is_minor = h->version_matched == VERSION_LEN && (c == '0' || c == '1');
    bool is_end = h->version_matched > VERSION_LEN && c == '\r';
    if (!is_minor && !is_end) return HTTP_HEAD_VERSION;
    if (is_end) h->state = START_LF;
    h->version_matched++;
    return HTTP_HEAD_MORE;
}

static enum http_head_verdict head_expect_lf(struct http_head *h, char c, enum state next) {
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

// Returns how many bytes leave the state as it is.
static size_t head_skip(struct http_head *h, const char *bytes, size_t len) {
    size_t i = 0;
    if (h->state == NAME)
        while (i < len && classes[(unsigned char)bytes[i]] & IN_NAME) i++;
    else if (h->state == VALUE)
        while (i < len && classes[(unsigned char)bytes[i]] & IN_VALUE) i++;
    else if (h->state == METHOD || h->state == TARGET)
        while (i < len && bytes[i] != ' ' && bytes[i] != '\r' && bytes[i] != '\n') i++;
    else if (h->state == VERSION)
        for (; i < len && h->version_matched < VERSION_LEN && bytes[i] == version[h->version_matched]; i++)
            h->version_matched++;
    return i;
}

// A byte that begins a line, or ends a name or a value.
static enum http_head_verdict head_field_byte(struct http_head *h, char c) {
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
        return HTTP_HEAD_BAD; // also a folded line
    return HTTP_HEAD_MORE;
}

static enum http_head_verdict head_byte(struct http_head *h, char c) {
    switch ((enum state)h->state) {
    case BEFORE:
        if (c == '\n' || c == ' ') return HTTP_HEAD_BAD;
        h->state = c == '\r' ? BEFORE_LF : METHOD;
        return HTTP_HEAD_MORE;
    case BEFORE_LF: return head_expect_lf(h, c, BEFORE);
    case METHOD:
    case TARGET: // ends here, at a space (head_skip)
        h->state = h->state == METHOD ? TARGET_FIRST : VERSION;
        return c == ' ' ? HTTP_HEAD_MORE : HTTP_HEAD_BAD;
    case TARGET_FIRST:
        h->state = TARGET;
        return c == ' ' || c == '\r' || c == '\n' ? HTTP_HEAD_BAD : HTTP_HEAD_MORE;
    case VERSION: return head_version_byte(h, c);
    case START_LF:
    case LINE_LF: return head_expect_lf(h, c, LINE_FIRST);
    case LINE_FIRST:
    case NAME:
    case VALUE: return head_field_byte(h, c);
    case END_LF: return c == '\n' ? HTTP_HEAD_DONE : HTTP_HEAD_BAD;
    }
    return HTTP_HEAD_BAD;
}

enum http_head_verdict http_head_scan(struct http_head *h, const char *bytes, size_t len, size_t *used) {
    size_t room = HTTP_HEAD_MAX - h->seen, most = len < room ? len : room;
    for (size_t i = 0; (i += head_skip(h, bytes + i, most - i)) < most;) {
        enum http_head_verdict v = head_byte(h, bytes[i++]);
        if (v == HTTP_HEAD_MORE) continue;
        h->seen += i;
        *used = i;
        return v;
    }
    h->seen += most;
    *used = most < len ? most + 1 : len;
    return most < len ? HTTP_HEAD_LONG : HTTP_HEAD_MORE;
}
