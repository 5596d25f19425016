// What a viewer gets, into the journal.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "moderation.h"
#include "texts.h"
#include "viewer.h"

static bool viewer_break(struct viewer *v, const char *what) {
    struct journal_event e = {.kind = JOURNAL_BROKEN, .who = v->number};
    snprintf(e.word, sizeof e.word, "%s", what);
    crowd_note(v->crowd, &e);
    return false;
}

static bool read_member(const char *data, size_t len, const char *name, struct position *p) {
    size_t value_len;
    const char *value = text_member(data, len, name, &value_len);
    return value && position_parse(value, value_len, p);
}

static void copy_member(const char *data, size_t len, const char *name, char word[JOURNAL_WORD]) {
    size_t value_len = 0;
    const char *value = text_member(data, len, name, &value_len);
    if (value_len >= JOURNAL_WORD) value_len = JOURNAL_WORD - 1;
    if (value) memcpy(word, value, value_len);
    word[value ? value_len : 0] = 0;
}

static bool viewer_take_begin(struct viewer *v, struct position id, const char *data, size_t len) {
    struct journal_event e = {.kind = JOURNAL_BEGIN, .who = v->number, .at = id};
    if (!position_is_set(id)) return viewer_break(v, "first_event_without_id");
    copy_member(data, len, "instance", e.word);
    v->had_stream = true;
    v->at = id;
    crowd_note(v->crowd, &e);
    struct journal_event newest = {.kind = JOURNAL_NEWEST, .who = v->number};
    if (read_member(data, len, "newest", &newest.at)) crowd_note(v->crowd, &newest);
    return true;
}

static bool viewer_take_gap(struct viewer *v, struct position id, const char *data, size_t len) {
    struct journal_event e = {.kind = JOURNAL_GAP, .who = v->number};
    char missed[JOURNAL_WORD];
    if (!read_member(data, len, "from", &e.from) || !read_member(data, len, "to", &e.at) ||
        position_compare(e.at, id) != 0)
        return viewer_break(v, "gap");
    copy_member(data, len, "missed", missed);
    copy_member(data, len, "reason", e.word);
    unsigned long long count = JOURNAL_NULL;
    if (strcmp(missed, "null") != 0 && sscanf(missed, "%llu", &count) != 1) return viewer_break(v, "missed");
    e.count = count;
    v->at = id;
    crowd_note(v->crowd, &e);
    return true;
}

static bool viewer_note_more(struct viewer *v, const char *data, size_t len) {
    struct journal_event e = {.kind = JOURNAL_MORE, .who = v->number};
    char more[JOURNAL_WORD];
    copy_member(data, len, "more", more);
    if (sscanf(more, "%" SCNu64, &e.count) != 1) return false;
    crowd_note(v->crowd, &e);
    return true;
}

static void viewer_take_number(struct viewer *v, struct position id) {
    v->at = id;
    crowd_note(v->crowd, &(struct journal_event){.kind = JOURNAL_PASSED, .who = v->number, .at = id});
}

// What stands for a comment that was deleted, and had `more`.
static bool viewer_take_more(struct viewer *v, struct position id, const char *data, size_t len) {
    if (!position_is_set(id) || !viewer_note_more(v, data, len)) return viewer_break(v, "more");
    viewer_take_number(v, id);
    return true;
}

static bool is_entry(const char *type) {
    static const enum deed_kind kinds[] = {DEED_RETRACT, DEED_PIN, DEED_PURGE, DEED_END, DEED_START};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(type, deed_words[kinds[i]])) return true;
    return false;
}

// Each state's member of a room, and its value if it is off.
static bool viewer_take_room(struct viewer *v, const char *data, size_t len) {
    static const struct {
        enum room_state state;
        const char *name, *off;
    } members[] = {{STATE_FROZEN, "frozen", "false"}, {STATE_RATE, "readable_rate", "0"},
                   {STATE_SLOW, "slow_ms", "0"},      {STATE_SIZE, "max_length", "0"},
                   {STATE_HOLD, "hold", "false"},     {STATE_OVER, "over", "false"}};
    struct journal_event e = {.kind = JOURNAL_ROOM, .who = v->number};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char value[JOURNAL_WORD];
        copy_member(data, len, members[i].name, value);
        if (!*value) return viewer_break(v, members[i].name);
        if (strcmp(value, members[i].off) != 0) e.number |= 1u << members[i].state;
    }
    if (!read_member(data, len, "pinned", &e.at)) e.at = (struct position){0};
    crowd_note(v->crowd, &e);
    return true;
}

