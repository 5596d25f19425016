// What every engine does with rooms and bans, and with appends that are checked against them: tests for
// test_engine.c.
#pragma once

#include "embedded_world.h"

struct room_answer {
    struct world *world;
    enum engine_status status;
    struct engine_room rooms[3];
    size_t wanted;
};

static inline void room_on_rooms(void *arg, enum engine_status status, const struct engine_room *rooms) {
    struct room_answer *a = arg;
    a->status = status;
    assert_int_equal(rooms != NULL, status == ENGINE_OK);
    for (size_t i = 0; rooms && i < a->wanted; i++) a->rooms[i] = rooms[i];
    world_answered(a->world);
}

static inline struct room_answer room_read_all(struct world *w, const char *const *videos, size_t count) {
    struct room_answer a = {.world = w, .wanted = count};
    w->awaited++;
    w->ops->rooms_read(w->engine, videos, count, room_on_rooms, &a);
    world_wait(w);
    return a;
}

static inline struct engine_room room_of(struct world *w, const char *video) {
    struct room_answer a = room_read_all(w, &video, 1);
    assert_int_equal(a.status, ENGINE_OK);
    return a.rooms[0];
}

static inline struct room_answer room_try(struct world *w, const char *video,
                                          const struct engine_room *room) {
    struct room_answer a = {.world = w, .wanted = 1};
    w->awaited++;
    w->ops->room_write(w->engine, video, room, w->note, room_on_rooms, &a);
    world_wait(w);
    return a;
}

// Writes a room over the present one.
static inline void room_set(struct world *w, const char *video, struct engine_room room) {
    room.revision = room_of(w, video).revision;
    struct room_answer a = room_try(w, video, &room);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.rooms[0].revision, room.revision + 1);
}

struct ban_answer {
    struct world *world;
    enum engine_status status;
    size_t count;
    struct {
        char user[64];
        int64_t until_ms;
        bool shadow;
    } bans[4];
};

static inline void room_on_bans(void *arg, enum engine_status status, const struct engine_ban *bans,
                                size_t count) {
    struct ban_answer *a = arg;
    a->status = status;
    a->count = count;
    for (size_t i = 0; i < count && i < 4; i++) {
        snprintf(a->bans[i].user, sizeof a->bans[i].user, "%s", bans[i].user);
        a->bans[i].until_ms = bans[i].until_ms;
        a->bans[i].shadow = bans[i].shadow;
    }
    world_answered(a->world);
}

static inline struct ban_answer room_ban(struct world *w, const char *video, const char *user, int64_t for_ms,
                                         bool shadow) {
    struct ban_answer a = {.world = w};
    w->awaited++;
    w->ops->ban_write(w->engine, video, user, for_ms, shadow, w->note, room_on_bans, &a);
    world_wait(w);
    return a;
}

static inline struct ban_answer room_bans(struct world *w, const char *video) {
    struct ban_answer a = {.world = w};
    w->awaited++;
    w->ops->bans_read(w->engine, video, room_on_bans, &a);
    world_wait(w);
    assert_int_equal(a.status, ENGINE_OK);
    return a;
}

struct room_post {
    struct world_append append;
    struct engine_refusal refusal;
};

static inline void room_begin_post(struct world *w, struct room_post *p, const char *video,
                                   struct engine_gate gate, const char *token) {
    struct engine_token named;
    struct engine_append what = world_comment(video, "{\"comment\":\"x\"}");
    *p = (struct room_post){.append.world = w};
    if (token) world_token(&named, token, "x");
    what.token = token ? &named : NULL;
    static const char *const id = "00112233445566778899aabbccddeeff";
    if (!gate.badges) gate.badges = "";
    if (!gate.id) gate.id = id;
    gate.refusal = &p->refusal;
    what.gate = &gate;
    w->awaited++;
    w->ops->append(w->engine, &what, world_on_append, &p->append);
}

static inline struct room_post room_post_as(struct world *w, const char *video, struct engine_gate gate) {
    struct room_post p;
    room_begin_post(w, &p, video, gate, NULL);
    world_wait(w);
    return p;
}

#define POST(...) room_post_as(w, "v", (struct engine_gate){__VA_ARGS__})

