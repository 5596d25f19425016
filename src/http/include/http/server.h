// HTTP/1.1 server: one listening address with a table of routes. Parsing is llhttp's, in strict mode, plus
// what llhttp leaves to its users (Host, white space before a colon, limits).
//
// Control loop only. Requests of one connection are answered one after the other, in order (pipelining waits
// in the socket). Everything a client can make grow is bounded: header block HTTP_HEAD_MAX and what of it is
// read HTTP_KEPT_MAX (431), body per route (413), time for headers and for the body (408 and close),
// connections per server. Bad input is answered with 4xx and {"error","code"}, and closes the connection
// where the message's end cannot be known.
//
// Every answer carries the CORS headers; OPTIONS, HEAD, 404 and 405 are answered from the table.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct loop;
struct http_server;
struct http_request;

enum {
    HTTP_HEAD_MAX = 65536, // request line and header fields together; most fields are not even kept
    HTTP_KEPT_MAX = 16384, // of that, the target and the fields that are read
    HTTP_FIELDS_MAX = 1000,
    HTTP_BODY_DEFAULT = 65536 // largest body where the route says nothing
};

// A row of the routing table. HEAD goes where GET goes.
struct http_route {
    const char *method;  // "GET" or "POST"
    const char *pattern; // "/resolve/:videoid": the last segment may be a parameter
    void (*handle)(struct http_request *, void *arg);
    size_t body_max; // bytes; 0: HTTP_BODY_DEFAULT
    // Called with the request's head, before any of its body is read; may http_refuse() it. NULL: admits all.
    void (*admit)(struct http_request *, void *arg);
    bool exact_path; // for routes of services and operators: doubled and trailing slashes are not ignored
};

struct http_server_config {
    const char *role; // for log lines
    const char *bind; // IPv4 or IPv6 address, or a name: then all addresses it has
    int port;         // 0: the kernel chooses
    void *arg;        // handed to the handlers; may be set later, before the loop runs
    int header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    unsigned max_connections;
    bool held; // who connects waits until http_server_open()
    // Routing tables, each ended by a row without a pattern; the first that knows a path answers.
    const struct http_route *const *tables; // ended by NULL
};

// Binds and listens, at once. Returns NULL and sets *error to a negative errno.
struct http_server *http_server_new(struct loop *, const struct http_server_config *, int *error);

// Lets those in who wait.
void http_server_open(struct http_server *);

void http_server_set_arg(struct http_server *, void *arg);

// Returns how many idle or slow connections the server of this request has closed to make room for new ones,
// because it was out of descriptors or had max_connections.
uint64_t http_server_closed_for_room(const struct http_request *);

// Returns the port that is listened on.
int http_server_port(const struct http_server *);

// Closes the listener and all connections. Requests not yet answered may still be answered (to nobody).
void http_server_free(struct http_server *);

// What a handler may ask about a request. Header values and the path's parameter stay valid until the request
// is answered; the body and query values only until the handler returns.
bool http_request_is_head(const struct http_request *);
const char *http_request_body(const struct http_request *, size_t *len);
// Returns a header field's value (the first one's, if repeated), or NULL. Only fields that http_request.c
// knows are kept; to ask for another is a bug. An absolute target's authority stands in place of Host.
const char *http_request_header(const struct http_request *, const char *lower_case_name);
// Whether the request has passed a proxy that says so: Forwarded, X-Forwarded-For, X-Real-IP, Via and the
// like.
bool http_request_is_forwarded(const struct http_request *);
const char *http_request_param(const struct http_request *); // percent-decoded
// Returns the decoded value of a query field (the last one, if repeated), or NULL. `+` is a space.
const char *http_request_query(struct http_request *, const char *name);
// Returns the request's path and query, without superfluous slashes.
const char *http_request_target(const struct http_request *);
// Writes the peer's address as text ("127.0.0.1", "::1"; IPv4 mapped into IPv6 as IPv4).
void http_request_peer(const struct http_request *, char *out, size_t size);
// Whether the body was declared as JSON (application/json or +json, parameters ignored).
bool http_request_is_json(const struct http_request *);

struct http_reply {
    int status;
    const char *content_type; // NULL: application/json
    const char *body;         // copied
    size_t body_len;
    const char *location; // NULL: none
    int retry_after_s;    // 0: none
    const char *headers;  // further header lines, each ended by CR LF; NULL: none
};

// Answers and ends the request, now or in a later turn. Exactly once per request, unless it is taken over.
// The next request of the connection may be handled before this returns: whatever the caller holds must bear
// that.
void http_reply(struct http_request *, const struct http_reply *);

// Answers with {"error":sentence,"code":code}.
void http_reply_error(struct http_request *, int status, const char *code, const char *sentence);

// Refuses a request before its body is read; the strings are literals. Only from admit().
void http_refuse(struct http_request *, int status, const char *code, const char *sentence);

// Closes the connection without an answer and ends the request: to a browser's EventSource that is the only
// refusal after which it comes back.
void http_abort(struct http_request *);

// Takes the connection over: ends the request, and returns a non-blocking descriptor that the caller owns, or
// -1 if the client has gone. Nothing has been written.
int http_take_over(struct http_request *);

// Adds the head of a 200 answer whose body is an event stream that ends with the connection.
void http_stream_head(struct buf *);
