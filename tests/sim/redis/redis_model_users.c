// Users and what they may do: the rules of ACL SETUSER that name commands, @all, @admin, @dangerous, @read,
// @write, keys, channels and passwords.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_model_server.h"

static size_t model_command_count(void) {
    size_t count = 0;
    for (const struct model_command *c = NULL; (c = model_command_next(c));) count++;
    return count;
}

struct model_user *model_user_find(struct redis_model *m, struct model_bytes name) {
    for (struct model_user *u = m->users; u; u = u->next)
        if (model_bytes_equal(model_bytes_of_string(u->name), name)) return u;
    return NULL;
}

static struct model_user *model_user_add(struct redis_model *m, const char *name, bool may_all) {
    struct model_user *u = mem_zalloc(sizeof *u), **at = &m->users;
    u->name = mem_strdup(name);
    u->is_on = u->all_keys = u->all_channels = may_all;
    u->denied = mem_zalloc(model_command_count() * sizeof *u->denied);
    if (!may_all) u->password = mem_strdup("");
    for (size_t i = 0; i < model_command_count(); i++) u->denied[i] = !may_all;
    while (*at) at = &(*at)->next;
    *at = u;
    return u;
}

static void model_patterns_clear(char **patterns, size_t *count) {
    while (*count) free(patterns[--*count]);
}

void model_users_init(struct redis_model *m) {
    model_user_add(m, "default", true);
}

void model_users_release(struct redis_model *m) {
    while (m->users) {
        struct model_user *u = m->users;
        m->users = u->next;
        model_patterns_clear(u->keys, &u->key_count);
        model_patterns_clear(u->channels, &u->channel_count);
        free(u->password);
        free(u->denied);
        free(u->name);
        free(u);
    }
}

void model_set_password(struct redis_model *m, const char *password) {
    free(m->users->password);
    m->users->password = *password ? mem_strdup(password) : NULL;
}

bool model_user_may_run(const struct model_user *u, const struct model_command *command) {
    return !u->denied[model_command_place(command)];
}

static bool model_matches_any(struct model_bytes name, char *const *patterns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (model_bytes_match(name, patterns[i])) return true;
    return false;
}

bool model_user_may_use_keys(const struct model_user *u, const struct model_command *command, int argc,
                             const struct model_bytes *argv) {
    int first = command->first_key,
        last = command->last_key < 0 ? argc + command->last_key : command->last_key;
    int64_t count;
    if (u->all_keys) return true;
    if (model_runs_scripts(command) && argc > 2 && model_bytes_integer(argv[2], &count)) {
        first = 3;
        last = count < argc - 2 ? (int)count + 2 : argc - 1;
    }
    for (int i = first; i && i <= last; i += command->key_step ? command->key_step : 1)
        if (!model_matches_any(argv[i], u->keys, u->key_count)) return false;
    return true;
}

bool model_user_may_use_channel(const struct model_user *u, struct model_bytes channel) {
    return u->all_channels || model_matches_any(channel, u->channels, u->channel_count);
}

bool model_user_may_use_channels(const struct model_user *u, const struct model_command *command, int argc,
                                 const struct model_bytes *argv) {
    if (!(command->flags & MODEL_CHANNEL_FIRST)) return true;
    int last = command->flags & MODEL_MAY_REPLICATE ? 1 : argc - 1;
    for (int i = 1; i <= last; i++)
        if (!model_user_may_use_channel(u, argv[i])) return false;
    return true;
}

// ACL SETUSER

// Whether `+` or `-` before `what` concerns a command. Returns false if `what` is unknown at all.
static bool model_rule_concerns(const struct model_command *c, struct model_bytes what) {
    if (model_bytes_are(what, "@all")) return true;
    if (model_bytes_are(what, "@admin")) return c->flags & MODEL_ADMIN;
    if (model_bytes_are(what, "@dangerous")) return c->flags & (MODEL_DANGEROUS | MODEL_ADMIN);
    if (model_bytes_are(what, "@write")) return c->flags & MODEL_WRITE;
    if (model_bytes_are(what, "@read")) return c->flags & MODEL_READONLY;
    const char *bar = strchr(c->name, '|');
    struct model_bytes whole = {c->name, bar ? (size_t)(bar - c->name) : strlen(c->name)};
    return model_bytes_are(what, c->name) ||
           (bar && what.len == whole.len && !memcmp(what.at, whole.at, what.len));
}

static bool model_rule_commands(struct model_user *u, struct model_bytes what, bool denied) {
    size_t place = 0;
    bool known = false;
    for (const struct model_command *c = NULL; (c = model_command_next(c)); place++) {
        if (!model_rule_concerns(c, what)) continue;
        u->denied[place] = denied;
        known = true;
    }
    return known;
}

static bool model_rule_pattern(char **patterns, size_t *count, struct model_bytes pattern) {
    if (*count == MODEL_CHANNELS) return false;
    patterns[(*count)++] = mem_strndup(pattern.at, pattern.len);
    return true;
}

static void model_rule_password(struct model_user *u, char *password) {
    free(u->password);
    u->password = password;
}

// A rule of one word.
static bool model_rule_word(struct model_user *u, struct model_bytes rule) {
    bool keys = model_bytes_are(rule, "allkeys"), channels = model_bytes_are(rule, "allchannels");
    if (model_bytes_are(rule, "on") || model_bytes_are(rule, "off")) {
        u->is_on = model_bytes_are(rule, "on");
    } else if (model_bytes_are(rule, "nopass")) {
        model_rule_password(u, NULL);
    } else if (keys || model_bytes_are(rule, "resetkeys")) {
        u->all_keys = keys;
        model_patterns_clear(u->keys, &u->key_count);
    } else if (channels || model_bytes_are(rule, "resetchannels")) {
        u->all_channels = channels;
        model_patterns_clear(u->channels, &u->channel_count);
    } else {
        return false;
    }
    return true;
}

static bool model_rule(struct model_user *u, struct model_bytes rule) {
    struct model_bytes rest = {rule.at + 1, rule.len ? rule.len - 1 : 0};
    bool all = rest.len == 1 && rest.at[0] == '*';
    switch (rule.len ? rule.at[0] : 0) {
    case '+':
    case '-': return model_rule_commands(u, rest, rule.at[0] == '-');
    case '>': model_rule_password(u, mem_strndup(rest.at, rest.len)); return true;
    case '~': return all ? u->all_keys = true : model_rule_pattern(u->keys, &u->key_count, rest);
    case '&': return all ? u->all_channels = true : model_rule_pattern(u->channels, &u->channel_count, rest);
    default: return model_rule_word(u, rule);
    }
}

void model_acl_setuser(struct model_call *c) {
    struct model_user *u = model_user_find(c->server, c->argv[2]);
    if (!u) {
        char *name = mem_strndup(c->argv[2].at, c->argv[2].len);
        u = model_user_add(c->server, name, false);
        free(name);
    }
    for (int i = 3; i < c->argc; i++) {
        if (model_rule(u, c->argv[i])) continue;
        model_reply_error(c, "ERR Error in ACL SETUSER modifier '%.*s': Syntax error", (int)c->argv[i].len,
                          c->argv[i].at);
        return;
    }
    model_reply_status(c, "OK");
    model_drop_unpermitted(c->server, u);
}