static inline void room_accepts(struct room_post p) {
    assert_int_equal(p.append.status, ENGINE_OK);
}

static inline struct engine_refusal room_refuses(struct room_post p, enum engine_refused why) {
    assert_int_equal(p.append.status, ENGINE_REFUSED);
    assert_int_equal(p.refusal.why, why);
    assert_false(position_is_set(p.append.at));
    assert_string_equal(p.append.json, "{\"comment\":\"x\"}"); // what was asked
    return p.refusal;
}

static inline void a_room_is_read_as_it_was_written(void **state) {
    struct world *w = *state;
    const char *const videos[] = {"none", "v", "w"};
    const struct engine_room room = {.slow_ms = 1,
                                     .repeat_ms = 2,
                                     .delay_ms = 3,
                                     .rate = 4,
                                     .max_length = 5,
                                     .readable_rate = 6,
                                     .frozen = true,
                                     .hold = true,
                                     .only = "vip,host"};
    room_set(w, "v", room);
    room_set(w, "v", room);
    room_set(w, "w", (struct engine_room){.hold = true});
    struct room_answer a = room_read_all(w, videos, 3);
    struct engine_room expected = room;
    expected.revision = 2;
    assert_int_equal(a.rooms[0].revision, 0);
    assert_memory_equal(&a.rooms[1], &expected, offsetof(struct engine_room, frozen));
    assert_true(a.rooms[1].frozen && a.rooms[1].hold && a.rooms[2].hold && !a.rooms[2].frozen);
    assert_string_equal(a.rooms[1].only, "vip,host");
    assert_string_equal(a.rooms[2].only, "");
}

static inline void a_room_that_another_has_written_is_not_overwritten(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.slow_ms = 1});
    struct room_answer a = room_try(w, "v", &(struct engine_room){.slow_ms = 2});
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.rooms[0].revision, 1);
    assert_int_equal(a.rooms[0].slow_ms, 1);
    assert_int_equal(room_of(w, "v").slow_ms, 1);
}

static inline void what_is_not_checked_is_accepted(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.frozen = true});
    room_ban(w, "v", "ann", -1, false);
    world_post(w, "v", 1);
    room_accepts(room_post_as(w, "other", (struct engine_gate){.author = "ann"}));
}

static inline void a_banned_user_is_refused_until_the_ban_is_lifted(void **state) {
    struct world *w = *state;
    room_accepts(POST(.author = "ann"));
    assert_int_equal(room_ban(w, "v", "ann", -1, false).bans[0].until_ms, 0);
    assert_int_equal(room_refuses(POST(.author = "ann"), REFUSED_BANNED).number, 0);
    room_accepts(POST(.author = "bob"));
    assert_int_equal(room_ban(w, "v", "ann", 0, false).count, 0);
    struct room_post p = POST(.author = "ann");
    room_accepts(p);
    assert_int_equal(p.append.at.seq, 3); // what was refused has no number
}

static inline void a_time_out_ends_by_itself(void **state) {
    struct world *w = *state;
    int64_t until_ms = room_ban(w, "v", "ann", 600, false).bans[0].until_ms;
    assert_true(until_ms > 0);
    assert_int_equal(room_refuses(POST(.author = "ann"), REFUSED_BANNED).number, until_ms);
    while (POST(.author = "ann").append.status != ENGINE_OK) world_let_pass(w, 20);
    world_let_pass(w, 20); // on Redis the list goes by an estimate of its clock
    assert_int_equal(room_bans(w, "v").count, 0);
}

static inline void a_shadow_ban_is_refused_last(void **state) {
    struct world *w = *state;
    room_ban(w, "v", "ann", -1, true);
    room_refuses(POST(.author = "ann"), REFUSED_SHADOWED);
    room_set(w, "v", (struct engine_room){.max_length = 5, .slow_ms = 3600000});
    room_refuses(POST(.author = "ann", .length = 6), REFUSED_TOO_LONG);
    room_refuses(POST(.author = "ann"), REFUSED_SHADOWED);
    room_refuses(POST(.author = "ann"), REFUSED_SLOW); // as if it had been accepted
}

