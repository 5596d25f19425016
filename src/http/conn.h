// Private to the HTTP server: one connection, and the one request it is busy with.
//
// A connection reads (head, body), hands the request to its handler, and reads on when it has been answered.
// It outlives its socket if the request is still unanswered when the client goes away. The socket is watched
// edge triggered, once, so a request costs no epoll_ctl: `readable` remembers what the kernel said.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "head.h"
#include "listen.h"
#include "memory.h"
#include "http/server.h"
#include "turns.h"
#include "net/loop.h"

enum conn_state {
    CONN_IDLE,     // between requests, nothing read
    CONN_HEAD,     // some of the request line or header fields read
    CONN_BODY,     // head complete
    CONN_HANDLING, // the handler has it
    CONN_LINGER, // refused and half closed: what still comes is thrown away, so that the client can read why
    CONN_CLOSED  // no socket any more
};

// The header fields that are kept. All others are checked and skipped.
enum http_field {
    FIELD_HOST,
    FIELD_CONNECTION,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONTENT_TYPE,
    FIELD_EXPECT,
    FIELD_ORIGIN,
    FIELD_AUTHORIZATION,
    FIELD_LAST_EVENT_ID,
    FIELD_IDEMPOTENCY_KEY,
    FIELD_REQUEST_HEADERS, // of a preflight
    FIELD_PROXY,           // those from here on are only known to be there
    FIELD_COUNT,
    FIELD_UNKNOWN = FIELD_COUNT
};

enum { HTTP_FIELD_NAME_MAX = 32 };

struct http_query_field {
    const char *name, *value;
};

struct http_request {
    struct buf head;              // target and values of kept header fields as NUL-terminated strings
    uint32_t values[FIELD_COUNT]; // of the first of each field, in head; 0: absent
    uint8_t hosts, encodings;     // how often they came, up to 2
    bool bad_host, closes;
    size_t path_len; // of the target, without the query
    size_t path_start;
    struct buf body;
    struct buf query; // decoded fields, made by the first http_request_query()
    struct http_query_field *fields;
    unsigned field_count;
    char *param;
    const struct http_route *route;
    uint8_t method; // enum llhttp_method
    bool keep_alive;
    int refuse_status; // not 0: answer this instead of calling the handler
    const char *refuse_code, *refuse_sentence;
    char allow[64]; // methods of the path, for 405 and OPTIONS
};

struct http_conn {
    struct loop_fd watch;
    struct http_server *server; // NULL once the server is gone
    struct loop *loop;
    enum conn_state state;
    bool readable, pumping, close_after_reply, peer_closed;
    bool end_seen; // everything the client sent has been read
    bool refused;  // a callback stopped the parser; request.refuse_status says why
    bool complete;
    struct http_head head_scan;
    size_t wire_bytes, body_bytes; // of the body: as it comes, and without what is around its chunks
    enum { SPAN_NONE, SPAN_NAME, SPAN_VALUE } span;
    char name[HTTP_FIELD_NAME_MAX]; // of the present header field, as far as it fits
    uint8_t name_len, field;        // HTTP_FIELD_NAME_MAX + 1: longer; enum http_field
    uint16_t field_count;
    uint32_t value_at; // in request.head
    int64_t deadline_ms;
    int64_t idle_ms; // since when, as long as it is
    llhttp_t parser;
    struct http_request request;
    struct buf in;    // received
    size_t in_parsed; // of it
    struct buf out;   // to be sent
    struct http_turn turn;
    struct http_hold hold;
    int64_t cost; // of what it has done in this turn
    struct loop_job reap;
    struct http_conn *prev, *next;
};

// http_server.c
struct http_listener {
    struct loop_fd watch;
    struct http_server *server;
};

struct http_server {
    struct http_server *prev, *next; // in the list of all
    struct loop *loop;
    struct http_server_config config;
    struct http_listener listeners[HTTP_LISTENERS];
    int listener_count;
    int port;
    bool paused;         // not accepting: too many connections, or no descriptor left
    const char *crowded; // the event to be logged; NULL: none
    uint64_t closed_for_room, closed_told;
    int64_t tell_ms;         // not before
    struct http_conn *conns; // oldest first
    unsigned count;
    struct loop_timer sweep;
    struct http_turns turns;
    uint64_t dropped; // connections that held memory for too long
    int64_t told_dropped_ms;
    char common[256]; // header lines of every answer, of this second
    int64_t common_second;
};
const char *http_server_common_headers(struct http_server *);
void http_server_forget(struct http_server *, struct http_conn *);
void http_server_tell_dropped(struct http_server *);

// http_conn.c
struct http_conn *http_conn_new(struct http_server *, int fd, const union address *peer);
int64_t http_conn_serve(struct http_turn *);
// Drops a connection that waits for its client, to make room; an incomplete request is answered 503.
void http_conn_drop(struct http_conn *);
void http_conn_close(struct http_conn *);
void http_conn_expire(struct http_conn *);
void http_conn_answered(struct http_conn *);
struct http_conn *http_conn_of(struct http_request *);

// http_request.c
void http_request_reset(struct http_request *);
void http_request_release(struct http_request *);
void http_request_forget_query(struct http_request *);
enum http_field http_field_find(const char *name, size_t len);
void http_request_take_field(struct http_request *, enum http_field, uint32_t value_at); // a value just added
const char *http_request_check_head(struct http_request *, int http_minor); // a sentence if it is bad
void http_request_route(struct http_request *, const struct http_route *const *tables);

// http_reply.c
extern const char http_cors_headers[]; // lines for cross-origin use that every answer carries
void http_reply_refused(struct http_request *);
