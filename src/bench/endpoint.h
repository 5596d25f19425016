// The addresses that streams are opened at, each looked up once (the look-up may block: a load process does
// it before it measures). One thread.
#pragma once

#include <stddef.h>
#include <sys/socket.h>

enum { ENDPOINTS_MAX = 1000, ENDPOINT_HOST_SIZE = 300 };

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; // as in a Host header
    int port;
    struct sockaddr_storage address;
    socklen_t address_size;
};

struct endpoints {
    struct endpoint *at[ENDPOINTS_MAX];
    size_t count;
};

// Returns the endpoint of an http URL and the path in it; NULL if it is no such URL or the host is not known.
const struct endpoint *endpoints_get(struct endpoints *, const char *url, const char **path);
void endpoints_release(struct endpoints *);

// Returns a socket on its way there, not blocking, or a negative errno. On loopback viewer number N comes
// from 127.0.0.(2 + N / 20000), as one source address has only some 28,000 ports for one destination.
int endpoint_connect(const struct endpoint *, size_t number);