static inline void bans_are_listed(void **state) {
    struct world *w = *state;
    assert_int_equal(room_bans(w, "v").count, 0);
    room_ban(w, "v", "ann", -1, true);
    room_ban(w, "v", "ann", 3600000, false);
    room_ban(w, "v", "bob", -1, true);
    room_ban(w, "w", "cat", -1, false);
    struct ban_answer a = room_bans(w, "v");
    assert_int_equal(a.count, 2);
    unsigned ann = strcmp(a.bans[0].user, "ann") ? 1 : 0;
    assert_string_equal(a.bans[ann].user, "ann");
    assert_string_equal(a.bans[1 - ann].user, "bob");
    assert_true(a.bans[ann].until_ms > 0 && !a.bans[ann].shadow);
    assert_true(a.bans[1 - ann].until_ms == 0 && a.bans[1 - ann].shadow);
}

static inline void slow_mode_admits_one_of_a_user(void **state) {
    struct world *w = *state;
    static struct room_post all[9];
    unsigned accepted = 0;
    room_set(w, "v", (struct engine_room){.slow_ms = 3600000});
    for (unsigned i = 0; i < 9; i++)
        room_begin_post(w, &all[i], "v", (struct engine_gate){.author = "ann"}, NULL);
    world_wait(w);
    for (unsigned i = 0; i < 9; i++) accepted += all[i].append.status == ENGINE_OK;
    assert_int_equal(accepted, 1);
    struct engine_refusal r = room_refuses(POST(.author = "ann"), REFUSED_SLOW);
    assert_true(r.number > 3500000 && r.number <= 3600000);
    room_accepts(POST(.author = "bob"));
    room_set(w, "v", (struct engine_room){.slow_ms = 1});
    world_let_pass(w, 5);
    room_accepts(POST(.author = "ann"));
}

static inline void a_repeat_by_token_is_answered_before_it_is_checked(void **state) {
    struct world *w = *state;
    struct room_post first, again;
    room_set(w, "v", (struct engine_room){.slow_ms = 3600000});
    room_begin_post(w, &first, "v", (struct engine_gate){.author = "ann"}, "t");
    world_wait(w);
    room_ban(w, "v", "ann", -1, false);
    room_begin_post(w, &again, "v", (struct engine_gate){.author = "ann"}, "t");
    world_wait(w);
    room_accepts(again);
    assert_true(again.append.repeated);
    assert_int_equal(position_compare(again.append.at, first.append.at), 0);
}

static inline void a_room_refuses_by_its_settings(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.frozen = true});
    room_refuses(POST(.author = "ann"), REFUSED_FROZEN);
    room_set(w, "v", (struct engine_room){.only = "vip,host"});
    room_refuses(POST(.author = "ann"), REFUSED_NOT_IN_ROOM);
    room_refuses(POST(.author = "ann", .badges = "vi,ost,viphost"), REFUSED_NOT_IN_ROOM);
    room_accepts(POST(.author = "ann", .badges = "x,host"));
    room_set(w, "v", (struct engine_room){.max_length = 3});
    assert_int_equal(room_refuses(POST(.author = "ann", .length = 4), REFUSED_TOO_LONG).number, 3);
    room_accepts(POST(.author = "ann", .length = 3));
    room_set(w, "v", (struct engine_room){.repeat_ms = 3600000});
    room_accepts(POST(.author = "ann", .text = 1));
    assert_true(room_refuses(POST(.author = "bob", .text = 1), REFUSED_REPEATED).number > 3500000);
    room_accepts(POST(.author = "bob", .text = 2));
}

static inline void a_rate_admits_as_many_a_second(void **state) {
    struct world *w = *state;
    unsigned accepted = 0;
    static struct room_post all[40];
    room_set(w, "v", (struct engine_room){.rate = 5});
    for (unsigned i = 0; i < 40; i++)
        room_begin_post(w, &all[i], "v", (struct engine_gate){.author = "ann"}, NULL);
    world_wait(w);
    for (unsigned i = 0; i < 40; i++) {
        accepted += all[i].append.status == ENGINE_OK;
        if (i >= 39) room_refuses(all[i], REFUSED_RATE);
    }
    assert_true(accepted >= 5 && accepted < 30); // more, where they took seconds
    while (POST(.author = "ann").append.status != ENGINE_OK) world_let_pass(w, 20);
}

