#include "differ_scripts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ_dice.h"
#include "engine/redis/redis_script.h"

enum { VIDEOS = 5, READERS = 3, POSITION = 48, KEEP_MS = 20000, LOG_AGE_MS = 5000 };

// The newest position of a video that a caller knows, and the highest epoch of all.
static char known[VIDEOS][POSITION];
static int64_t highest_epoch;
static int token_count;

static void add_script(struct words *w, const struct redis_script *s, int keys) {
    words_clear(w);
    words_add(w, "EVALSHA");
    words_add_bytes(w, s->sha, 40);
    words_add(w, "%d", keys);
}

static void add_log_keys(struct words *w, int video) {
    words_add(w, "{video:v%d}:log", video);
    words_add(w, "{video:v%d}:pos", video);
}

// What position.lua reads. What is known is at times more than the store has, as after a failover.
static void add_place(const struct pair *p, struct words *w, int video) {
    uint64_t what = dice(12);
    int64_t now_ms = p->now_us / 1000;
    if (what < 6 && known[video][0])
        words_add(w, "%s", known[video]);
    else if (what == 6)
        words_add(w, "%" PRId64 "-%d", highest_epoch ? highest_epoch : now_ms, (int)dice(40));
    else if (what == 7)
        words_add(w, "%" PRId64 "-%d", now_ms - (int64_t)dice(10000), (int)dice(5));
    else
        words_add(w, "%s", "");
    words_add(w, "%" PRId64, dice_one_in(10) ? highest_epoch + 5000 : highest_epoch);
    words_add(w, "video:v%d", video);
    words_add(w, "%d", LOG_AGE_MS);
    words_add(w, "%d", KEEP_MS);
}

static void note_id(int video, const char *reply) {
    const char *at = strstr(reply, "\"ok\n");
    char id[POSITION];
    if (!at || sscanf(at, "\"ok\n \"%40s", id) != 1) return;
    snprintf(known[video], POSITION, "%s", id);
    int64_t epoch = strtoll(id, NULL, 10);
    if (epoch > highest_epoch) highest_epoch = epoch;
}

static void call_append(struct pair *p, struct words *w) {
    int video = (int)dice(VIDEOS), kind = dice_one_in(5) ? (int)dice(3) * 4 : 1;
    bool token = dice_one_in(3);
    int64_t now_ms = p->now_us / 1000;
    char name[17], digest[17];
    add_script(w, &redis_script_append, token ? 7 : 3);
    add_log_keys(w, video);
    words_add(w, "chorus:comments");
    int repeated = token_count && dice_one_in(2) ? (int)dice((uint64_t)token_count) : token_count++;
    if (token) {
        words_add(w, "{video:v%d}:tokens", video);
        words_add(w, "{video:v%d}:tokens:older", video);
        words_add(w, "chorus:tokens");
        words_add(w, "{video:v%d}:token:%d", video, repeated);
    }
    add_place(p, w, video);
    words_add(w, "%" PRId64, now_ms + (dice_one_in(20) ? -1 : 400));
    words_add(w, "%d", dice_one_in(3) ? 5 : 20);
    words_add(w, "%d", dice_one_in(3) ? 0 : 1500);
    words_add(w, "%d", dice_one_in(10) ? 1 : 1 << 30);
    words_add(w, "%d", kind);
    if (kind == 1)
        words_add(w, "\"userid\":\"u%d\",\"comment\":\"%d\"", (int)dice(9), (int)dice(1000));
    else
        words_add(w, "%s", kind ? "\"target\":\"x\"" : "");
    if (token) {
        snprintf(name, sizeof name, "token%011d", repeated);
        snprintf(digest, sizeof digest, "digest%010d", dice_one_in(6) ? 1 : 0);
        words_add(w, "%s", name);
        words_add(w, "%s", digest);
        words_add(w, "%" PRId64, now_ms);
    }
    words_add(w, "%d", dice_one_in(4) ? 3 : dice_one_in(6) ? -1 : 0);
    note_id(video, pair_ask(p, w, DIFFER_EXACT));
}

