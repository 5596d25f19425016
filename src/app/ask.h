// Private to app: requests of commands to a running system, one after the other. Each waits for its answer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "http/client.h"

struct ask {
    enum command command;
    struct loop *loop;
    struct http_client *client;
    char *authorization; // NULL: none
};

// Carries out a command that is about one video or user, its operand, which `what` names ("a video"). Returns
// its exit code: that of `run`; 2, and has said why, if the id or a setting is not valid.
typedef int ask_run(const struct settings *, const char *id);
int ask_main(enum command, const char *what, int argc, char **argv, ask_run *);

// Begins, with a bearer token (NULL or empty: none). Returns false, and has said why, if there are no
// descriptors left.
bool ask_begin(struct ask *, enum command, const char *token);
void ask_end(struct ask *);

// Sends a request, whose authorization is that of the command, and calls back before it returns.
void ask_request(struct ask *, const struct http_client_request *, http_client_cb *, void *arg);

// Waits, before something is asked again.
void ask_pause(struct ask *, int64_t ms);

enum { ASK_URL_SIZE = SETTINGS_URL_MAX + 512 };

// Writes the URL of a path, which begins with a slash, at an address that may end with one.
void ask_url(char url[ASK_URL_SIZE], const char *address, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

// Says on stderr that an address did not answer as it should: why it cannot be reached, or its status with
// the sentence of its error.
void ask_say_failed(const struct ask *, const char *address, const struct http_client_response *);
