#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/small_file.h"
#include "http/url.h"
#include "moderation/first_line.h"
#include "identity/keys.h"
#include "net/address.h"
#include "net/networks.h"

static bool is_in(const char *networks, const union address *a) {
    struct networks *all = networks_new(networks);
    bool found = networks_contain(all, a);
    networks_free(all);
    return found;
}

// Whom an address to listen on lets in, as far as no firewall stands before it.
enum reach { REACH_MACHINE, REACH_PRIVATE, REACH_ALL, REACH_NONE };

static enum reach reach_of(const char *bind) {
    union address a;
    if (address_resolve(bind, &a, 1) <= 0) return REACH_NONE;
    if (address_is_loopback(&a)) return REACH_MACHINE;
    return is_in("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,fc00::/7,fe80::/10",
                 &a)
               ? REACH_PRIVATE
               : REACH_ALL;
}

// Of a further address, which its file's permissions guard if it is a unix socket.
static enum reach reach_at(const char *at) {
    char host[128];
    const char *port = strrchr(at, ':');
    if (!strncmp(at, "unix:", strlen("unix:"))) return REACH_MACHINE;
    bool is_v6 = *at == '[';
    snprintf(host, sizeof host, "%.*s", (int)(port - at) - 2 * is_v6, at + is_v6);
    return reach_of(host);
}

static void check_port(const struct doctor_config *c, const struct doctor_port *p, struct doctor_report *r) {
    static const char *const who[] = {"only this machine reaches it", "the private network reaches it",
                                      "all who can reach this machine reach it", "the address is unknown"};
    enum reach reach = p->at[0] ? reach_at(p->at) : reach_of(c->bind);
    bool is_open = reach == REACH_ALL && !p->for_browsers;
    char remedy[256], where[256];
    if (p->at[0])
        snprintf(where, sizeof where, "%s", p->at);
    else
        snprintf(where, sizeof where, "%s, port %d", c->bind, p->port);
    snprintf(
        remedy, sizeof remedy,
        "It is for services and operators only: give it a private address, or close it in the firewall%s.",
        c->ports > 1 && !p->at[0] ? ", or use --single-port" : "");
    doctor_add(r, "ports", is_open ? DOCTOR_WARNING : DOCTOR_OK, is_open ? remedy : NULL,
               "%s listens on %s (--%s): %s%s.", p->part, where, p->flag, who[reach],
               p->for_browsers ? "; it is for browsers" : "");
}

void check_ports(const struct doctor_config *c, struct doctor_report *r) {
    for (size_t i = 0; i < c->ports; i++) check_port(c, &c->port[i], r);
}

static void check_jwks(const char *check, const char *url, struct doctor_report *r) {
    struct http_url parsed;
    bool is_plain = !http_url_parse(&parsed, url);
    if (is_plain && reach_of(parsed.host) != REACH_MACHINE)
        doctor_add(r, check, DOCTOR_FAULT, "Give --jwks-url an https address.",
                   "Keys are fetched from %s in the clear: anyone on the way can replace them.", url);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Users need a token that is signed with a key from %s.", url);
}

static bool has_keys(const struct small_file *file, char *why, size_t why_size) {
    struct identity_keys *keys = identity_keys_new(&(struct identity_demands){0});
    bool found = identity_keys_load(keys, file->text, file->len, why, why_size);
    identity_keys_free(keys);
    return found;
}

static void check_key_file(const char *check, const char *path, struct doctor_report *r) {
    struct small_file file = {0};
    char why[256];
    if (!small_file_read(path, IDENTITY_KEYS_BYTES, &file, why, sizeof why) ||
        !has_keys(&file, why, sizeof why))
        doctor_add(r, check, DOCTOR_FAULT,
                   "Give a readable file of keys; `chorus token keys FILE` makes one.",
                   "The file of --jwt-keys, %s, %s.", path, why);
    else if (file.is_public && strstr(file.text, "\"oct\""))
        doctor_add(
            r, check, DOCTOR_FAULT, "chmod 600, and make new keys if the machine has other users.",
            "All users of this machine may read %s, which has a secret: anyone who reads it can sign tokens.",
            path);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Users need a token that is signed with a key in %s.", path);
    free(file.text);
}

