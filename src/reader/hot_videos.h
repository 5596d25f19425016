// What a reader's videos cost it, for its lease; and its part in the sets of hot ones (placement/hot_set.h):
// it evens a set out by moving viewers to other members. Control loop only.
#pragma once

struct hot_videos;
struct reader;
struct reader_load;

struct hot_videos *hot_videos_new(void);
void hot_videos_free(struct hot_videos *);

// Fills in `cores` and `used`, and the videos that matter into load->videos, which has room for
// READER_LOAD_VIDEOS. To be called once a second.
void hot_videos_measure(struct reader *, struct reader_load *load);

// Looks, for each video that it has measured so, whether this reader serves it with others now, and has too
// many of the viewers. To be called once a second.
void hot_videos_even_out(struct reader *);
