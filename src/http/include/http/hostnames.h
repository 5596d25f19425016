// The names under which this server is known: against DNS rebinding. A website whose name has come to mean
// this machine has the same origin as the server, and a browser shows its pages whatever they get from here;
// but its name is in Host. Control loop only; the two functions without a list: any thread.
#pragma once

#include <stdbool.h>

struct hostnames;

// `list`: names without a port, comma-separated; *.example.org stands for all that end so. NULL: any name is
// known. Returns NULL if it is malformed.
struct hostnames *hostnames_new(const char *list);
void hostnames_free(struct hostnames *); // NULL is fine

// Changes the list, which is well-formed.
void hostnames_set(struct hostnames *, const char *list);

// Whether there is a list and the name of Host, which may end with a port, is in it.
bool hostnames_contain(const struct hostnames *, const char *host);

// Whether a request with this Host (NULL: HTTP/1.0, no browser) may be served: if there is no list, if the
// name is in it, or if no website can have it.
bool hostnames_allow(const struct hostnames *, const char *host);

// Whether Host names an address or localhost: what this machine is called only by those that mean it.
bool hostname_is_own(const char *host);

// Whether Host names what a website can be called: neither that, nor a name without a dot, as in a
// container's network.
bool hostname_is_website(const char *host);