void check_users(const struct doctor_config *c, struct doctor_report *r) {
    static const char check[] = "users";
    if (c->jwt_keys)
        check_key_file(check, c->jwt_keys, r);
    else if (c->jwks_url)
        check_jwks(check, c->jwks_url, r);
    else
        doctor_add(r, check, DOCTOR_WARNING,
                   "Give --jwt-keys or --jwks-url, and a token to each user (docs/tokens.md).",
                   "No keys are configured: anyone can post as anyone.");
}

static void check_review_hook(const char *check, const struct doctor_config *c, struct doctor_report *r) {
    struct http_url parsed;
    bool is_plain = !http_url_parse(&parsed, c->review_hook);
    if (is_plain && reach_of(parsed.host) == REACH_ALL)
        doctor_add(r, check, DOCTOR_FAULT, "Give --review-hook an https address.",
                   "Comments are sent to %s in the clear: anyone on the way can read them, and answer.",
                   c->review_hook);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "%s is asked about each comment; without its answer one is %s.",
                   c->review_hook, c->review_refuses ? "refused" : "stored");
}

static void check_word_list(const char *check, const char *path, struct doctor_report *r) {
    struct small_file file = {0};
    char why[256];
    bool read = small_file_read(path, FIRST_LINE_WORDS_BYTES, &file, why, sizeof why);
    free(file.text);
    if (read)
        doctor_add(r, check, DOCTOR_OK, NULL, "Comments with a word in %s are refused.", path);
    else
        doctor_add(r, check, DOCTOR_FAULT, "Give a readable file of words, one a line.",
                   "The file of --word-list, %s, %s.", path, why);
}

void check_moderation(const struct doctor_config *c, struct doctor_report *r) {
    static const char check[] = "moderation";
    if (c->word_list) check_word_list(check, c->word_list, r);
    if (c->review_hook) check_review_hook(check, c, r);
    if (!c->word_list && !c->review_hook)
        doctor_add(r, check, DOCTOR_OK, NULL, "%s",
                   c->has_comments ? "Comments are not looked at before viewers have them, but for --links, "
                                     "--capitals and --repeat-ms if they are given (docs/review.md)."
                                   : "It takes no comments.");
}

void check_limits(const struct doctor_config *c, struct doctor_report *r) {
    static const char check[] = "limits";
    char off[256] = "";
    for (size_t i = 0; i < sizeof c->limit / sizeof *c->limit; i++)
        if (!c->limit[i].value)
            snprintf(off + strlen(off), sizeof off - strlen(off), "%s--%s", *off ? ", " : "",
                     c->limit[i].flag);
    if (*off)
        doctor_add(r, check, DOCTOR_WARNING, "Leave these options out: their defaults are generous.",
                   "One address may have as much as it wants: %s 0.", off);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "What one address may have and do is limited.");
}

// Limits know the clients of a proxy on this machine or in its networks by X-Forwarded-For; one elsewhere has
// to be named. Where only this machine reaches the ports, the proxy is there.
void check_proxy(const struct doctor_config *c, struct doctor_report *r) {
    static const char check[] = "proxy";
    bool is_https = c->public_url && !strncmp(c->public_url, "https://", strlen("https://"));
    if (!c->public_url)
        doctor_add(
            r, check, DOCTOR_WARNING,
            "Put a proxy with a certificate in front (docs/proxies.md), and name its address with --public-url.",
            "No --public-url is given: without a proxy in front all is sent in the clear.");
    else if (!is_https)
        doctor_add(r, check, DOCTOR_WARNING,
                   "Give the proxy a certificate, and --public-url the https address.",
                   "Browsers come by %s: comments and tokens are sent in the clear.", c->public_url);
    else if (!c->trusted_proxies && reach_of(c->bind) != REACH_MACHINE)
        doctor_add(
            r, check, DOCTOR_WARNING, "Give --trusted-proxies the addresses of the proxy.",
            "Browsers come by %s, and no proxy is trusted: if it is not in a network of this machine, all its "
            "clients are limited as one.",
            c->public_url);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Browsers come by %s, through %s.", c->public_url,
                   c->trusted_proxies ? c->trusted_proxies : "a proxy on this machine");
}