// A retraction of one of the newest, mostly of a comment; a purge.
static void call_amend(struct pair *p, struct words *w) {
    int video = (int)dice(VIDEOS);
    bool purges = dice_one_in(4);
    const char *dash = strchr(known[video], '-');
    int newest = dash ? (int)strtol(dash + 1, NULL, 10) : 1;
    add_script(w, &redis_script_amend, 4);
    add_log_keys(w, video);
    words_add(w, "chorus:comments");
    words_add(w, "{video:v%d}:retracted", video);
    add_place(p, w, video);
    words_add(w, "%" PRId64, p->now_us / 1000 + (dice_one_in(20) ? -1 : 400));
    words_add(w, "%d", purges ? 3 : dice_one_in(4) ? 4 : 2);
    words_add(w, "%s", "\"timestamp\":\"t\"");
    if (purges)
        words_add(w, "%s", "");
    else
        words_add(w, "%lld-%d", strtoll(known[video], NULL, 10),
                  newest > 6 ? newest - (int)dice(6) : (int)dice(6));
    if (purges)
        words_add(w, "u%d", (int)dice(9));
    else
        words_add(w, "%s", "");
    words_add(w, "%d", dice_one_in(4) ? 3 : 0);
    note_id(video, pair_ask(p, w, DIFFER_EXACT));
}

static void call_head(struct pair *p, struct words *w) {
    int video = (int)dice(VIDEOS);
    add_script(w, dice_one_in(3) ? &redis_script_head_when_full : &redis_script_head, 3);
    add_log_keys(w, video);
    words_add(w, "{video:v%d}:room", video);
    add_place(p, w, video);
    words_add(w, "%d", dice_one_in(3) ? 3 : 0);
    pair_send(p, w, DIFFER_EXACT);
}

static void call_heads(struct pair *p, struct words *w) {
    add_script(w, &redis_script_heads, 2 * VIDEOS);
    for (int video = 0; video < VIDEOS; video++) {
        words_add(w, "{video:v%d}:pos", video);
        words_add(w, "{video:v%d}:room", video);
    }
    words_add(w, "%d", 1 << 30);
    for (int video = 0; video < VIDEOS; video++) words_add(w, "%s", known[video]);
    pair_send(p, w, DIFFER_EXACT);
}

static void call_range(struct pair *p, struct words *w) {
    int video = (int)dice(VIDEOS);
    bool before = dice_one_in(2);
    add_script(w, before ? &redis_script_range_before : &redis_script_range, 3);
    add_log_keys(w, video);
    words_add(w, "{video:v%d}:retracted", video);
    if (known[video][0] && dice_one_in(2))
        words_add(w, "%lld-%d", strtoll(known[video], NULL, 10), (int)dice(30));
    else
        words_add(w, "%s", before || !highest_epoch ? "0-0" : "1000-0");
    words_add(w, "%d", (int)dice(12) + 1);
    words_add(w, "%d", dice_one_in(2) ? LOG_AGE_MS : 500);
    pair_send(p, w, DIFFER_EXACT);
}

// assign, lookup, reassign, release
static void call_mapping(struct pair *p, struct words *w) {
    int video = (int)dice(VIDEOS + 3), what = (int)dice(4);
    const struct redis_script *const scripts[] = {&redis_script_assign, &redis_script_lookup,
                                                  &redis_script_reassign, &redis_script_release};
    add_script(w, scripts[what], 1);
    words_add(w, "video:v%d:reader", video);
    words_add(w, "v%d", video);
    if (what < 3) words_add(w, "%d", dice_one_in(3) ? 400 : KEEP_MS);
    if (what >= 2) words_add(w, "http://r%d", (int)dice(READERS));
    if (what == 0 || what == 2) words_add(w, "http://r%d", (int)dice(READERS));
    if (what == 0) words_add(w, "%d", dice_one_in(2) ? 4 : 0);
    pair_send(p, w, DIFFER_EXACT);
}

static void call_set(struct pair *p, struct words *w) {
    bool writes = dice_one_in(2);
    add_script(w, writes ? &redis_script_set_write : &redis_script_set_read, 1);
    words_add(w, "{video:v%d}:set", (int)dice(VIDEOS));
    int generation = (int)dice(4);
    if (writes) words_add(w, "%d", generation);
    if (writes) words_add(w, "%d http://r%d", generation + 1, (int)dice(READERS));
    words_add(w, "%d", dice_one_in(3) ? 400 : KEEP_MS);
    pair_send(p, w, DIFFER_EXACT);
}

static void call_settings(struct pair *p, struct words *w) {
    add_script(w, &redis_script_settings_write, 1);
    words_add(w, "chorus:settings");
    words_add(w, "v%d", (int)dice(VIDEOS));
    words_add(w, "%s", dice_one_in(3) ? "" : "{\"state\":\"open\"}");
    words_add(w, "%d", dice_one_in(2) ? 3 : 0);
    pair_send(p, w, DIFFER_EXACT);
}

