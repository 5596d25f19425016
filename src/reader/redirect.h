// Where a viewer of another reader's video is sent. Control loop only.
#pragma once

#include "engine/engine.h"
#include "net/http_server.h"

struct http_request;
struct placement;
struct placement_answer;

enum { REDIRECT_BASE_SIZE = HTTP_KEPT_MAX + ENGINE_URL_MAX };

// Writes the URL, up to the request's target: services stay among reader URLs, browsers among public ones.
void redirect_base(char base[REDIRECT_BASE_SIZE], struct placement *, struct http_request *,
                   const struct placement_answer *to);
