// How many comments were accepted per video, of the VIDEO_COUNTS_KEPT that were commented on last. Control
// loop only. NULL is an empty list.
#pragma once

#include <jansson.h>

enum { VIDEO_COUNTS_KEPT = 100000, VIDEO_COUNTS_LISTED = 100 };

struct video_count;

void video_counts_add(struct video_count **, const char *video);
void video_counts_free(struct video_count *);

// Returns an object with the counts of the VIDEO_COUNTS_LISTED that were commented on last.
json_t *video_counts_report(struct video_count *);
