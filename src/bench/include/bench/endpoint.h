// The addresses that streams are opened at, each looked up once for all load processes: the table may lie in
// memory they share. Entries are only added, and never change. Any process.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

enum { ENDPOINTS_MAX = 1000, ENDPOINT_HOST_SIZE = 300 };

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; // as in a Host header
    int port;
    union address address;
};

// Zero-initialise.
struct endpoints {
    _Atomic bool busy; // somebody adds
    _Atomic uint32_t count;
    struct endpoint at[ENDPOINTS_MAX];
};

// Returns the index of an http URL's endpoint, which is looked up if it is new (that may block: before
// anything is measured), or a negative errno: no such URL, no such host, no room.
int endpoints_find(struct endpoints *, const char *url);

// Returns a socket on its way there, not blocking, or a negative errno. On loopback viewer number N comes
// from 127.0.0.(2 + N / 20000), as one source address has only some 28,000 ports for one destination.
int endpoint_connect(const struct endpoint *, size_t number);
