// Scripts, run by Lua 5.1 as Redis does (which has the same version, with read-only tables): EVAL, EVALSHA,
// SCRIPT, and redis.call() for the scripts. All servers have one interpreter, with what was compiled once;
// each knows the scripts that were loaded into it since its start.
#include <assert.h>
#include <ctype.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pool.h"
#include "redis_model_server.h"

enum { SHA_LEN = 40, GC_PAUSE_PERCENT = 1000 }; // scripts leave little behind

enum { SCRIPTS_MAX = 4096 };

struct model_script {
    UT_hash_handle hh;
    char sha[SHA_LEN + 1];
    struct model_text *text;
    int function;    // its reference in the registry
    unsigned number; // below SCRIPTS_MAX
    bool has_flags, no_writes, allow_oom;
};

static struct {
    lua_State *lua;
    struct model_script *scripts; // by digest
    size_t users;                 // servers
} model_interpreter;

static const char model_run_key; // and the running script

static void model_sha(const void *bytes, size_t len, char out[SHA_LEN + 1]) {
    SHA1_CTX ctx;
    SHA1Init(&ctx);
    SHA1Update(&ctx, bytes, len);
    SHA1End(&ctx, out);
}

static struct model_run *model_run_of(lua_State *lua) {
    lua_pushlightuserdata(lua, (void *)&model_run_key);
    lua_gettable(lua, LUA_REGISTRYINDEX);
    struct model_run *run = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return run;
}

// Errors

// Pushes {err = error}.
static void model_push_error(lua_State *lua, const char *error) {
    lua_newtable(lua);
    lua_pushstring(lua, error);
    lua_setfield(lua, -2, "err");
}

static int model_fail(lua_State *lua, const char *error, bool raises) {
    model_push_error(lua, error);
    return raises ? lua_error(lua) : 1;
}

// Redis's error handler: turns an error into a table, and notes where it happened.
static int model_note_where(lua_State *lua) {
    lua_Debug at;
    if (lua_type(lua, 1) != LUA_TTABLE) {
        const char *text = lua_tostring(lua, 1);
        lua_pushfstring(lua, "ERR %s", text ? text : luaL_typename(lua, 1));
        lua_newtable(lua);
        lua_pushvalue(lua, -2);
        lua_setfield(lua, -2, "err");
        lua_replace(lua, 1);
        lua_settop(lua, 1);
    }
    for (int level = 1; level <= 2 && lua_getstack(lua, level, &at); level++) {
        lua_getinfo(lua, "Sl", &at);
        if (level == 1 && !strcmp(at.what, "C")) continue;
        lua_pushstring(lua, at.source);
        lua_setfield(lua, 1, "source");
        lua_pushinteger(lua, at.currentline);
        lua_setfield(lua, 1, "line");
        break;
    }
    return 1;
}

// pcall() gives a script the text of an error that redis.call() has raised.
static int model_lua_pcall(lua_State *lua) {
    int error = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
    lua_pushboolean(lua, !error);
    lua_insert(lua, 1);
    if (error && lua_istable(lua, -1)) {
        lua_getfield(lua, -1, "err");
        if (lua_isstring(lua, -1)) lua_replace(lua, -2);
        lua_settop(lua, 2);
    }
    return lua_gettop(lua);
}

// Replies of commands to values

static const char *model_push_reply(lua_State *lua, const char *at);

static const char *model_push_array(lua_State *lua, const char *at, long count) {
    lua_createtable(lua, (int)count, 0);
    for (int i = 1; i <= count; i++) {
        at = model_push_reply(lua, at);
        lua_rawseti(lua, -2, i);
    }
    return at;
}

static void model_push_field(lua_State *lua, const char *name, const char *text, size_t len) {
    lua_newtable(lua);
    lua_pushlstring(lua, text, len);
    lua_setfield(lua, -2, name);
}

