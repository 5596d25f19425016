// Tells the manager of a video the first time a comment for it comes in, and again until it has heard.
// Remembers which it has told of, within a bound. A video without a comment for `idle_ms` may have been
// forgotten by the store for others since, so its next comment is told of again. Control loop only.
#pragma once

#include <stdint.h>

struct http_client;
struct loop;
struct registrar;

enum { REGISTRAR_VIDEOS = 200000 };

struct registrar *registrar_new(struct loop *, struct http_client *, const char *manager_url,
                                int64_t idle_ms);
void registrar_free(struct registrar *);

void registrar_saw(struct registrar *, const char *video);
