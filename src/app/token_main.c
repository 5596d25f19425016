#include "app/token_main.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/settings.h"
#include "settings_text.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/small_file.h"
#include "identity/identity.h"
#include "identity/keys.h"
#include "identity/signer.h"

const char token_usage[] = "[OPTIONS] | check [TOKEN] [OPTIONS] | keys FILE [OPTIONS]";

enum { WHY_SIZE = 512, WRONG_USAGE = 2 };

static int token_fail(int code, const char *what, const char *why) {
    fprintf(stderr, "chorus token: %s%s%s.%s\n", what, *what && *why ? " " : "", why,
            code == WRONG_USAGE ? " Try `chorus token --help`." : "");
    return code;
}

// Reads the file of --jwt-keys.
static bool read_key_file(const struct settings *set, struct small_file *file) {
    char why[WHY_SIZE];
    if (!set->jwt_keys) return token_fail(0, "It needs --jwt-keys FILE;", "`token keys` makes one");
    if (small_file_read(set->jwt_keys, IDENTITY_KEYS_BYTES, file, why, sizeof why)) return true;
    return token_fail(0, set->jwt_keys, why);
}

static struct identity_keys *keys_to_verify(const struct settings *set, const struct small_file *file) {
    char why[WHY_SIZE];
    struct identity_keys *keys = identity_keys_new(
        &(struct identity_demands){.issuer = set->jwt_issuer, .audience = set->jwt_audience});
    if (identity_keys_load(keys, file->text, file->len, why, sizeof why)) return keys;
    token_fail(0, set->jwt_keys, why);
    identity_keys_free(keys);
    return NULL;
}

// `chorus token`

static json_t *list_of(const char *text) {
    json_t *list = json_array();
    for (const char *at = text; at && *at; at += *at == ',') {
        size_t len = strcspn(at, ",");
        if (len) json_array_append_new(list, json_stringn(at, len));
        at += len;
    }
    return list;
}

static char *claims_of(const struct settings *set) {
    const struct token_settings *t = &set->token;
    json_int_t now_s = clock_wall_ms() / 1000, end_s = now_s + text_duration_s(t->lifetime);
    json_t *chorus =
        json_pack("{s:o, s:o, s:s*}", "videos", list_of(t->video), "can", list_of(t->can), "name", t->name);
    if (t->badges) json_object_set_new(chorus, "badges", list_of(t->badges));
    json_t *all = json_pack("{s:s, s:I, s:I, s:s*, s:s*, s:o}", "sub", t->user, "iat", now_s, "exp", end_s,
                            "iss", set->jwt_issuer, "aud", set->jwt_audience, "chorus", chorus);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

// A token that no server would accept is not made.
static bool prove_valid(const struct settings *set, const struct small_file *file, const struct buf *token) {
    struct identity ignored;
    struct identity_keys *keys = keys_to_verify(set, file);
    if (!keys) return false;
    enum identity_verdict v = identity_check(keys, token->data, token->len, clock_wall_ms() / 1000, &ignored);
    identity_keys_free(keys);
    if (v) fprintf(stderr, "chorus token: It would be refused. %s\n", identity_sentence(v));
    return !v;
}

static int make_token_of(const struct settings *set, const struct small_file *file, const char *claims) {
    char why[WHY_SIZE];
    struct buf token = {0};
    struct identity_signer *signer = identity_signer_new(file->text, file->len, why, sizeof why);
    if (!signer) return token_fail(1, set->jwt_keys, why);
    if (!claims) return token_fail(1, "--name", "is not valid UTF-8");
    identity_sign(signer, claims, strlen(claims), &token);
    bool valid = prove_valid(set, file, &token);
    if (valid) puts(buf_string(&token));
    buf_release(&token);
    identity_signer_free(signer);
    return !valid;
}

static int token_make(const struct settings *set, const char *operand) {
    struct small_file file = {0};
    if (operand) return token_fail(WRONG_USAGE, operand, "is neither `check` nor `keys`");
    if (!set->token.user || !set->token.video)
        return token_fail(WRONG_USAGE, "It needs --user and --video", "");
    char *claims = claims_of(set);
    int code = read_key_file(set, &file) ? make_token_of(set, &file, claims) : 1;
    free(claims);
    free(file.text);
    return code;
}

// `chorus token check`

// Shows header or claims, whether or not they can be believed.
static void print_part(const char *what, const char *part, size_t len) {
    unsigned char bytes[BASE64URL_BYTES(IDENTITY_TOKEN_MAX)];
    ptrdiff_t n = len <= IDENTITY_TOKEN_MAX ? base64url_decode(bytes, part, len) : -1;
    json_t *json = n < 0 ? NULL : json_loadb((const char *)bytes, (size_t)n, 0, NULL);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    printf("%s %s\n", what, text ? text : "is not JSON in base64url");
    free(text);
    json_decref(json);
}

static void print_parts(const char *token) {
    size_t first = strcspn(token, "."), second = token[first] ? strcspn(token + first + 1, ".") : 0;
    print_part("header", token, first);
    print_part("claims", token + first + !!token[first], second);
}

// Says more of times than the verdict does.
static void print_validity(const struct identity *who, int64_t now_s) {
    char until[CLOCK_ISO8601_SIZE];
    if (who->exp_s > now_s && who->exp_s < INT64_C(253402300800)) { // year 9999
        clock_iso8601(who->exp_s * 1000, until);
        printf("valid until %s\n", until);
    } else {
        puts("valid");
    }
}

static bool allows_all(const struct settings *set, const struct identity *who) {
    static const struct {
        const char *name;
        enum identity_right right;
    } rights[] = {{"read", IDENTITY_READ},
                  {"post", IDENTITY_POST},
                  {"react", IDENTITY_REACT},
                  {"moderate", IDENTITY_MODERATE},
                  {"everything", IDENTITY_EVERYTHING}};
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (text_list_has(set->token.can, rights[i].name) &&
            !identity_may(who, rights[i].right, set->token.video)) {
            printf("not valid: it does not give the right to %s for %s\n", rights[i].name, set->token.video);
            return false;
        }
    return true;
}

static int check_by(struct identity_keys *keys, const struct settings *set, const char *token) {
    struct identity who;
    int64_t now_s = clock_wall_ms() / 1000;
    enum identity_verdict v = identity_check(keys, token, strlen(token), now_s, &who);
    print_parts(token);
    if (v)
        printf("not valid: %s %s\n", identity_code(v), identity_sentence(v));
    else if (set->token.video && !allows_all(set, &who))
        v = IDENTITY_NOT_ALLOWED;
    else if (set->token.user && strcmp(set->token.user, who.user) != 0)
        v = (printf("not valid: it is of another user, %s\n", who.user), IDENTITY_OTHER_USER);
    else
        print_validity(&who, now_s);
    return v ? 1 : 0;
}

// So that it need not stand in the list of processes.
static const char *read_token(char *line, size_t size) {
    size_t len = fread(line, 1, size - 1, stdin);
    line[len] = 0;
    line[strcspn(line, " \t\r\n")] = 0;
    return line;
}

static int token_check_given(const struct settings *set, const char *operand) {
    char line[2 * IDENTITY_TOKEN_MAX];
    struct small_file file = {0};
    struct identity_keys *keys = read_key_file(set, &file) ? keys_to_verify(set, &file) : NULL;
    int code = 1;
    if (keys) code = check_by(keys, set, operand ? operand : read_token(line, sizeof line));
    identity_keys_free(keys);
    free(file.text);
    return code;
}

// `chorus token keys`

// Says so, and returns 0.
static int token_fail_at(const char *path) {
    fprintf(stderr, "chorus token: %s: %s.\n", path, strerror(errno));
    return 0;
}

static bool write_keys(const char *path, mode_t mode, const struct buf *jwk) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) return token_fail_at(path);
    bool ok = fprintf(out, "{\"keys\": [%.*s]}\n", (int)jwk->len, jwk->data) > 0;
    ok &= !fclose(out);
    return ok || token_fail_at(path);
}

