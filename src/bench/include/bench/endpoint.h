// The addresses that streams connect to, each resolved once for all load processes: the table may be in
// memory they share. Entries are only added and never change. Any process.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

enum { ENDPOINTS_MAX = 1000, ENDPOINT_HOST_SIZE = 300, ENDPOINT_PATH_SIZE = 128 };

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; // as in a Host header
    char path[ENDPOINT_PATH_SIZE]; // before that of each request: "/reader-1", or empty
    int port;
    union address address;
};

// Zero-initialise.
struct endpoints {
    _Atomic bool busy; // an entry is being added
    _Atomic uint32_t count;
    struct endpoint at[ENDPOINTS_MAX];
};

// Returns the index of an http URL's endpoint, after resolving it if it is new (which may block: only before
// anything is measured), or a negative errno: an invalid URL, an unknown host, no room.
int endpoints_find(struct endpoints *, const char *url);

// The same for the address of a reader, whose path is part of it.
int endpoints_find_reader(struct endpoints *, const char *url);

// Starts a connection and returns its non-blocking socket, or a negative errno. On loopback viewer number N
// connects from 127.0.0.(2 + N / 20000), because one source address has only some 28,000 ports per
// destination.
int endpoint_connect(const struct endpoint *, size_t number);
