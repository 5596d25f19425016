// Admits only a page of this very server, open in a browser, or a client that is no browser. For commands
// that a website elsewhere in the same browser must not give. Pure; any thread.
//
// Such a website is stopped by one of three signs, whatever it tries:
//  - Host, against DNS rebinding: a website whose name comes to mean this machine has the same origin as the
//    server, but its name is in Host. So Host must be an address or localhost, which no website can be.
//  - Origin, which browsers send with every POST, and with every GET by fetch or EventSource across origins.
//    It must be this server, or absent.
//  - Sec-Fetch-Site (W3C Fetch Metadata): where a browser sends it, it says what Origin leaves open, such as
//    a GET by <script> or <img>.
#pragma once

#include <stdbool.h>

struct http_request;

// NULL: absent.
struct own_page_sign {
    const char *host, *origin, *fetch_site;
};

bool own_page_allows(const struct own_page_sign *);
bool own_page_sent(const struct http_request *);