static inline void rooms_and_bans_outlive_the_engine(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.slow_ms = 3600000, .only = "vip"});
    room_ban(w, "v", "bad", -1, false);
    room_accepts(POST(.author = "ann", .badges = "vip"));
    if (!world_has_disk(w)) skip();
    world_reopen(w);
    room_refuses(POST(.author = "ann", .badges = "vip"), REFUSED_SLOW);
    room_refuses(POST(.author = "bad", .badges = "vip"), REFUSED_BANNED);
    assert_string_equal(room_of(w, "v").only, "vip");
    assert_int_equal(room_bans(w, "v").count, 1);
}

static inline void a_room_stays_when_a_mapping_is_released(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.frozen = true});
    world_assign(w, "v", "http://a");
    assert_int_equal(world_release(w, "v", "http://a"), ENGINE_OK);
    room_refuses(POST(.author = "ann"), REFUSED_FROZEN);
}

struct held_answer {
    struct world *world;
    enum engine_status status;
    size_t count;
    int64_t left;
    struct {
        char video[32], id[ROOM_HELD_ID_SIZE], author[32], body[64];
        int64_t due_ms, at_ms;
        bool allows;
        unsigned char digest[ENGINE_DIGEST];
    } held[4];
};

static inline void room_on_held(void *arg, enum engine_status status, const struct engine_held *list,
                                size_t count) {
    struct held_answer *a = arg;
    a->status = status;
    a->count = count;
    for (size_t i = 0; i < count && i < 4; i++) {
        const struct engine_held *h = &list[i];
        snprintf(a->held[i].video, sizeof a->held[i].video, "%s", h->video);
        snprintf(a->held[i].id, sizeof a->held[i].id, "%s", h->id);
        snprintf(a->held[i].author, sizeof a->held[i].author, "%s", h->author);
        snprintf(a->held[i].body, sizeof a->held[i].body, "%.*s", (int)h->body_len, h->body);
        a->held[i].due_ms = h->due_ms;
        a->held[i].at_ms = h->at_ms;
        a->held[i].allows = h->allows;
        memcpy(a->held[i].digest, h->digest, ENGINE_DIGEST);
    }
    world_answered(a->world);
}

static inline struct held_answer room_held(struct world *w, const char *video) {
    struct held_answer a = {.world = w};
    w->awaited++;
    w->ops->held_read(w->engine, video, room_on_held, &a);
    world_wait(w);
    assert_int_equal(a.status, ENGINE_OK);
    return a;
}

static inline void room_on_drop(void *arg, enum engine_status status, int64_t left) {
    struct held_answer *a = arg;
    a->status = status;
    a->left = left;
    world_answered(a->world);
}

static inline struct held_answer room_drop(struct world *w, const char *video, const char *id) {
    struct held_answer a = {.world = w};
    w->awaited++;
    w->ops->held_drop(w->engine, video, id, w->note, room_on_drop, &a);
    world_wait(w);
    return a;
}

#define ID_A "aa112233445566778899aabbccddeeff"
#define ID_B "bb112233445566778899aabbccddeeff"

static inline void comments_wait_for_a_moderator(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.hold = true, .delay_ms = 5});
    struct engine_refusal r = room_refuses(POST(.author = "ann", .id = ID_A), REFUSED_HELD);
    assert_int_equal(r.number, ROOM_HELD_MS);
    assert_int_equal(r.waiting, 1);
    assert_int_equal(room_refuses(POST(.author = "bob", .id = ID_B), REFUSED_HELD).waiting, 2);
    world_post(w, "v", 1); // of a moderator
    struct held_answer a = room_held(w, "v");
    assert_int_equal(a.count, 2);
    unsigned of_a = strcmp(a.held[0].id, ID_A) ? 1 : 0;
    assert_string_equal(a.held[of_a].id, ID_A);
    assert_string_equal(a.held[of_a].video, "v");
    assert_string_equal(a.held[of_a].author, "ann");
    assert_string_equal(a.held[of_a].body, "\"comment\":\"x\"");
    assert_false(a.held[of_a].allows);
    assert_int_equal(room_held(w, NULL).count, 0);
    if (world_has_disk(w)) world_reopen(w);
    assert_int_equal(room_held(w, "v").count, 2);
    a = room_drop(w, "v", ID_A);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.left, 1);
    assert_int_equal(room_drop(w, "v", ID_A).status, ENGINE_NOT_FOUND);
    assert_int_equal(room_drop(w, "other", ID_B).status, ENGINE_NOT_FOUND);
}

