// HTTP/1.1 client for calls between services: small JSON bodies, keep-alive, a few connections per origin.
//
// Control loop only. Limits: at most HTTP_CLIENT_CONNECTIONS connections per origin, unless the owner says
// otherwise, and HTTP_CLIENT_QUEUE_MAX
// requests waiting for one (further ones fail with -EBUSY); response bodies of at most 1 MiB unless the
// request says otherwise. Host names are resolved on a thread of their own, so that a slow resolver never
// blocks the loop. Redirects are not followed.
#pragma once

#include <stddef.h>

struct loop;
struct http_client;

enum { HTTP_CLIENT_CONNECTIONS = 8, HTTP_CLIENT_QUEUE_MAX = 1000 };

struct http_client_response {
    int error;        // 0, or a negative errno: -ECONNREFUSED, -ETIMEDOUT, -EPROTO, -EBUSY, -ECANCELED, ...
    int status;       // when error is 0
    const char *body; // valid during the callback
    size_t body_len;
    const char *etag; // value of that header, or ""; valid during the callback
};

// Called exactly once for each request, never from inside http_client_request(). May start new requests.
typedef void http_client_cb(void *arg, const struct http_client_response *);

struct http_client_request {
    const char *method; // "GET", "POST"
    const char *url;    // http://host[:port]/path[?query]; copied
    const char *body;   // sent as application/json; NULL for none; copied
    size_t body_len;
    const char *authorization; // value of that header; NULL or empty: none; copied
    int timeout_ms;            // for everything, from now on
    size_t response_max;       // largest body of an answer; 0: 1 MiB
};

// Returns the value of Authorization for a bearer token (RFC 6750, 2.1), which the caller frees; NULL if the
// token is NULL or empty.
char *http_client_bearer(const char *token);

struct http_client *http_client_new(struct loop *);

// The same for https URLs, over a transport (net/tls.h) that is for one peer, and outlives the client; NULL:
// as above.
struct stream_ops;
struct http_client *http_client_new_over(struct loop *, const struct stream_ops *tls);

// Changes how many connections an origin may have, for those that are made from now on.
void http_client_set_connections(struct http_client *, unsigned most);

// Ends all requests with -ECANCELED (their callbacks run inside this call) and frees the client.
void http_client_free(struct http_client *);

void http_client_request(struct http_client *, const struct http_client_request *, http_client_cb *,
                         void *arg);