// Pushes the reply at `at`, and returns what is behind it.
static const char *model_push_reply(lua_State *lua, const char *at) {
    const char *text = at + 1, *end = strstr(text, "\r\n"), *next = end + 2;
    long count = strtol(text, NULL, 10);
    luaL_checkstack(lua, 4, NULL);
    switch (*at) {
    case ':': lua_pushnumber(lua, (lua_Number)strtoll(text, NULL, 10)); return next;
    case '+': model_push_field(lua, "ok", text, (size_t)(end - text)); return next;
    case '-': model_push_field(lua, "err", text, (size_t)(end - text)); return next;
    default: break;
    }
    if (count < 0) {
        lua_pushboolean(lua, false);
        return next;
    }
    if (*at == '*') return model_push_array(lua, next, count);
    lua_pushlstring(lua, next, (size_t)count);
    return next + count + 2;
}

// redis.call()

static const char *model_why_script_may_not(const struct model_call *c) {
    const struct model_run *run = c->run;
    const struct model_user *u = c->client ? c->client->user : NULL;
    unsigned flags = c->command->flags;
    if (flags & MODEL_NOSCRIPT) return "ERR This Redis command is not allowed from script";
    if (u && !model_user_may_run(u, c->command))
        return "ERR The user executing the script can't run this command or subcommand";
    if (u && !model_user_may_use_keys(u, c->command, c->argc, c->argv))
        return "ERR The user executing the script can't access at least one of the keys mentioned in the command "
               "arguments";
    if (u && !model_user_may_use_channels(u, c->command, c->argc, c->argv))
        return "ERR The user executing the script can't publish to the channel mentioned in the command";
    if (run->read_only && (flags & (MODEL_WRITE | MODEL_MAY_REPLICATE)))
        return "ERR Write commands are not allowed from read-only scripts.";
    if (!(flags & MODEL_WRITE) || run->dirty) return NULL;
    if (c->server->link.primary) return MODEL_READONLY_REPLICA;
    if (model_replicas(c->server) < (size_t)c->server->min_replicas) return MODEL_NOREPLICAS;
    if (!run->allow_oom && (flags & MODEL_DENYOOM) && model_is_full(c->server)) return MODEL_OOM;
    return NULL;
}

// Returns why it is not called, or NULL.
static const char *model_call_from_script(struct model_call *c) {
    c->command = model_command_find(c->argc, c->argv);
    if (!c->command) return "ERR Unknown Redis command called from script";
    int arity = c->command->arity;
    if (arity > 0 ? c->argc != arity : c->argc < -arity)
        return "ERR Wrong number of args calling Redis command from script";
    const char *why = model_why_script_may_not(c);
    if (why) return why;
    if (c->command->flags & MODEL_WRITE) c->run->dirty = true;
    model_call_run(c);
    return NULL;
}

// Numbers have all their digits, which those that Lua makes do not. Returns false if an argument is neither.
static bool model_read_args(lua_State *lua, int argc, struct model_bytes *argv) {
    char text[64];
    for (int i = 0; i < argc; i++) {
        if (lua_type(lua, i + 1) == LUA_TNUMBER) {
            snprintf(text, sizeof text, "%.17g", lua_tonumber(lua, i + 1));
            lua_pushstring(lua, text);
            lua_replace(lua, i + 1);
        }
        argv[i].at = lua_tolstring(lua, i + 1, &argv[i].len);
        if (!argv[i].at) return false;
    }
    return true;
}

static int model_lua_command(lua_State *lua, bool raises) {
    struct model_run *run = model_run_of(lua);
    int argc = lua_gettop(lua);
    struct buf reply = {0};
    if (!argc)
        return model_fail(lua, "ERR Please specify at least one argument for this redis lib call", raises);
    struct model_bytes *argv =
        lua_newuserdata(lua, (size_t)argc * sizeof *argv); // freed by Lua, also after an error
    if (!model_read_args(lua, argc, argv))
        return model_fail(lua, "ERR Lua redis lib command arguments must be strings or integers", raises);
    struct model_call c = {.server = run->call->server,
                           .client = run->call->client,
                           .argc = argc,
                           .argv = argv,
                           .reply = &reply,
                           .db = run->call->db,
                           .now_us = run->call->now_us,
                           .now_ms = run->call->now_ms,
                           .run = run};
    const char *why = model_call_from_script(&c);
    bool failed = why || reply.data[0] == '-';
    if (why)
        model_push_error(lua, why);
    else
        model_push_reply(lua, buf_string(&reply));
    buf_release(&reply);
    return failed && raises ? lua_error(lua) : 1;
}

