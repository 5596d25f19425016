// Tells the manager of a video the first time a comment for it comes in, and again until it has heard.
// Remembers whom it has told, within a bound. Control loop only.
#pragma once

struct http_client;
struct loop;
struct registrar;

enum { REGISTRAR_VIDEOS = 200000 };

struct registrar *registrar_new(struct loop *, struct http_client *, const char *manager_url);
void registrar_free(struct registrar *);

void registrar_saw(struct registrar *, const char *video);
