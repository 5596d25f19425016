// How often users were refused for what they wrote, on each video, a short while ago. At most STRIKES_USERS:
// beyond that the one whose last refusal is oldest is forgotten. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { STRIKES_MAX = 20, STRIKES_USERS = 100000 };

struct strikes;

struct strikes *strikes_new(void);
void strikes_free(struct strikes *); // NULL is fine

// Notes a refusal. Returns whether it is the user's `most`th (at most STRIKES_MAX) on the video within
// `within_ms`; then those before are forgotten.
bool strikes_note(struct strikes *, const char *user, const char *video, unsigned most, int64_t within_ms,
                  int64_t now_ms);
