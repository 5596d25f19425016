// What operators order of a reader, by messages of the engine: `orders:<reader URL>`, with one of
//
//     drain, stay                  begin, or end, to give all viewers away
//
//     move <per second> <video>    another reader has been given the video: let its viewers go; 0: at the
//                                  usual pace
//
//     list <viewers> <topic>       answer there with the coldest videos that together have so many, as far as
//                                  they fit into a message:
//                                  {"reader":"<URL>","videos":{"<video>":<viewers>,...}}
//
// One that gets lost is given again by whoever sees that nothing happens.
#pragma once

#include <stdio.h>

#include "engine/engine.h"

static inline void orders_topic(char topic[ENGINE_TOPIC_MAX + 1], const char *reader_url) {
    snprintf(topic, ENGINE_TOPIC_MAX + 1, "orders:%s", reader_url);
}