// In a room that holds nothing, and on a video that there is not.
static inline void one_comment_can_be_made_to_wait(void **state) {
    struct world *w = *state;
    room_refuses(POST(.author = "ann", .checks = GATE_HOLD, .id = ID_A), REFUSED_HELD);
    room_accepts(POST(.author = "ann", .id = ID_B));
    room_set(w, "v", (struct engine_room){.delay_ms = 60000, .max_length = 3});
    room_refuses(POST(.author = "ann", .checks = GATE_HOLD, .length = 4), REFUSED_TOO_LONG);
    room_refuses(POST(.author = "bob", .checks = GATE_HOLD, .id = ID_B), REFUSED_HELD);
    struct held_answer a = room_held(w, "v");
    assert_int_equal(a.count, 2);
    assert_false(a.held[0].allows || a.held[1].allows);
    room_ban(w, "v", "ann", -1, false);
    room_refuses(POST(.author = "ann", .checks = GATE_HOLD), REFUSED_BANNED);
}

static inline void delayed_comments_become_due_in_order(void **state) {
    struct world *w = *state;
    room_set(w, "v", (struct engine_room){.delay_ms = 300});
    assert_int_equal(room_refuses(POST(.author = "ann", .id = ID_B), REFUSED_DELAYED).number, 300);
    world_let_pass(w, 5);
    room_refuses(POST(.author = "ann", .id = ID_A), REFUSED_DELAYED);
    struct held_answer a;
    while ((a = room_held(w, NULL)).count < 2) world_let_pass(w, 20);
    assert_string_equal(a.held[0].id, ID_B);
    assert_string_equal(a.held[1].id, ID_A);
    assert_string_equal(a.held[0].video, "v");
    assert_true(a.held[0].allows && a.held[1].allows);
}

static inline void a_repeat_of_what_waits_waits_once(void **state) {
    struct world *w = *state;
    struct room_post p;
    room_set(w, "v", (struct engine_room){.hold = true, .slow_ms = 3600000});
    for (int i = 0; i < 2; i++) {
        room_begin_post(w, &p, "v", (struct engine_gate){.author = "ann", .id = ID_A}, "t");
        world_wait(w);
        assert_int_equal(room_refuses(p, REFUSED_HELD).waiting, 1);
    }
    struct held_answer a = room_held(w, "v");
    struct engine_token token;
    world_token(&token, "t", "x");
    assert_int_equal(a.count, 1);
    assert_int_equal(a.held[0].at_ms, token.at_ms);
    assert_memory_equal(a.held[0].digest, token.digest, ENGINE_DIGEST);
}

static inline void what_has_waited_is_only_checked_for_a_ban(void **state) {
    struct world *w = *state;
    struct room_post p;
    room_set(w, "v", (struct engine_room){.hold = true, .frozen = true});
    room_begin_post(w, &p, "v", (struct engine_gate){.author = "ann", .id = ID_A, .checks = GATE_WAITED},
                    "t");
    world_wait(w);
    room_accepts(p);
    room_ban(w, "v", "ann", -1, false);
    room_refuses(POST(.author = "ann", .checks = GATE_WAITED), REFUSED_BANNED);
    room_ban(w, "v", "ann", -1, true);
    room_refuses(POST(.author = "ann", .checks = GATE_WAITED), REFUSED_SHADOWED);
}

static inline struct world_amend room_turn(struct world *w, const char *video, enum entry_kind kind) {
    return world_amend(w, &(struct engine_amend){
                              .video = video, .kind = kind, .body = "\"timestamp\":\"x\"", .body_len = 15});
}

