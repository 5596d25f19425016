// Registers a video with the manager when its first comment comes in, and retries until that has worked.
// Remembers registered videos, within a bound. A video without a comment for `idle_ms` may have been evicted
// from the store since, so its next comment registers it again. Control loop only.
#pragma once

#include <stdint.h>

struct http_client;
struct loop;
struct registrar;

enum { REGISTRAR_VIDEOS = 200000 };

struct registrar *registrar_new(struct loop *, struct http_client *, const char *manager_url,
                                int64_t idle_ms);
void registrar_free(struct registrar *);

void registrar_note(struct registrar *, const char *video);
