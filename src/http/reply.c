#include <stdio.h>
#include <string.h>

#include "conn.h"

const char http_cors_headers[] = "Access-Control-Allow-Origin: *\r\n"
                                 "Access-Control-Expose-Headers: Retry-After\r\n";

// What a page may send is what it asks for: a header that tracing adds must not break it.
static const char preflight_headers[] = "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
                                        "Access-Control-Max-Age: 86400\r\n"
                                        "Vary: Access-Control-Request-Headers\r\n"
                                        "Access-Control-Allow-Headers: "
                                        "content-type, last-event-id, idempotency-key, authorization";

void http_stream_head(struct buf *b) {
    buf_adds(b, "HTTP/1.1 200 OK\r\n"
                "Content-Type: text/event-stream\r\n"
                "Cache-Control: no-store, no-transform\r\n"
                "X-Accel-Buffering: no\r\n" // nginx and its kin would hold events back
                "Connection: close\r\n");
    buf_adds(b, http_cors_headers);
    buf_adds(b, "\r\n");
}

// Only the number counts (RFC 9112, 4); the words are for people.
static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
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

static void add_number(struct buf *out, size_t n) {
    char digits[24];
    char *at = digits + sizeof digits;
    do *--at = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(out, at, (size_t)(digits + sizeof digits - at));
}

static void add_line(struct buf *out, const char *name, const char *value) {
    buf_adds(out, name);
    buf_adds(out, value);
    buf_adds(out, "\r\n");
}

static void add_head(struct http_conn *c, const struct http_reply *reply) {
    struct buf *out = &c->out;
    buf_adds(out, "HTTP/1.1 ");
    add_number(out, (size_t)reply->status);
    add_line(out, " ", reason(reply->status));
    buf_adds(out, http_server_common_headers(c->server));
    if (reply->status != 204) {
        add_line(out, "Content-Type: ", reply->content_type ? reply->content_type : "application/json");
        buf_adds(out, "Content-Length: ");
        add_number(out, reply->body_len);
        buf_adds(out, "\r\n");
    }
    if (reply->location) add_line(out, "Location: ", reply->location);
    if (reply->retry_after_s) buf_printf(out, "Retry-After: %d\r\n", reply->retry_after_s);
    if (reply->headers) buf_adds(out, reply->headers);
    if (!c->request.keep_alive || c->close_after_reply)
        buf_adds(out, "Connection: close\r\n");
    else if (c->parser.http_minor == 0)
        buf_adds(out, "Connection: keep-alive\r\n");
    buf_adds(out, "\r\n");
}

void http_reply(struct http_request *r, const struct http_reply *reply) {
    struct http_conn *c = http_conn_of(r);
    if (c->state != CONN_CLOSED) {
        add_head(c, reply);
        if (r->method != HTTP_HEAD && reply->status != 204) buf_add(&c->out, reply->body, reply->body_len);
    }
    http_conn_answered(c);
}

static void reply_error(struct http_request *r, int status, const char *code, const char *sentence,
                        const char *headers) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"}", sentence, code);
    http_reply(
        r, &(struct http_reply){.status = status, .body = body, .body_len = (size_t)len, .headers = headers});
}

void http_reply_error(struct http_request *r, int status, const char *code, const char *sentence) {
    reply_error(r, status, code, sentence, NULL);
}

// Adds the header names of a list, as far as they are names (RFC 9110, 5.6.2).
static void add_names(struct buf *out, const char *list) {
    static const char letters[] =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (*(list += strspn(list, ", \t"))) {
        size_t whole = strcspn(list, ", \t");
        if (strspn(list, letters) == whole) {
            buf_adds(out, ", ");
            buf_add(out, list, whole);
        }
        list += whole;
    }
}

static void reply_preflight(struct http_request *r) {
    struct buf headers = {0};
    const char *wanted = http_request_header(r, "access-control-request-headers");
    buf_printf(&headers, "Allow: %s\r\n%s", r->allow, preflight_headers);
    if (wanted) add_names(&headers, wanted);
    buf_adds(&headers, "\r\n");
    http_reply(r, &(struct http_reply){.status = 204, .headers = buf_string(&headers)});
    buf_release(&headers);
}

// What the table answers by itself: OPTIONS, 404, 405, and everything refused while reading.
void http_reply_refused(struct http_request *r) {
    char headers[96];
    int status = r->refuse_status;
    if (status == 204) {
        reply_preflight(r);
        return;
    }
    snprintf(headers, sizeof headers, "Allow: %s\r\n", r->allow); // none is an answer too
    reply_error(r, status, r->refuse_code, r->refuse_sentence, status == 405 ? headers : NULL);
}
