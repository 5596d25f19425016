#include <stddef.h>

#include "comment/comment_api.h"
#include "comment_core.h"
#include "moderation/review.h"
#include "service/metrics.h"

static const struct comment_counters *counters_of(const struct service *s) {
    return &((const struct comment_api *)s)->counters;
}

#define COUNTER(name, member)                                                                                \
    static double name(struct service *s) {                                                                  \
        return (double)counters_of(s)->member;                                                               \
    }
COUNTER(posts_accepted, posts[POST_ACCEPTED])
COUNTER(posts_repeated, posts[POST_REPEATED])
COUNTER(posts_invalid, posts[POST_INVALID])
COUNTER(posts_not_allowed, posts[POST_NOT_ALLOWED])
COUNTER(posts_unknown_video, posts[POST_UNKNOWN_VIDEO])
COUNTER(posts_video_closed, posts[POST_VIDEO_CLOSED])
COUNTER(posts_too_fast, posts[POST_TOO_FAST])
COUNTER(posts_video_too_fast, posts[POST_VIDEO_TOO_FAST])
COUNTER(posts_key_reused, posts[POST_KEY_REUSED])
COUNTER(posts_filtered, posts[POST_FILTERED])
COUNTER(posts_denied, posts[POST_DENIED])
COUNTER(posts_unreviewed, posts[POST_UNREVIEWED])
COUNTER(posts_refused, posts[POST_REFUSED])
COUNTER(posts_held, posts[POST_HELD])
COUNTER(posts_too_many_videos, posts[POST_TOO_MANY_VIDEOS])
COUNTER(posts_overloaded, posts[POST_OVERLOADED])
COUNTER(posts_store_full, posts[POST_STORE_FULL])
COUNTER(posts_store_unavailable, posts[POST_STORE_UNAVAILABLE])
COUNTER(broken_name_lines, broken[TEXT_NAME_LINES])
COUNTER(broken_lines, broken[TEXT_LINES])
COUNTER(broken_bidi, broken[TEXT_BIDI])
COUNTER(broken_marks, broken[TEXT_MARKS])
COUNTER(broken_blank, broken[TEXT_BLANK])
COUNTER(filtered_word, filtered[FIRST_WORD])
COUNTER(filtered_link, filtered[FIRST_LINK])
COUNTER(filtered_capitals, filtered[FIRST_CAPITALS])
COUNTER(filtered_repeated, filtered[FIRST_REPEATED])
COUNTER(comment_time_outs, time_outs)
COUNTER(comment_listings, listings)
COUNTER(comment_reactions, reactions)
#undef COUNTER

METRICS_OF_REPLAYS(comment_api)

static const struct review *review_of(const struct service *s) {
    return ((const struct comment_api *)s)->review;
}

#define REVIEWS(name, member)                                                                                \
    static double reviews_##name(struct service *s) {                                                        \
        return (double)review_counters(review_of(s))->member;                                                \
    }
REVIEWS(allow, answers[REVIEW_ALLOW])
REVIEWS(deny, answers[REVIEW_DENY])
REVIEWS(hold, answers[REVIEW_HOLD])
REVIEWS(replace, answers[REVIEW_REPLACE])
REVIEWS(failed, failures)
REVIEWS(skipped, skipped)
REVIEWS(overflow, overflows)
#undef REVIEWS

static double reviews_failing(struct service *s) {
    return review_is_failing(review_of(s));
}

static double reviews_under_way(struct service *s) {
    return review_under_way(review_of(s));
}

static void review_durations(struct service *s, struct metric_histogram *h) {
    metrics_of_durations(&review_counters(review_of(s))->took, h);
}

static void comment_commits(struct service *s, struct metric_histogram *h) {
    metrics_of_durations(&counters_of(s)->commits, h);
}

#define POSTS_ROW(result_name, sentence)                                                                     \
    {                                                                                                        \
        "chorus_comment_posts_total", "posts", METRIC_COUNTER, sentence,                                     \
            .get = posts_##result_name, .label = "result=\"" #result_name "\""                               \
    }

#define FILTERED_ROW(finding_name, sentence)                                                                 \
    {                                                                                                        \
        "chorus_comment_filtered_posts_total", "posts", METRIC_COUNTER, sentence,                            \
            .get = filtered_##finding_name, .label = "finding=\"" #finding_name "\""                         \
    }

#define REVIEWS_ROW(answer_name, sentence)                                                                   \
    {                                                                                                        \
        "chorus_comment_reviews_total", "reviews", METRIC_COUNTER, sentence,                                 \
            .get = reviews_##answer_name, .label = "answer=\"" #answer_name "\""                             \
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
    POSTS_ROW(unknown_video, "With --videos known: no service has created the video."),
    POSTS_ROW(video_closed, "The video is closed."),
    POSTS_ROW(too_fast, "Beyond --user-rate or --limit-user-posts."),
    POSTS_ROW(video_too_fast, "Beyond --limit-video-posts."),
    POSTS_ROW(key_reused, "The Idempotency-Key was used for another comment."),
    POSTS_ROW(filtered, "Refused for a word, a link, capitals, or as a repeat."),
    POSTS_ROW(denied, "Refused by the review hook."),
    POSTS_ROW(unreviewed, "Refused because the review hook does not answer."),
    POSTS_ROW(refused, "The video's room does not admit it: a ban, slow mode, and so on."),
    POSTS_ROW(held, "Waits for a moderator, or for the room's delay; accepted later, or not."),
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
    FILTERED_ROW(word, "Posts refused for what they say, by what was found (finding)."),
    FILTERED_ROW(link, "A link, with --links deny."),
    FILTERED_ROW(capitals, "More capitals than --capitals."),
    FILTERED_ROW(repeated, "A text that its user has posted within --repeat-ms."),
    {"chorus_comment_timed_out_users_total", "users", METRIC_COUNTER,
     "Users timed out after --strikes refusals.", .get = comment_time_outs},
    REVIEWS_ROW(allow, "Comments with a review hook, by its answer."),
    REVIEWS_ROW(deny, "Refused."),
    REVIEWS_ROW(hold, "Held for moderators."),
    REVIEWS_ROW(replace, "Stored with another text."),
    REVIEWS_ROW(failed, "No answer in time, or none that is understood."),
    REVIEWS_ROW(skipped, "Not asked, because the hook is failing."),
    REVIEWS_ROW(overflow, "Not asked, because too many questions were under way."),
    {"chorus_comment_review_failing", "failing", METRIC_GAUGE,
     "Whether the review hook has failed so often that it is only probed: 1, else 0.",
     .get = reviews_failing},
    {"chorus_comment_waiting_reviews", "reviews", METRIC_GAUGE, "Questions to the review hook under way.",
     .get = reviews_under_way},
    {"chorus_comment_review_seconds", "seconds", METRIC_HISTOGRAM,
     "Time from a question to the review hook until its answer, or until it has failed.",
     .read = review_durations},
    {"chorus_comment_listings_total", "listings", METRIC_COUNTER,
     "Requests for a video's comments, GET /videos/VIDEO/comments.", .get = comment_listings},
    {"chorus_comment_reactions_total", "reactions", METRIC_COUNTER, "Reactions accepted.",
     .get = comment_reactions},
    METRIC_ROWS_OF_REPLAYS("comment"),
    {0},
};
