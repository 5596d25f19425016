// Private to statistics: who may command a demo (statistics/demo.h). The token is made here, and dies with
// the process. Control loop only.
#pragma once

#include <stdbool.h>

struct demo_desk;
struct http_request;
struct internal_only;
struct statistics_demo;

// Borrows both. `near`: the addresses that may command.
struct demo_desk *demo_desk_new(const struct statistics_demo *, const struct internal_only *near);
void demo_desk_free(struct demo_desk *); // NULL is fine

const struct statistics_demo *demo_desk_demo(const struct demo_desk *);
const char *demo_desk_token(const struct demo_desk *);

// Whether the request comes from where the token may go: the page of this server, or a client that is no
// browser, from an address near by.
bool demo_desk_trusts(const struct demo_desk *, const struct http_request *);

bool demo_desk_has_token(const struct demo_desk *, const struct http_request *);