static void call_watch(struct pair *p, struct words *w) {
    add_script(w, &redis_script_watch, 1);
    words_add(w, "chorus:watched");
    words_add(w, "%d", KEEP_MS);
    words_add(w, "%d", dice_one_in(3) ? 0 : 1);
    for (uint64_t i = dice(4) + 1; i; i--) words_add(w, "v%d", (int)dice(VIDEOS));
    pair_send(p, w, DIFFER_EXACT);
}

// A stamp that was seen: the last one that a renewal returned.
static char stamp[32] = "0";

static void note_stamp(const char *reply) {
    char word[16], generation[24], found[32];
    if (sscanf(reply, "*4\n \"%15s \"%23s \"%31s", word, generation, found) == 3)
        snprintf(stamp, sizeof stamp, "%s", found);
}

static void call_lease(struct pair *p, struct words *w) {
    static const char *const claims[] = {"held", "first", "unchanged"};
    const struct redis_script *const scripts[] = {&redis_script_lease_renew, &redis_script_lease_drop,
                                                  &redis_script_lease_forget, &redis_script_leases};
    int what = (int)dice(5) - 1, generation = (int)dice(4) + 1;
    if (what < 0) what = 0;
    add_script(w, scripts[what], what == 1 ? 1 : 2);
    words_add(w, "readers");
    if (what != 1) words_add(w, "chorus:{readers}:load");
    if (what < 3) words_add(w, "http://r%d", (int)dice(READERS));
    if (what == 0) {
        words_add(w, "3000");
        words_add(w, "%d", generation);
        words_add(w, "%d", (int)dice(50));
        words_add(w, "%s", dice_one_in(2) ? "-" : "http://public");
        words_add(w, "instance-%d-%s", (int)dice(2),
                  dice_one_in(2) ? "" : "with a name that is longer than 64 bytes, so long is it");
        words_add(w, "%s", claims[dice(3)]);
        words_add(w, "%s", stamp);
        words_add(w, "%s", dice_one_in(2) ? "" : "{\"connects\":5000}");
    } else if (what == 1) {
        words_add(w, "%d", generation);
    } else if (what == 2) {
        words_add(w, "%s", stamp);
    }
    const char *reply = pair_ask(p, w, what == 3 ? DIFFER_ORDER_8 : DIFFER_EXACT);
    if (what == 0) note_stamp(reply);
}

static void call_counter(struct pair *p, struct words *w) {
    add_script(w, &redis_script_counter, 1);
    words_add(w, "readers:next");
    pair_send(p, w, DIFFER_EXACT);
}

static void call_secret(struct pair *p, struct words *w) {
    add_script(w, &redis_script_secret, 1);
    words_add(w, "chorus:secret:%d", (int)dice(3));
    words_add(w, "%d", (int)dice(1000));
    words_add(w, "%d", 3600000);
    pair_send(p, w, DIFFER_EXACT);
}

static struct kind {
    const char *name;
    void (*call)(struct pair *, struct words *);
    unsigned weight;
    unsigned long calls;
} kinds[] = {{"append", call_append, 10, 0},    {"amend", call_amend, 4, 0}, {"head", call_head, 4, 0},
             {"heads", call_heads, 2, 0},       {"range", call_range, 4, 0}, {"mapping", call_mapping, 5, 0},
             {"watch", call_watch, 2, 0},       {"lease", call_lease, 4, 0}, {"counter", call_counter, 1, 0},
             {"settings", call_settings, 1, 0}, {"set", call_set, 1, 0},     {"secret", call_secret, 1, 0}};
enum { KINDS = sizeof kinds / sizeof *kinds };

void differ_script(struct pair *p) {
    static struct words w;
    unsigned total = 0;
    struct kind *k = kinds;
    for (size_t i = 0; i < KINDS; i++) total += kinds[i].weight;
    for (uint64_t at = dice(total); at >= k->weight; k++) at -= k->weight;
    k->calls++;
    k->call(p, &w);
}

void differ_scripts_load(struct pair *p) {
    static struct words w;
    for (const struct redis_script *const *s = redis_scripts; *s; s++) {
        words_clear(&w);
        words_add(&w, "SCRIPT");
        words_add(&w, "LOAD");
        words_add_bytes(&w, (*s)->text, (*s)->len);
        pair_send(p, &w, DIFFER_EXACT);
    }
    pair_compare(p);
}

void differ_scripts_print(void) {
    printf("calls of the engine's scripts:");
    for (size_t i = 0; i < KINDS; i++) printf(" %s %lu", kinds[i].name, kinds[i].calls);
    printf("\n");
}

// About Lua

