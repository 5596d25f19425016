// Finds what answers a request: a row of a table of routes, or a static file. Pure.
//
// Guards and handlers always run on the control loop, where the roles live. A connection that lives on
// another thread posts its request there (loop_post): first the head, whose verdict it waits for before it
// reads the body, then the complete request.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http/request.h"

struct http_asset;
struct http_exchange;
struct hostnames;

// Why a request is refused. The strings outlive the request: literals.
struct http_refusal {
    int status; // 0: it is not refused
    const char *code, *sentence;
    int retry_after_s;   // 0: none
    const char *headers; // further header lines, each ended by CR LF; NULL: none
};

// Sets the refusal, a 503 with Retry-After, and returns false, for a guard to return.
bool http_refuse(struct http_refusal *, int status, const char *code, const char *sentence);

// A row of a table. HEAD goes where GET goes.
struct http_route {
    const char *method;  // "GET", "POST", "PUT", "PATCH" or "DELETE"
    const char *pattern; // "/videos/:videoid/comments/:id": HTTP_PARAMS segments may be parameters
    // Answers with http_reply(), http_begin_stream() or http_abort(), now or in a later turn.
    void (*handle)(struct http_exchange *, void *arg);
    size_t body_max; // bytes; 0: HTTP_BODY_DEFAULT
    // Called with the request's head, before any of its body is read. Returns false to refuse the request,
    // and says why. To have several, one calls the others. NULL: all pass.
    bool (*guard)(struct http_request *, void *arg, struct http_refusal *);
    bool exact_path; // for routes of services and operators: doubled and trailing slashes are not ignored
    bool streams;    // `handle` may begin a stream: it runs once all earlier responses to the client are sent
};

enum { HTTP_PARAMS = 2 };

// A part of a path, borrowed. NULL: none.
struct http_path_part {
    const char *at;
    size_t len;
};

// What a role serves at a server: routes and files, with the role as their argument. A server that several
// roles share has several mounts. Its owner may change arg and closed; the rest is constant.
struct http_mount {
    const struct http_route *const *tables; // ended by NULL, each table by a row without a pattern; the first
                                            // row with the path and the method answers
    const struct http_asset *assets;        // ended by one without a path; NULL: none
    bool files_by_name;                     // see http_route_find()
    void *arg;                              // of handlers and guards
    const char *prefix; // "/reader-1": patterns stand for what follows it, and nothing else; NULL: none
    // Called before the guard of a route, and for files, like that of a route. NULL: all pass.
    bool (*guard)(struct http_request *, void *arg, struct http_refusal *);
    bool closed; // nothing is found here, as if the mount were absent
};

// Everything that a server serves.
struct http_site {
    const struct http_mount *mounts;   // ended by one without tables; the first with path and method answers
    const struct hostnames *hostnames; // other names are refused, 421; NULL: none are
};

struct http_match {
    const struct http_mount *mount; // of what follows
    const struct http_asset *asset; // or
    const struct http_route *route; // both NULL: nothing at this path has this method
    bool by_accept;                 // the path has both: the request's Accept field has chosen
    unsigned methods;               // of the path, enum http_method; 0: the path does not exist
    struct http_path_part
        params[HTTP_PARAMS]; // the parts of the path that stand for the pattern's parameters
};

// Where the path has both a file and a route for the method, as "/" has a page and the role's JSON, the file
// is found, unless `accept` (the request's field, or NULL) names application/json and not text/html. A mount
// with `files_by_name` turns the default round: the route is found, unless `accept` names text/html.
// `normalized`: superfluous slashes were removed from the path, so rows with exact_path do not match, and of
// files only those with a parameter.
struct http_match http_route_find(const struct http_site *, enum http_method, const char *path, size_t len,
                                  bool normalized, const char *accept);
