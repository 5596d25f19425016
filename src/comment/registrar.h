// Registers a video with the manager at its first comment, and retries until that has worked. Remembers up to
// REGISTRAR_VIDEOS registered videos. The store may have evicted a video that had no comment for `idle_ms`,
// so its next comment registers it again. Control loop only.
#pragma once

#include <stdint.h>

struct http_client;
struct loop;
struct registrar;

enum { REGISTRAR_VIDEOS = 200000 };

// `token`: sent as Authorization: Bearer; NULL: none.
struct registrar *registrar_new(struct loop *, struct http_client *, const char *manager_url, int64_t idle_ms,
                                const char *token);
void registrar_free(struct registrar *);

void registrar_set_idle(struct registrar *, int64_t idle_ms);
void registrar_set_token(struct registrar *, const char *token);

// Notes a comment on the video.
void registrar_note(struct registrar *, const char *video);
