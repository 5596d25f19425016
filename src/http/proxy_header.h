// Private to http: the header of the PROXY protocol, with which a proxy that knows nothing of HTTP names its
// client at the beginning of a connection; versions 1 and 2 (HAProxy, doc/proxy-protocol.txt, 2.1 and 2.2).
// Pure. What follows the addresses in version 2 (TLVs) is left out, a checksum among them too.
#pragma once

#include <stddef.h>

#include "net/address.h"

enum { PROXY_HEADER_KEPT_MAX = 107 }; // bytes that a caller ever has to keep until the header is complete

enum proxy_header_result {
    PROXY_HEADER_MORE, // it has not arrived up to the end of the addresses
    PROXY_HEADER_BAD,  // and cannot become one
    PROXY_HEADER_DONE
};

struct proxy_header {
    union address source; // of the client, without a port; no family: unknown, or the proxy itself
    size_t len;           // of the whole header, of which less may have arrived
};

// Parses the bytes with which a connection begins.
enum proxy_header_result proxy_header_parse(struct proxy_header *, const char *bytes, size_t len);
