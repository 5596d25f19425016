#include "response.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/method.h"

// Of every response. nosniff: what strangers have written never becomes a script or a page in a browser.
static const char usual_headers[] = "Access-Control-Allow-Origin: *\r\n"
                                    "Access-Control-Expose-Headers: Retry-After\r\n"
                                    "X-Content-Type-Options: nosniff\r\n";

// What a page may send is what it asks for: a header that tracing adds must not break it.
static const char preflight_headers[] =
    "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
    "Access-Control-Max-Age: 86400\r\n"
    "Vary: Access-Control-Request-Headers\r\n"
    "Access-Control-Allow-Headers: "
    "content-type, last-event-id, idempotency-key, authorization";

const char *http_common_lines(struct http_common *c, int64_t wall_ms) {
    if (wall_ms / 1000 != c->second) {
        char date[CLOCK_HTTP_DATE_SIZE];
        clock_http_date(wall_ms, date);
        snprintf(c->lines, sizeof c->lines, "Date: %s\r\n%s", date, usual_headers);
        c->second = wall_ms / 1000;
    }
    return c->lines;
}

// Whole, because every response has one. Only the number counts (RFC 9112, 4); the words are for people.
static const char *response_status_line(int status) {
#define LINE(text) "HTTP/1.1 " text "\r\n"
    switch (status) {
    case 200: return LINE("200 OK");
    case 201: return LINE("201 Created");
    case 204: return LINE("204 No Content");
    case 304: return LINE("304 Not Modified");
    case 307: return LINE("307 Temporary Redirect");
    case 400: return LINE("400 Bad Request");
    case 401: return LINE("401 Unauthorized");
    case 403: return LINE("403 Forbidden");
    case 404: return LINE("404 Not Found");
    case 405: return LINE("405 Method Not Allowed");
    case 408: return LINE("408 Request Timeout");
    case 413: return LINE("413 Content Too Large");
    case 415: return LINE("415 Unsupported Media Type");
    case 417: return LINE("417 Expectation Failed");
    case 421: return LINE("421 Misdirected Request");
    case 422: return LINE("422 Unprocessable Content");
    case 429: return LINE("429 Too Many Requests");
    case 431: return LINE("431 Request Header Fields Too Large");
    case 503: return LINE("503 Service Unavailable");
    default: return NULL;
    }
#undef LINE
}

bool http_status_has_body(int status) {
    return status != 204 && status != 304;
}

bool http_reply_lacks_newline(const struct http_reply *r) {
    return !r->content_type && r->body_len && r->body && r->body[r->body_len - 1] != '\n';
}

static void response_add_line(struct buf *out, const char *name, const char *value) {
    buf_add_string(out, name);
    buf_add_string(out, value);
    buf_add_string(out, "\r\n");
}

static void response_begin(struct buf *out, const struct http_reply *reply, const char *common_lines) {
    const char *status_line = response_status_line(reply->status);
    if (status_line)
        buf_add_string(out, status_line);
    else
        buf_printf(out, "HTTP/1.1 %d Unknown\r\n", reply->status);
    buf_add_string(out, common_lines);
}

static void response_end(struct buf *out, const struct http_reply *reply, enum http_connection connection) {
    if (reply->location) response_add_line(out, "Location: ", reply->location);
    if (reply->retry_after_s) buf_printf(out, "Retry-After: %d\r\n", reply->retry_after_s);
    if (!reply->says_how_to_cache) buf_add_string(out, "Cache-Control: no-store\r\n");
    if (reply->headers) buf_add_string(out, reply->headers);
    if (connection == HTTP_CONNECTION_CLOSE) buf_add_string(out, "Connection: close\r\n");
    if (connection == HTTP_CONNECTION_KEEP_ALIVE) buf_add_string(out, "Connection: keep-alive\r\n");
    buf_add(out, "\r\n", 2);
}

void http_response_head(struct buf *out, const struct http_reply *reply, const char *common_lines,
                        enum http_connection connection) {
    response_begin(out, reply, common_lines);
    if (http_status_has_body(reply->status)) {
        char digits[24], *at = digits + sizeof digits;
        size_t n = reply->body_len + http_reply_lacks_newline(reply);
        if (reply->content_type) response_add_line(out, "Content-Type: ", reply->content_type);
        buf_add_string(out, reply->content_type ? "Content-Length: "
                                                : "Content-Type: application/json\r\nContent-Length: ");
        *--at = '\n';
        *--at = '\r';
        do *--at = (char)('0' + n % 10);
        while (n /= 10);
        buf_add(out, at, (size_t)(digits + sizeof digits - at));
    }
    response_end(out, reply, connection);
}

void http_response_pieces_head(struct buf *out, const struct http_reply *reply, const char *common_lines,
                               enum http_connection connection, enum sink_framing framing) {
    response_begin(out, reply, common_lines);
    response_add_line(out, "Content-Type: ", reply->content_type);
    if (framing == SINK_CHUNKED) buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    response_end(out, reply, connection);
}

void http_response_stream_head(struct buf *out, enum sink_framing framing) {
    buf_add_string(out,
                   "HTTP/1.1 200 OK\r\n"
                   "Content-Type: text/event-stream\r\n"
                   "Cache-Control: no-store, no-transform\r\n"
                   "X-Accel-Buffering: no\r\n" // or nginx, and others that know the field, hold events back
                   "Connection: close\r\n");
    if (framing == SINK_CHUNKED) buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    buf_add_string(out, usual_headers);
    buf_add_string(out, "\r\n");
}

// Of the fields that the page wants to send, allows those whose names are names (RFC 9110, 5.6.2).
void http_response_preflight(struct buf *out, const char *allow, const char *wanted) {
    static const char letters[] =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    response_add_line(out, "Allow: ", allow);
    buf_add_string(out, preflight_headers);
    for (size_t len; wanted && *(wanted += strspn(wanted, ", \t")); wanted += len) {
        len = strcspn(wanted, ", \t");
        if (strspn(wanted, letters) != len) continue;
        buf_add_string(out, ", ");
        buf_add(out, wanted, len);
    }
    buf_add_string(out, "\r\n");
}

void http_response_allow(char out[HTTP_ALLOW_SIZE], unsigned methods) {
    snprintf(out, HTTP_ALLOW_SIZE, "%s%s%s%s%s%s", methods & HTTP_METHOD_GET ? "GET, HEAD, " : "",
             methods & HTTP_METHOD_POST ? "POST, " : "", methods & HTTP_METHOD_PUT ? "PUT, " : "",
             methods & HTTP_METHOD_PATCH ? "PATCH, " : "", methods & HTTP_METHOD_DELETE ? "DELETE, " : "",
             methods ? "OPTIONS" : "");
}
