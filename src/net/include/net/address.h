// An IPv4 or IPv6 address with a port, as sockets take it. Any thread.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Reads a numeric address; the port is 0. Returns false if the text is none.
bool address_parse(union address *, const char *text);

// Gives the addresses of a name or of a numeric address, each once, their ports 0; of localhost always both
// kinds (RFC 6761, 6.3). Returns how many, 0 if there are none. Blocks.
int address_resolve(const char *name, union address *out, int max);

// Returns the bytes that the kernel is to read of it.
socklen_t address_size(const union address *);

int address_port(const union address *);
void address_set_port(union address *, int port);

// Writes it without the port; an IPv4 address within IPv6 as the IPv4 address it is.
void address_format(const union address *, char *out, size_t size);