static inline void an_end_refuses_all_comments_until_a_start(void **state) {
    struct world *w = *state;
    struct room_post p;
    room_set(w, "v", (struct engine_room){.slow_ms = 7, .only = "1"});
    room_begin_post(w, &p, "v", (struct engine_gate){.author = "ann", .badges = "1"}, "before");
    world_wait(w);
    room_accepts(p);
    assert_false(world_head(w, "v").over);

    struct world_amend end = room_turn(w, "v", ENTRY_END), again = room_turn(w, "v", ENTRY_END);
    assert_true(end.status == ENGINE_OK && position_is_set(end.at));
    assert_true(again.status == ENGINE_OK && !position_is_set(again.at));
    struct world_head head = world_head(w, "v");
    assert_true(head.over && position_compare(head.at, end.at) == 0);
    room_ban(w, "v", "bob", -1, false);
    room_refuses(POST(.author = "bob"), REFUSED_OVER);
    room_refuses(POST(.author = "ann", .checks = GATE_WAITED), REFUSED_OVER);
    room_refuses(POST(.author = "ann", .checks = GATE_FREE), REFUSED_OVER);
    room_begin_post(w, &p, "v", (struct engine_gate){.author = "ann"}, "before");
    world_wait(w);
    room_accepts(p); // a repeat
    struct engine_room room = room_of(w, "v");
    assert_true(room.over && room.slow_ms == 7 && room.revision == 2 && !strcmp(room.only, "1"));

    assert_true(position_is_set(room_turn(w, "v", ENTRY_START).at));
    assert_false(world_head(w, "v").over);
    room_accepts(POST(.author = "ann", .checks = GATE_FREE));
    assert_true(position_is_set(room_turn(w, "v", ENTRY_START).at)); // of one that goes on
    assert_int_equal(room_of(w, "v").revision, 3);
}

static inline void an_end_is_not_undone_by_who_had_read_the_room_before(void **state) {
    struct world *w = *state;
    struct engine_room before = room_of(w, "v");
    room_turn(w, "v", ENTRY_END);
    before.frozen = true;
    struct room_answer a = room_try(w, "v", &before);
    assert_true(a.rooms[0].over && !a.rooms[0].frozen);
    if (world_has_disk(w)) world_reopen(w);
    assert_true(world_head(w, "v").over);
    room_refuses(POST(.author = "ann"), REFUSED_OVER);
}

static inline enum engine_status room_pin(struct world *w, struct position target) {
    return world_amend(
               w,
               &(struct engine_amend){
                   .video = "v", .kind = ENTRY_PIN, .body = "\"a\":1", .body_len = 5, .target = target})
        .status;
}

static inline bool room_has_pinned(struct world *w, struct position at, uint64_t revision) {
    struct engine_room room = room_of(w, "v");
    return position_compare(room.pinned, at) == 0 && room.revision == revision;
}

static inline void the_room_knows_what_is_pinned_until_it_is_taken_off(void **state) {
    struct world *w = *state;
    const struct position none = {0};
    struct engine_room before = room_of(w, "v");
    struct position one = world_post(w, "v", 1), two = world_post(w, "v", 2);
    assert_true(position_compare(before.pinned, none) == 0);
    room_pin(w, none); // where none is
    assert_true(room_has_pinned(w, none, 0));
    room_pin(w, one);
    room_pin(w, one);
    assert_true(room_has_pinned(w, one, 1));
    before.frozen = true;
    assert_false(room_try(w, "v", &before).rooms[0].frozen); // which would undo it
    room_set(w, "v", (struct engine_room){.slow_ms = 7, .revision = 1, .pinned = one});
    room_pin(w, two);
    assert_true(room_has_pinned(w, two, 3));
    struct position later = {two.epoch, two.seq + 100};
    assert_int_equal(room_pin(w, later), ENGINE_NOT_FOUND);
    room_turn(w, "v", ENTRY_END);
    room_turn(w, "v", ENTRY_START);
    if (world_has_disk(w)) world_reopen(w);
    struct engine_room room = room_of(w, "v");
    assert_true(room_has_pinned(w, two, 5) && room.slow_ms == 7 && !room.over);
    room_pin(w, none);
    assert_true(room_has_pinned(w, none, 6));
}

