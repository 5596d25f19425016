#include "service/visible.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/process_wide.h"
#include "http/exchange.h"
#include "identity/identity.h"
#include "service/known_videos.h"

static bool video_exists(struct known_videos *known, const char *id) {
    return !known || known_videos_find(known, id) >= VIDEO_OPEN;
}

json_t *visible_videos(const json_t *list, struct known_videos *known, const struct identity *who,
                       size_t limit) {
    json_t *videos = json_object_get(list, "videos"), *total = json_object_get(list, "total"), *video;
    if (!json_is_array(videos) || !total) return NULL;
    json_t *seen = json_array();
    size_t i;
    json_array_foreach(videos, i, video) {
        const char *id = json_string_value(json_object_get(video, "videoid"));
        if (json_array_size(seen) < limit && id && identity_may(who, IDENTITY_READ, id) &&
            video_exists(known, id))
            json_array_append(seen, video);
    }
    return json_pack("{s:o, s:O}", "videos", seen, "total", total);
}

static json_t *numbers_of(json_t *part) {
    json_t *numbers = json_object(), *value;
    const char *name;
    json_object_foreach(part, name, value) {
        if (json_is_number(value)) json_object_set(numbers, name, value);
    }
    return numbers;
}

static char *totals_of(const char *document, size_t len) {
    json_t *all = json_loadb(document, len, 0, NULL), *totals = json_object(), *part;
    const char *name;
    json_object_foreach(all, name, part) {
        if (json_is_object(part)) json_object_set_new(totals, name, numbers_of(part));
    }
    json_object_set(totals, "timestamp", json_object_get(all, "timestamp"));
    char *text = json_dumps(totals, JSON_COMPACT);
    json_decref(totals);
    json_decref(all);
    if (!text) mem_abort("totals");
    return text;
}

// Of the document that was shown last: it changes about once a second, however often strangers ask for it.
PROCESS_WIDE static struct {
    uint64_t hash;
    size_t len;
    char *text;
} totals;

static const char *totals_text(const char *document, size_t len) {
    uint64_t hash = hash_bytes(document, len);
    if (totals.text && totals.hash == hash && totals.len == len) return totals.text;
    free(totals.text);
    totals.hash = hash;
    totals.len = len;
    totals.text = totals_of(document, len);
    return totals.text;
}

void visible_reply_statistics(struct http_exchange *x, const char *document, size_t len, bool sees_all) {
    const char *text = sees_all ? document : totals_text(document, len);
    http_reply(x,
               &(struct http_reply){.status = 200, .body = text, .body_len = sees_all ? len : strlen(text)});
}
