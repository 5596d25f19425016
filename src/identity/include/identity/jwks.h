// Keeps keys as a URL says (a JWK set, RFC 7517): fetches them at the start, at an interval, and when a token
// names a key that is not known, once a second at most. While the URL fails the keys before remain. The
// address is the configured one and no other: redirects are not followed, and what a token says is not looked
// at. Control loop only.
#pragma once

struct identity_jwks;
struct identity_keys;
struct loop;
struct stream_ops;

enum { IDENTITY_JWKS_TIMEOUT_MS = 1000 };

struct identity_jwks_config {
    const char *url;              // http, or with `tls` https
    const struct stream_ops *tls; // for the URL's host (net/tls.h); borrowed; NULL: none
    int interval_ms;
};

// Fetches for the first time. All is copied but keys and transport, which are borrowed.
struct identity_jwks *identity_jwks_new(struct loop *, struct identity_keys *,
                                        const struct identity_jwks_config *);

// Before the keys. What waits for keys is called back with none. NULL is fine.
void identity_jwks_free(struct identity_jwks *);

// Fetches them again, as soon as may be.
void identity_jwks_fetch(struct identity_jwks *);
