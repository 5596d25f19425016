#include "response.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/method.h"

static const char cors_headers[] = "Access-Control-Allow-Origin: *\r\n"
                                   "Access-Control-Expose-Headers: Retry-After\r\n";

// What a page may send is what it asks for: a header that tracing adds must not break it.
static const char preflight_headers[] = "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
                                        "Access-Control-Max-Age: 86400\r\n"
                                        "Vary: Access-Control-Request-Headers\r\n"
                                        "Access-Control-Allow-Headers: "
                                        "content-type, last-event-id, idempotency-key, authorization";

const char *http_common_lines(struct http_common *c, int64_t wall_ms) {
    if (wall_ms / 1000 != c->second) {
        char date[CLOCK_HTTP_DATE_SIZE];
        clock_http_date(wall_ms, date);
        snprintf(c->lines, sizeof c->lines, "Date: %s\r\n%s", date, cors_headers);
        c->second = wall_ms / 1000;
    }
    return c->lines;
}

// Only the number counts (RFC 9112, 4); the words are for people.
static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Unknown";
    }
}

bool http_status_has_body(int status) {
    return status != 204 && status != 304;
}

static void add_number(struct buf *out, size_t n) {
    char digits[24];
    char *at = digits + sizeof digits;
    do *--at = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(out, at, (size_t)(digits + sizeof digits - at));
}

static void add_line(struct buf *out, const char *name, const char *value) {
    buf_add_string(out, name);
    buf_add_string(out, value);
    buf_add_string(out, "\r\n");
}

void http_response_head(struct buf *out, const struct http_reply *reply, const char *common_lines,
                        enum http_connection persistence) {
    buf_add_string(out, "HTTP/1.1 ");
    add_number(out, (size_t)reply->status);
    add_line(out, " ", reason(reply->status));
    buf_add_string(out, common_lines);
    if (http_status_has_body(reply->status)) {
        add_line(out, "Content-Type: ", reply->content_type ? reply->content_type : "application/json");
        buf_add_string(out, "Content-Length: ");
        add_number(out, reply->body_len);
        buf_add_string(out, "\r\n");
    }
    if (reply->location) add_line(out, "Location: ", reply->location);
    if (reply->retry_after_s) buf_printf(out, "Retry-After: %d\r\n", reply->retry_after_s);
    if (reply->headers) buf_add_string(out, reply->headers);
    if (persistence == HTTP_CONNECTION_CLOSE) buf_add_string(out, "Connection: close\r\n");
    if (persistence == HTTP_CONNECTION_KEEP_ALIVE) buf_add_string(out, "Connection: keep-alive\r\n");
    buf_add_string(out, "\r\n");
}

void http_response_stream_head(struct buf *out, enum sink_framing framing) {
    buf_add_string(out, "HTTP/1.1 200 OK\r\n"
                        "Content-Type: text/event-stream\r\n"
                        "Cache-Control: no-store, no-transform\r\n"
                        "X-Accel-Buffering: no\r\n" // nginx and its kin would hold events back
                        "Connection: close\r\n");
    if (framing == SINK_CHUNKED) buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    buf_add_string(out, cors_headers);
    buf_add_string(out, "\r\n");
}

// Adds the header names of a list, as far as they are names (RFC 9110, 5.6.2).
static void add_names(struct buf *out, const char *list) {
    static const char letters[] =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (*(list += strspn(list, ", \t"))) {
        size_t whole = strcspn(list, ", \t");
        if (strspn(list, letters) == whole) {
            buf_add_string(out, ", ");
            buf_add(out, list, whole);
        }
        list += whole;
    }
}

void http_response_preflight(struct buf *out, const char *allow, const char *wanted) {
    add_line(out, "Allow: ", allow);
    buf_add_string(out, preflight_headers);
    if (wanted) add_names(out, wanted);
    buf_add_string(out, "\r\n");
}

void http_response_allow(char out[HTTP_ALLOW_SIZE], unsigned methods) {
    snprintf(out, HTTP_ALLOW_SIZE, "%s%s%s", methods & HTTP_METHOD_GET ? "GET, HEAD, " : "",
             methods & HTTP_METHOD_POST ? "POST, " : "", methods ? "OPTIONS" : "");
}
