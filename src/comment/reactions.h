// POST /videos/VIDEO/reactions: adds up what users react with, and tells the readers once a second for each
// video (service/reactions_topic.h). Nothing is stored. Bounds: REACTIONS_VIDEOS at a time. Control loop
// only.
#pragma once

struct comment_api;
struct http_exchange;
struct reactions;

enum {
    REACTIONS_VIDEOS = 10000,
    REACTIONS_OF_USER = 10, // a second,
    REACTIONS_AT_ONCE = 2 * REACTIONS_OF_USER
};

struct reactions *reactions_new(struct comment_api *);
void reactions_free(struct reactions *); // what has not been told is lost

void handle_reaction(struct http_exchange *, void *arg);