static const char *const lua[] = {
    "return 1",
    "return {1, 2, nil, 4}",
    "return {true, false, 'x', 3.99, -3.99, 1e15, {1, {2}}}",
    "return {KEYS[1], ARGV[1], #KEYS, #ARGV, KEYS[9] == nil}",
    "KEYS[1] = 'q' return KEYS[1]",
    "return redis.status_reply('FINE')",
    "return redis.error_reply('boom')",
    "return redis.error_reply('-BOOM x')",
    "return redis.error_reply('MY word')",
    "return redis.error_reply()",
    "return {err = 'x'}",
    "return {ok = 'a', err = 'b'}",
    "return {ok = 1}",
    "return function() end",
    "return redis.sha1hex('abc')",
    "return redis.sha1hex()",
    "return redis.call('GET')",
    "return redis.pcall('GET')",
    "return redis.call('NOSUCH', 'x')",
    "return redis.call()",
    "return redis.call('GET', {})",
    "return redis.call('SUBSCRIBE', 'a')",
    "return redis.call('SET', 'lua', 1.5) and redis.call('GET', 'lua')",
    "return redis.call('SET', 'lua', 2^53 + 2) and redis.call('GET', 'lua')",
    "redis.call('SET', 'lua', 'x') redis.call('INCR', 'lua')",
    "redis.call('SET', 'lua', 'x') return redis.pcall('INCR', 'lua')",
    "redis.call('SET', 'lua', 'x') return redis.call('XLEN', 'lua')",
    "local ok, e = pcall(redis.call, 'LPUSH', 's') return {tostring(ok), tostring(e)}",
    "local ok, e = pcall(function() error({err = 'X y'}) end) return {tostring(ok), type(e), tostring(e)}",
    "local ok, a, b = pcall(function() return 1, 2 end) return {ok, a, b}",
    "return type(redis.pcall('SET', 'lua')) .. redis.pcall('SET', 'lua').err",
    "return {tostring(redis.call('GET', 'nosuch')), type(redis.call('SET', 'lua', 'a')), #redis.call('HKEYS', 'nosuch')}",
    "return redis.call('XRANGE', 'nosuch', '-', '+', 'COUNT', 1)[1]",
    "return redis.call('TIME')",
    "foo = 1",
    "return foo",
    "return _G.foo",
    "redis.x = 1",
    "string.x = 1",
    "error('boom')",
    "error({err = 'FOO bar'})",
    "error()",
    "return nil + 1",
    "local function deep() return nil .. 'x' end return deep()",
    "syntax error",
    "return {string.format('%.0f', 1e15 + 0.5), tostring(1e15), 1e15 .. '', tonumber('0x10'), tonumber('abc')}",
    "return {math.floor(-2.5), math.max(1, 3, 2), math.min(4, 2), math.abs(-7)}",
    "return table.concat({'a', 'b', 3}, ',')",
    "local t = {} for a, b in string.gmatch('k=v, x=y', '(%w+)=(%w+)') do t[#t + 1] = b .. a end return t",
    "return redis.call('PUBLISH', 'c1', 'from a script')",
    "return redis.call('INFO', 'replication'):match('role:(%w+)')",
    "redis.call('SELECT', 1) return redis.call('GET', 'k1')",
    "#!lua\nreturn 1",
    "#!lua flags=no-writes\nreturn redis.call('SET', 'a', 'b')",
    "#!lua flags=no-writes\nreturn redis.call('PUBLISH', 'c1', 'b')",
    "#!lua flags=allow-oom\nreturn redis.call('SET', 'lua', 'b')",
    "#!lua flags=no-writes,allow-oom\nreturn redis.call('GET', 'lua')",
    "#!lua flags=bad\nreturn 1",
    "#!lua name=x\nreturn 1",
    "#!js\nreturn 1",
    "#!lua flags=no-writes\n\nerror('on line 3')",
};

static void eval(struct pair *p, struct words *w, const char *command, const char *script, const char *keys) {
    words_clear(w);
    words_add(w, "%s", command);
    words_add(w, "%s", script);
    words_add(w, "%s", keys);
    words_add(w, "lua");
    words_add(w, "argument");
    pair_send(p, w, DIFFER_EXACT);
}

void differ_lua(struct pair *p) {
    static const char *const keys[] = {"0", "1", "2", "3", "-1", "x"};
    static struct words w;
    for (size_t i = 0; i < sizeof lua / sizeof *lua; i++) eval(p, &w, "EVAL", lua[i], "1");
    for (size_t i = 0; i < sizeof lua / sizeof *lua; i += 3) eval(p, &w, "EVAL_RO", lua[i], "1");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        eval(p, &w, "EVAL", "return {#KEYS, #ARGV}", keys[i]);
    pair_compare(p);
}
