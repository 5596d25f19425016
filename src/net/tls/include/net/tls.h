// TLS 1.2 and 1.3 for connections that this process opens (RFC 8446), by OpenSSL: a transport for
// net/stream.h. The peer must have a certificate for its name that an authority vouches for; there is no way
// around that. Loop thread only.
//
// The files are read once. What a stream accepts is sealed at once, and what the kernel has no room for then
// is buffered, at most 16 KiB and one record.
#pragma once

#include <stddef.h>

#include "net/stream.h"

struct tls_client;

struct tls_client_config {
    const char *peer_name;   // host name, or address, that the peer's certificate must be for
    const char *authorities; // PEM file of those that may vouch for it; NULL: the system's
    const char *certificate; // PEM file with our own, and what leads to an authority; NULL: none
    const char *key; // PEM file with its private key, without a passphrase; NULL: in that of the certificate
};

// Copies what it needs. Returns NULL and writes a sentence if a file cannot be used.
struct tls_client *tls_client_new(const struct tls_client_config *, char *why, size_t why_size);

// For stream_init(). If the handshake fails, the stream's `error` is -EPROTO, and stream_why() says why.
const struct stream_ops *tls_client_transport(const struct tls_client *);

// The same for a peer of another name. It is the client's (a struct tls_client *), and kept until that is
// freed.
const struct stream_ops *tls_client_transport_to(void *client, const char *peer_name);

// Its streams must be closed. NULL is allowed.
void tls_client_free(struct tls_client *);