static int model_lua_redis_call(lua_State *lua) {
    return model_lua_command(lua, true);
}

static int model_lua_redis_pcall(lua_State *lua) {
    return model_lua_command(lua, false);
}

static int model_lua_error_reply(lua_State *lua) {
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING)
        return model_fail(lua, "ERR wrong number or type of arguments", false);
    const char *text = lua_tostring(lua, 1);
    text += *text == '-';
    lua_pushfstring(lua, strchr(text, ' ') ? "%s" : "ERR %s", text);
    model_push_error(lua, lua_tostring(lua, -1));
    return 1;
}

static int model_lua_status_reply(lua_State *lua) {
    size_t len;
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING)
        return model_fail(lua, "ERR wrong number or type of arguments", false);
    const char *text = lua_tolstring(lua, 1, &len);
    model_push_field(lua, "ok", text, len);
    return 1;
}

static int model_lua_sha1hex(lua_State *lua) {
    char sha[SHA_LEN + 1];
    size_t len;
    if (lua_gettop(lua) != 1) return model_fail(lua, "ERR wrong number of arguments", true);
    const char *text = lua_tolstring(lua, 1, &len);
    model_sha(text ? text : "", len, sha);
    lua_pushstring(lua, sha);
    return 1;
}

// The value that a script returns to a reply

static void model_reply_value(struct model_call *c, lua_State *lua);

// Replies with a field of the table on top, if it has it as text. Pops nothing.
static bool model_reply_text_field(struct model_call *c, lua_State *lua, const char *name, bool is_error) {
    lua_getfield(lua, -1, name);
    const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
    if (text && is_error)
        model_reply_error(c, "%s", text);
    else if (text)
        model_reply_status(c, text);
    lua_pop(lua, 1);
    return text != NULL;
}

// Up to the first nil.
static void model_reply_list(struct model_call *c, lua_State *lua) {
    struct buf items = {0}, *reply = c->reply;
    size_t count = 0;
    c->reply = &items;
    for (int i = 1;; i++) {
        lua_rawgeti(lua, -1, i);
        if (lua_isnil(lua, -1)) break;
        model_reply_value(c, lua);
        lua_pop(lua, 1);
        count++;
    }
    lua_pop(lua, 1);
    c->reply = reply;
    model_reply_array(c, count);
    if (items.len) buf_add(reply, items.data, items.len);
    buf_release(&items);
}

static void model_reply_value(struct model_call *c, lua_State *lua) {
    struct model_bytes bytes;
    luaL_checkstack(lua, 4, NULL);
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        bytes.at = lua_tolstring(lua, -1, &bytes.len);
        model_reply_bytes(c, bytes);
        break;
    case LUA_TNUMBER: model_reply_integer(c, (int64_t)lua_tonumber(lua, -1)); break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(lua, -1))
            model_reply_integer(c, 1);
        else
            model_reply_nil(c);
        break;
    case LUA_TTABLE:
        if (!model_reply_text_field(c, lua, "err", true) && !model_reply_text_field(c, lua, "ok", false))
            model_reply_list(c, lua);
        break;
    default: model_reply_nil(c); break;
    }
}

// Running

static void model_set_words(lua_State *lua, const char *name, const struct model_bytes *words, int count) {
    lua_createtable(lua, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushlstring(lua, words[i].at, words[i].len);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_pushvalue(lua, LUA_GLOBALSINDEX);
    lua_pushvalue(lua, -2);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 2);
}

static void model_set_run(lua_State *lua, struct model_run *run) {
    lua_pushlightuserdata(lua, (void *)&model_run_key);
    lua_pushlightuserdata(lua, run);
    lua_settable(lua, LUA_REGISTRYINDEX);
}

static void model_reply_failure(struct model_call *c, lua_State *lua, const char *sha) {
    lua_getfield(lua, -1, "err");
    lua_getfield(lua, -2, "source");
    lua_getfield(lua, -3, "line");
    const char *error = lua_tostring(lua, -3), *source = lua_tostring(lua, -2);
    if (source)
        model_reply_error(c, "%s script: %s, on %s:%d.", error ? error : "ERR unknown error", sha, source,
                          (int)lua_tointeger(lua, -1));
    else
        model_reply_error(c, "%s", error ? error : "ERR unknown error");
    lua_pop(lua, 3);
}