static inline void a_comment_that_is_taken_out_is_not_pinned(void **state) {
    struct world *w = *state;
    struct position one = world_post(w, "v", 1), two = world_post(w, "v", 2);
    struct engine_amend what = {.video = "v", .kind = ENTRY_RETRACT, .body = "\"a\":1", .body_len = 5};
    room_pin(w, two);
    what.target = one; // another one
    world_amend(w, &what);
    assert_true(room_has_pinned(w, two, 1));
    what.target = two;
    world_amend(w, &what);
    assert_true(room_has_pinned(w, (struct position){0}, 2));

    struct position of_ann = world_append(w, "v", "{\"userid\":\"ann\",\"comment\":\"x\"}", NULL).at;
    room_pin(w, of_ann);
    world_amend(w, &(struct engine_amend){
                       .video = "v", .kind = ENTRY_PURGE, .body = "\"a\":1", .body_len = 5, .user = "bob"});
    assert_true(room_has_pinned(w, of_ann, 3));
    world_amend(w, &(struct engine_amend){
                       .video = "v", .kind = ENTRY_PURGE, .body = "\"a\":1", .body_len = 5, .user = "ann"});
    assert_true(room_has_pinned(w, (struct position){0}, 4));
}

struct audit_answer {
    struct world *world;
    size_t count;
    char notes[ENGINE_NOTES + ENGINE_NOTES_AUTOMATIC][32];
};

static inline void room_on_audit(void *arg, enum engine_status status, const char *const *notes,
                                 size_t count) {
    struct audit_answer *a = arg;
    assert_int_equal(status, ENGINE_OK);
    assert_true(count <= ENGINE_NOTES + ENGINE_NOTES_AUTOMATIC);
    a->count = count;
    for (size_t i = 0; i < count; i++) snprintf(a->notes[i], sizeof a->notes[i], "%s", notes[i]);
    world_answered(a->world);
}

static inline struct audit_answer room_audit(struct world *w, const char *video) {
    struct audit_answer a = {.world = w};
    w->awaited++;
    w->ops->audit_read(w->engine, video, room_on_audit, &a);
    world_wait(w);
    return a;
}

static inline void what_moderators_do_is_noted_in_the_same_step(void **state) {
    static const char *const wanted[] = {"h", "g", "f", "e", "d", "c", "b", "a"};
    struct world *w = *state;
    struct position one = world_post(w, "v", 1);
    struct engine_amend what = {.video = "v", .kind = ENTRY_RETRACT, .body = "\"a\":1", .body_len = 5};
    what.target = one;
    assert_int_equal(room_audit(w, "v").count, 0);
    w->note = what.note = "a";
    for (int i = 0; i < 2; i++) world_amend(w, &what); // nothing to do the second time
    room_set(w, "v", (struct engine_room){.hold = true});
    w->note = "b";
    room_set(w, "v", (struct engine_room){.hold = true, .rate = 5});
    room_try(w, "v", &(struct engine_room){.revision = 7}); // of another revision
    w->note = "c";
    room_ban(w, "v", "ann", -1, false);
    w->note = "d";
    for (int i = 0; i < 2; i++) room_ban(w, "v", "ann", 0, false);
    room_refuses(POST(.author = "ann", .id = ID_A), REFUSED_HELD);
    w->note = "e";
    for (int i = 0; i < 2; i++) room_drop(w, "v", ID_A);
    const enum entry_kind kinds[] = {ENTRY_START, ENTRY_END, ENTRY_PURGE};
    what.target = (struct position){0};
    for (int i = 0; i < 3; i++) {
        what.kind = kinds[i];
        what.user = i == 2 ? "ann" : NULL;
        what.note = (const char *const[]){"f", "g", "h"}[i];
        world_amend(w, &what);
    }
    if (world_has_disk(w)) world_reopen(w);
    struct audit_answer a = room_audit(w, "v");
    assert_int_equal(a.count, 9); // "a" twice: the retraction, and the room
    for (int i = 0; i < 8; i++) assert_string_equal(a.notes[i], wanted[i]);
    assert_int_equal(room_audit(w, "other").count, 0);
}