static bool viewer_take_reactions(struct viewer *v, const char *data, size_t len) {
    struct journal_event e = {.kind = JOURNAL_REACTED, .who = v->number};
    char count[JOURNAL_WORD];
    copy_member(data, len, "heart", count);
    if (sscanf(count, "%" SCNu64, &e.count) != 1) return viewer_break(v, "reactions");
    crowd_note(v->crowd, &e);
    return true;
}

static bool viewer_take_entry(struct viewer *v, struct position id, const char *type, const char *data,
                              size_t len) {
    struct journal_event e = {.kind = JOURNAL_ENTRY, .who = v->number, .video = v->video, .at = id};
    struct position named;
    char user[JOURNAL_WORD];
    if (!position_is_set(id) || !read_member(data, len, "id", &named) || position_compare(id, named) != 0)
        return viewer_break(v, "id_of_entry");
    snprintf(e.word, sizeof e.word, "%s", type);
    if (!read_member(data, len, "target", &e.from)) e.from = (struct position){0};
    copy_member(data, len, "userid", user);
    if (*user && sscanf(user, "writer%" SCNu32, &e.place) != 1) return viewer_break(v, "user_of_entry");
    v->at = id;
    crowd_note(v->crowd, &e);
    return true;
}

static bool viewer_take_comment(struct viewer *v, struct position id, const char *data, size_t len) {
    struct journal_event e = {.kind = JOURNAL_COMMENT, .who = v->number, .at = id};
    struct position named;
    char video[JOURNAL_WORD];
    size_t text_len;
    const char *text = text_member(data, len, "comment", &text_len);
    copy_member(data, len, "videoid", video);
    if (!position_is_set(id) || !read_member(data, len, "id", &named) || position_compare(id, named) != 0)
        return viewer_break(v, "id");
    if (data[0] != '{' || data[len - 1] != '}' || !text || !text_read(text, text_len, &e.place, &e.number))
        return viewer_break(v, "comment");
    if (strcmp(video, crowd_video(v->video)) != 0) return viewer_break(v, "another_video");
    viewer_note_more(v, data, len);
    v->at = id;
    crowd_note(v->crowd, &e);
    return true;
}

static bool viewer_take_move(struct viewer *v, const char *data, size_t len) {
    size_t url_len;
    const char *url = text_member(data, len, "url", &url_len);
    if (!url) url = text_member(data, len, "reader", &url_len);
    if (!url || !url_len || url_len >= sizeof v->moved) return viewer_break(v, "move");
    snprintf(v->moved, sizeof v->moved, "%.*s", (int)url_len, url);
    return false;
}

bool viewer_take_event(struct viewer *v, const char *id, const char *type, const char *data, size_t len) {
    static const char connected[] = "{\"type\":\"connected\"";
    struct position at = {0};
    if (*id && !position_parse(id, strlen(id), &at)) return viewer_break(v, "malformed_id");
    if (!strcmp(type, "viewers")) return true;
    if (!strcmp(type, "room")) return viewer_take_room(v, data, len);
    if (!strcmp(type, "reactions")) return viewer_take_reactions(v, data, len);
    if (!strcmp(type, "move")) return viewer_take_move(v, data, len);
    if (!strcmp(type, "gap")) return viewer_take_gap(v, at, data, len);
    if (!strcmp(type, "more")) return viewer_take_more(v, at, data, len);
    if (is_entry(type)) return viewer_take_entry(v, at, type, data, len);
    if (*type || (!len && !position_is_set(at))) return viewer_break(v, "unknown_event");
    if (!len) {
        viewer_take_number(v, at);
        return true;
    }
    if (len > sizeof connected && !memcmp(data, connected, sizeof connected - 1))
        return viewer_take_begin(v, at, data, len);
    return viewer_take_comment(v, at, data, len);
}
