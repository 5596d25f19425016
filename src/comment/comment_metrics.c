#include <stddef.h>

#include "comment/comment_api.h"
#include "comment_core.h"
#include "service/metrics.h"

static const struct comment_counters *counters_of(const struct service *s) {
    return &((const struct comment_api *)s)->counters;
}

#define POSTS(name, result)                                                                                  \
    static double name(struct service *s) {                                                                  \
        return (double)counters_of(s)->posts[result];                                                        \
    }
POSTS(posts_accepted, POST_ACCEPTED)
POSTS(posts_repeated, POST_REPEATED)
POSTS(posts_invalid, POST_INVALID)
POSTS(posts_not_allowed, POST_NOT_ALLOWED)
POSTS(posts_too_fast, POST_TOO_FAST)
POSTS(posts_video_too_fast, POST_VIDEO_TOO_FAST)
POSTS(posts_key_reused, POST_KEY_REUSED)
POSTS(posts_too_many_videos, POST_TOO_MANY_VIDEOS)
POSTS(posts_overloaded, POST_OVERLOADED)
POSTS(posts_store_full, POST_STORE_FULL)
POSTS(posts_store_unavailable, POST_STORE_UNAVAILABLE)
#undef POSTS

#define BROKEN(name, rule)                                                                                   \
    static double name(struct service *s) {                                                                  \
        return (double)counters_of(s)->broken[rule];                                                         \
    }
BROKEN(broken_name_lines, TEXT_NAME_LINES)
BROKEN(broken_lines, TEXT_LINES)
BROKEN(broken_bidi, TEXT_BIDI)
BROKEN(broken_marks, TEXT_MARKS)
BROKEN(broken_blank, TEXT_BLANK)
#undef BROKEN

static double comment_listings(struct service *s) {
    return (double)counters_of(s)->listings;
}

static void comment_commits(struct service *s, struct metric_histogram *h) {
    metrics_of_durations(&counters_of(s)->commits, h);
}

#define POSTS_ROW(result_name, sentence)                                                                     \
    {                                                                                                        \
        "chorus_comment_posts_total", "posts", METRIC_COUNTER, sentence,                                     \
            .get = posts_##result_name, .label = "result=\"" #result_name "\""                               \
    }

#define BROKEN_ROW(rule_name, sentence)                                                                      \
    {                                                                                                        \
        "chorus_comment_refused_posts_total", "posts", METRIC_COUNTER, sentence,                             \
            .get = broken_##rule_name, .label = "rule=\"" #rule_name "\""                                    \
    }

const struct metric comment_metrics[] = {
    {"chorus_comment_comments_total", "comments", METRIC_COUNTER, "Comments accepted.", .get = posts_accepted,
     .health = "totalComments", .report = "totalComments"},
    POSTS_ROW(accepted, "Comments posted, by what became of them (result)."),
    POSTS_ROW(repeated, "Answered as the first one with this Idempotency-Key."),
    POSTS_ROW(invalid, "A field is missing or wrong."),
    POSTS_ROW(not_allowed, "With --jwt-keys: without a valid token, or one for posts there."),
    POSTS_ROW(too_fast, "Beyond --user-rate or --limit-user-posts."),
    POSTS_ROW(video_too_fast, "Beyond --limit-video-posts."),
    POSTS_ROW(key_reused, "The Idempotency-Key was used for another comment."),
    POSTS_ROW(too_many_videos, "Refused because --max-videos is reached."),
    POSTS_ROW(overloaded, "Too many operations wait for the store."),
    POSTS_ROW(store_full, "The store has no memory."),
    POSTS_ROW(store_unavailable, "The store does not answer, or refuses."),
    BROKEN_ROW(name_lines, "Posts whose name or comment breaks a rule for texts (rule)."),
    BROKEN_ROW(lines, "The comment has more lines than --text-lines."),
    BROKEN_ROW(bidi, "What changes the direction of writing is not closed within the text."),
    BROKEN_ROW(marks, "A letter has more marks than --text-marks."),
    BROKEN_ROW(blank, "The comment shows nothing."),
    {"chorus_comment_commit_seconds", "seconds", METRIC_HISTOGRAM,
     "Time from a complete POST /comment until the store had the comment, of those accepted.",
     .read = comment_commits},
    {"chorus_comment_listings_total", "listings", METRIC_COUNTER,
     "Requests for a video's comments, GET /videos/VIDEO/comments.", .get = comment_listings},
    {0},
};
