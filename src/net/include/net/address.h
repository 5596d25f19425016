// An IPv4 or IPv6 address with a port, in the form that the socket calls use. The peer at a unix socket has
// AF_UNIX, and no address. Any thread.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Parses a numeric address and sets the port to 0. Returns false if the text is not an address.
bool address_parse(union address *, const char *text);

// The same of ADDRESS:PORT, an IPv6 address in brackets.
bool address_parse_with_port(union address *, const char *text);

// Resolves a name or a numeric address to distinct addresses with port 0; localhost to both families in any
// case (RFC 6761, 6.3). Returns how many there are, at most `max`; 0 if there are none. Blocks.
int address_resolve(const char *name, union address *out, int max);

// Returns the address's length for the socket calls.
socklen_t address_size(const union address *);

int address_port(const union address *);
void address_set_port(union address *, int port);

// Whether only this machine can be reached by it: 127.0.0.0/8, also mapped into IPv6, and ::1.
bool address_is_loopback(const union address *);

// If `to` is IPv4's loopback, makes *from the address of that network with this host part, to connect from:
// one source has some 28,000 ports for each destination. Else returns false.
bool address_loopback_source(const union address *to, uint32_t host, union address *from);

// Returns the four bytes of the IPv4 address that an IPv6 address stands for: one mapped into IPv6 (RFC 4291,
// 2.5.5.2), or that of a client behind NAT64 (64:ff9b::/96, RFC 6052). NULL: it stands for none. They are the
// argument's.
const uint8_t *address_embedded_v4(const struct in6_addr *);

// Writes the address without its port; an IPv4-mapped IPv6 address as the IPv4 address,
// one of AF_UNIX as "unix".
void address_format(const union address *, char *out, size_t size);