static int token_make_keys(const struct settings *set, const char *path) {
    static const char *const algorithms[] = {"HS256", "RS256", "ES256", "EdDSA"}; // as of --algorithm
    const char *algorithm = algorithms[set->token.algorithm];
    struct buf secret = {0}, shared = {0};
    char kid[32];
    bool is_symmetric = !strcmp(algorithm, "HS256"), writes = set->token.shared;
    if (!path) return token_fail(WRONG_USAGE, "It needs the file to write", "");
    if (is_symmetric && writes) return token_fail(WRONG_USAGE, "HS256 has no public part for", "--public");
    snprintf(kid, sizeof kid, "%" PRId64, clock_wall_ms() / 1000);
    identity_make_key(algorithm, set->token.kid ? set->token.kid : kid, &secret, &shared);
    bool ok = write_keys(path, 0600, &secret);
    if (ok && writes && !write_keys(set->token.shared, 0644, &shared)) {
        unlink(path); // so that the same command may be given again
        ok = false;
    }
    if (ok && is_symmetric)
        fprintf(stderr, "chorus token: %s has a secret, which your server and Chorus share.\n", path);
    else if (ok && !writes)
        printf("{\"keys\": [%.*s]}\n", (int)shared.len, shared.data);
    buf_release(&secret);
    buf_release(&shared);
    return !ok;
}

int token_main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(const struct settings *, const char *operand);
    } verbs[] = {{"check", token_check_given}, {"keys", token_make_keys}};
    struct settings set;
    struct options options;
    const char *operand = settings_take_operand(COMMAND_TOKEN, &argc, argv);
    int (*run)(const struct settings *, const char *) = token_make;
    for (size_t i = 0; operand && i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(operand, verbs[i].name)) run = verbs[i].run;
    if (run != token_make) operand = settings_take_operand(COMMAND_TOKEN, &argc, argv);
    if (!settings_begin(&set, &options, COMMAND_TOKEN, argc, argv)) return WRONG_USAGE;
    int code = run(&set, operand);
    options_release(&options);
    return code;
}