static inline void the_newest_notes_are_kept(void **state) {
    struct world *w = *state;
    char note[12];
    w->note = note;
    for (int i = 0; i < ENGINE_NOTES + 3; i++) {
        snprintf(note, sizeof note, "%d", i);
        room_ban(w, "v", "ann", -1, false);
    }
    struct audit_answer a = room_audit(w, "v");
    assert_int_equal(a.count, ENGINE_NOTES);
    assert_string_equal(a.notes[0], "502");
    assert_string_equal(a.notes[ENGINE_NOTES - 1], "3");
}

static inline void notes_of_what_was_done_by_itself_push_no_others_out(void **state) {
    struct world *w = *state;
    char note[32];
    w->note = "by ann";
    room_ban(w, "v", "ann", -1, false);
    w->note = note;
    for (int i = 0; i < ENGINE_NOTES + 3; i++) {
        snprintf(note, sizeof note, ENGINE_NOTE_AUTOMATIC "%d}", i);
        room_ban(w, "v", "bob", -1, false);
    }
    w->note = "by bea";
    room_ban(w, "v", "ann", -1, false);
    struct audit_answer a = room_audit(w, "v");
    assert_int_equal(a.count, 2 + ENGINE_NOTES_AUTOMATIC);
    assert_string_equal(a.notes[0], "by bea");
    assert_string_equal(a.notes[1], "by ann");
    assert_string_equal(a.notes[2], ENGINE_NOTE_AUTOMATIC "502}");
    assert_string_equal(a.notes[a.count - 1], ENGINE_NOTE_AUTOMATIC "403}");
}

// With three videos at most.
static inline void a_room_is_evicted_with_its_video(void **state) {
    struct world *w = *state;
    static const char *const videos[] = {"a", "b", "c"};
    room_set(w, "v", (struct engine_room){.frozen = true});
    room_ban(w, "v", "ann", -1, false);
    for (int i = 0; i < 3; i++) world_post(w, videos[i], 1);
    assert_int_equal(room_of(w, "v").revision, 0);
    assert_int_equal(room_bans(w, "v").count, 0);
    assert_int_equal(room_try(w, "v", &(struct engine_room){.hold = true}).status, ENGINE_FULL);
    assert_int_equal(room_ban(w, "v", "ann", -1, false).status, ENGINE_FULL);
    assert_int_equal(room_ban(w, "v", "ann", 0, false).status, ENGINE_OK);
}

#define ROOM_CONTRACT(TEST)                                                                                  \
    TEST(a_room_is_read_as_it_was_written), TEST(a_room_that_another_has_written_is_not_overwritten),        \
        TEST(what_is_not_checked_is_accepted), TEST(a_banned_user_is_refused_until_the_ban_is_lifted),       \
        TEST(a_time_out_ends_by_itself), TEST(a_shadow_ban_is_refused_last), TEST(bans_are_listed),          \
        TEST(slow_mode_admits_one_of_a_user), TEST(a_repeat_by_token_is_answered_before_it_is_checked),      \
        TEST(a_room_refuses_by_its_settings), TEST(a_rate_admits_as_many_a_second),                          \
        TEST(rooms_and_bans_outlive_the_engine), TEST(a_room_stays_when_a_mapping_is_released),              \
        TEST(comments_wait_for_a_moderator), TEST(delayed_comments_become_due_in_order),                     \
        TEST(a_repeat_of_what_waits_waits_once), TEST(one_comment_can_be_made_to_wait),                      \
        TEST(what_has_waited_is_only_checked_for_a_ban), TEST(an_end_refuses_all_comments_until_a_start),    \
        TEST(an_end_is_not_undone_by_who_had_read_the_room_before),                                          \
        TEST(the_room_knows_what_is_pinned_until_it_is_taken_off),                                           \
        TEST(a_comment_that_is_taken_out_is_not_pinned), TEST(what_moderators_do_is_noted_in_the_same_step), \
        TEST(the_newest_notes_are_kept), TEST(notes_of_what_was_done_by_itself_push_no_others_out)
