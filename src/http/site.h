// Private to http: a request's way through a site, the same for every protocol. The thread of the handlers.
#pragma once

struct http_exchange;
struct http_site;

// Once the request's head is complete: finds what answers it, and asks the route's guard.
void http_site_admit(const struct http_site *, struct http_exchange *);

// Once the request is complete, or refused: has it answered.
void http_site_handle(const struct http_site *, struct http_exchange *);