static void model_run_script(struct model_call *c, const struct model_script *s, int keys, bool read_only) {
    lua_State *lua = model_interpreter.lua;
    struct model_run run = {.call = c,
                            .script = s,
                            .read_only = read_only || s->no_writes,
                            .allow_oom = s->allow_oom || !model_is_full(c->server)};
    int top = lua_gettop(lua);
    model_set_run(lua, &run);
    model_set_words(lua, "KEYS", c->argv + 3, keys);
    model_set_words(lua, "ARGV", c->argv + 3 + keys, c->argc - 3 - keys);
    lua_pushcfunction(lua, model_note_where);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, s->function);
    if (lua_pcall(lua, 0, 1, top + 1))
        model_reply_failure(c, lua, s->sha);
    else
        model_reply_value(c, lua);
    lua_settop(lua, top);
    model_set_run(lua, NULL);
}

// Loading

static bool model_read_flag(struct model_script *s, const char *flag, size_t len) {
    struct model_bytes f = {flag, len};
    if (model_bytes_are(f, "no-writes"))
        s->no_writes = true;
    else if (model_bytes_are(f, "allow-oom"))
        s->allow_oom = true;
    else
        return false;
    return true;
}

// Reads `#!lua flags=a,b`. Returns the length of the line, or -1 after an error.
static int model_read_first_line(struct model_call *c, struct model_script *s, const char *text) {
    size_t len = strcspn(text, "\n"), at = strcspn(text, " \n");
    if (strncmp(text, "#!", 2) != 0) return 0;
    s->has_flags = true;
    if (at != 5 || strncmp(text, "#!lua", 5) != 0) {
        model_reply_error(c, "ERR Unexpected engine in script shebang: %.*s", (int)at, text);
        return -1;
    }
    for (at += strspn(text + at, " "); at < len; at += strspn(text + at, " ,")) {
        size_t word = strcspn(text + at, " ,\n");
        bool first = !strncmp(text + at, "flags=", 6);
        if (!first && text[at - 1] == ' ') {
            model_reply_error(c, "ERR Unknown lua shebang option: %.*s", (int)word, text + at);
            return -1;
        }
        if (first) at += 6, word -= 6;
        if (!model_read_flag(s, text + at, word)) {
            model_reply_error(c, "ERR Unexpected flag in script shebang: %.*s", (int)word, text + at);
            return -1;
        }
        at += word;
    }
    return (int)len;
}

static struct model_script *model_script_find(struct redis_model *m, struct model_bytes sha) {
    char lower[SHA_LEN + 1];
    struct model_script *s = NULL;
    if (sha.len != SHA_LEN) return NULL;
    for (size_t i = 0; i < SHA_LEN; i++) lower[i] = (char)tolower((unsigned char)sha.at[i]);
    HASH_FIND(hh, model_interpreter.scripts, lower, SHA_LEN, s);
    return s && m->knows_script[s->number] ? s : NULL;
}

// A text that was compiled before is found without its digest: each connection loads all.
static struct model_script *model_script_of_text(struct model_bytes text) {
    struct model_script *s = model_interpreter.scripts;
    while (s && !model_bytes_equal(model_bytes_of(s->text), text)) s = s->hh.next;
    return s;
}

// Returns the script of that text; NULL after an error.
static struct model_script *model_script_compile(struct model_call *c, struct model_bytes text) {
    lua_State *lua = model_interpreter.lua;
    struct model_script read = {.number = HASH_COUNT(model_interpreter.scripts)};
    model_sha(text.at, text.len, read.sha);
    struct model_text *copy = model_text_new(text.at, text.len);
    int skipped = model_read_first_line(c, &read, copy->at);
    if (skipped >= 0 &&
        luaL_loadbuffer(lua, copy->at + skipped, copy->len - (size_t)skipped, "@user_script")) {
        model_reply_error(c, "ERR Error compiling script (new function): %s", lua_tostring(lua, -1));
        lua_pop(lua, 1);
        skipped = -1;
    }
    if (skipped < 0) {
        free(copy);
        return NULL;
    }
    assert(read.number < SCRIPTS_MAX);
    struct model_script *s = mem_alloc(sizeof *s);
    *s = read;
    s->text = copy;
    s->function = luaL_ref(lua, LUA_REGISTRYINDEX);
    HASH_ADD(hh, model_interpreter.scripts, sha[0], SHA_LEN, s);
    return s;
}

