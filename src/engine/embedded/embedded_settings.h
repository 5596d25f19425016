// Settings of videos, in a table apart from the videos: they stay when a video is evicted. Store's thread;
// failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

// See struct local_store.
request_carry_out video_settings_read, video_settings_write;
