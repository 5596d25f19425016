// Private to http: whose request it is that a proxy forwards. Pure.
#pragma once

#include <stdbool.h>

union address;
struct networks;

// Follows X-Forwarded-For, or Forwarded (`is_forwarded`; RFC 7239), all lines of which are joined by commas,
// from its end, where the nearest proxy has added its client: sets *client, which is a trusted proxy's
// address, to the first one that is not a trusted proxy's. So what a client claims itself is never reached.
// An entry that is no address (`unknown`, `_hidden`, or malformed) ends the walk at the proxy that added it:
// returns false then, as the client is not that proxy. FORWARDED_HOPS_MAX entries end it, too.
bool forwarded_find_client(union address *client, const char *field, bool is_forwarded,
                           const struct networks *trusted);

enum { FORWARDED_HOPS_MAX = 32 };