static struct model_script *model_script_load(struct model_call *c, struct model_bytes text) {
    struct model_script *s = model_script_of_text(text);
    if (!s) s = model_script_compile(c, text);
    if (s) c->server->knows_script[s->number] = true;
    return s;
}

bool model_runs_scripts(const struct model_command *command) {
    return !strncmp(command->name, "eval", 4);
}

unsigned model_script_flags(struct redis_model *m, const struct model_command *command, int argc,
                            const struct model_bytes *argv) {
    unsigned flags = command->flags;
    char sha[SHA_LEN + 1];
    if (!model_runs_scripts(command) || argc < 2) return flags;
    struct model_bytes name = argv[1];
    struct model_script read = {0};
    if (strncmp(command->name, "evalsha", 7) != 0) {
        model_sha(argv[1].at, argv[1].len, sha);
        name = (struct model_bytes){sha, SHA_LEN};
    }
    const struct model_script *s = model_script_find(m, name);
    if (!s && name.at == sha) { // EVAL of one that is not known yet
        struct buf ignored = {0};
        struct model_text *copy = model_text_new(argv[1].at, argv[1].len);
        struct model_call c = {.reply = &ignored};
        if (model_read_first_line(&c, &read, copy->at) >= 0) s = &read;
        free(copy);
        buf_release(&ignored);
    }
    if (!s || !s->has_flags) return flags;
    flags &= ~(unsigned)(MODEL_DENYOOM | MODEL_WRITE | MODEL_MAY_REPLICATE);
    if (!s->no_writes) flags |= MODEL_WRITE;
    if (!s->no_writes && !s->allow_oom) flags |= MODEL_DENYOOM;
    return flags;
}

static void model_eval_with(struct model_call *c, bool by_sha, bool read_only) {
    int64_t keys;
    if (!model_arg_integer(c, 2, &keys)) return;
    if (keys > c->argc - 3) {
        model_reply_error(c, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (keys < 0) {
        model_reply_error(c, "ERR Number of keys can't be negative");
        return;
    }
    struct model_script *s =
        by_sha ? model_script_find(c->server, c->argv[1]) : model_script_load(c, c->argv[1]);
    if (s)
        model_run_script(c, s, (int)keys, read_only);
    else if (by_sha)
        model_reply_error(c, "NOSCRIPT No matching script. Please use EVAL.");
}

static void model_eval(struct model_call *c) {
    model_eval_with(c, false, false);
}

static void model_evalsha(struct model_call *c) {
    model_eval_with(c, true, false);
}

static void model_eval_ro(struct model_call *c) {
    model_eval_with(c, false, true);
}

static void model_evalsha_ro(struct model_call *c) {
    model_eval_with(c, true, true);
}

static void model_script_load_command(struct model_call *c) {
    const struct model_script *s = model_script_load(c, c->argv[2]);
    if (s) model_reply_string(c, s->sha);
}

static void model_script_exists(struct model_call *c) {
    model_reply_array(c, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++)
        model_reply_integer(c, model_script_find(c->server, c->argv[i]) != NULL);
}

static void model_script_flush(struct model_call *c) {
    if (c->argc > 3 || (c->argc == 3 && !model_arg_is(c, 2, "SYNC") && !model_arg_is(c, 2, "ASYNC"))) {
        model_reply_error(c, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        return;
    }
    model_scripts_forget(c->server);
    model_reply_status(c, "OK");
}

const struct model_command model_script_commands[] = {
    {"eval", -3, MODEL_NOSCRIPT | MODEL_MAY_REPLICATE, 0, 0, 0, model_eval},
    {"evalsha", -3, MODEL_NOSCRIPT | MODEL_MAY_REPLICATE, 0, 0, 0, model_evalsha},
    {"eval_ro", -3, MODEL_NOSCRIPT | MODEL_READONLY, 0, 0, 0, model_eval_ro},
    {"evalsha_ro", -3, MODEL_NOSCRIPT | MODEL_READONLY, 0, 0, 0, model_evalsha_ro},
    {"script|load", 3, MODEL_NOSCRIPT, 0, 0, 0, model_script_load_command},
    {"script|exists", -3, MODEL_NOSCRIPT, 0, 0, 0, model_script_exists},
    {"script|flush", -2, MODEL_NOSCRIPT, 0, 0, 0, model_script_flush},
    {0},
};

// The interpreter

static int model_lua_read_only(lua_State *lua) {
    return luaL_error(lua, "Attempt to modify a readonly table");
}

static int model_lua_no_global(lua_State *lua) {
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                      lua_tostring(lua, 2));
}

static const luaL_Reg model_redis_functions[] = {
    {"call", model_lua_redis_call},         {"pcall", model_lua_redis_pcall},
    {"error_reply", model_lua_error_reply}, {"status_reply", model_lua_status_reply},
    {"sha1hex", model_lua_sha1hex},         {NULL, NULL},
};

static void model_open_library(lua_State *lua, const char *name, lua_CFunction open) {
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 0);
}

// Puts an empty table in place of a library, which looks things up in it.
static void model_protect_library(lua_State *lua, const char *name) {
    lua_newtable(lua);
    lua_newtable(lua);
    lua_getglobal(lua, name);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, model_lua_read_only);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_setglobal(lua, name);
}

