// Private to http: whose request it is that a proxy forwards. Pure.
#pragma once

union address;
struct networks;

// Follows X-Forwarded-For (`field`: all its lines, joined by commas) from its end, where the nearest proxy
// has added its client: sets *client, which is a trusted proxy's address, to the first one that is not a
// trusted proxy's. So what a client claims itself is never reached. An entry that is no address ends the walk
// at the proxy that added it; so do FORWARDED_HOPS_MAX entries.
void forwarded_find_client(union address *client, const char *field, const struct networks *trusted);

enum { FORWARDED_HOPS_MAX = 32 };