// A global that is set is an error; KEYS and ARGV are set without asking.
static void model_protect_globals(lua_State *lua) {
    static const char *const removed[] = {"print", "dofile", "loadfile", "newproxy", "module", "require"};
    static const char *const libraries[] = {"redis", LUA_STRLIBNAME, LUA_TABLIBNAME, LUA_MATHLIBNAME};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        model_protect_library(lua, libraries[i]);
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
        lua_pushnil(lua);
        lua_setglobal(lua, removed[i]);
    }
    lua_newtable(lua);
    lua_pushcfunction(lua, model_lua_read_only);
    lua_setfield(lua, -2, "__newindex");
    lua_pushcfunction(lua, model_lua_no_global);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, LUA_GLOBALSINDEX);
}

static void *model_lua_resize(void *arg, void *old, size_t old_size, size_t size) {
    (void)arg;
    return pool_resize(old, old_size, size);
}

static lua_State *model_lua_new(void) {
    lua_State *lua = lua_newstate(model_lua_resize, NULL);
    if (!lua) mem_abort("a Lua interpreter");
    lua_gc(lua, LUA_GCSETPAUSE, GC_PAUSE_PERCENT);
    model_open_library(lua, "", luaopen_base);
    model_open_library(lua, LUA_TABLIBNAME, luaopen_table);
    model_open_library(lua, LUA_STRLIBNAME, luaopen_string);
    model_open_library(lua, LUA_MATHLIBNAME, luaopen_math);
    luaL_register(lua, "redis", model_redis_functions);
    lua_register(lua, "pcall", model_lua_pcall);
    model_set_words(lua, "KEYS", NULL, 0);
    model_set_words(lua, "ARGV", NULL, 0);
    lua_settop(lua, 0);
    model_protect_globals(lua);
    return lua;
}

void model_scripts_init(struct redis_model *m) {
    if (!model_interpreter.users++) model_interpreter.lua = model_lua_new();
    m->knows_script = mem_zalloc(SCRIPTS_MAX * sizeof *m->knows_script);
}

void model_scripts_forget(struct redis_model *m) {
    memset(m->knows_script, 0, SCRIPTS_MAX * sizeof *m->knows_script);
}

void model_scripts_release(struct redis_model *m) {
    struct model_script *s, *next;
    free(m->knows_script);
    if (--model_interpreter.users) return;
    HASH_ITER(hh, model_interpreter.scripts, s, next) {
        HASH_DEL(model_interpreter.scripts, s);
        free(s->text);
        free(s);
    }
    lua_close(model_interpreter.lua);
}
