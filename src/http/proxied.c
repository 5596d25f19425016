#include "proxied.h"

#include "base/log.h"
#include "base/process_wide.h"
#include "http/request.h"
#include "net/address.h"

enum { LOG_EVERY_MS = 10000 };

PROCESS_WIDE static int64_t next_line_ms;

static const struct {
    const char *name, *action;
} reasons[] = {
    [HTTP_PROXIED_MALFORMED] = {"malformed", "have the proxy send the PROXY protocol, version 1 or 2, there"},
    [HTTP_PROXIED_INCOMPLETE] = {"incomplete", ""},
    [HTTP_PROXIED_UNTRUSTED] = {"untrusted", "if it is your proxy, name it in --trusted-proxies"},
};

void http_proxied_refuse(struct http_counters *c, enum http_proxied_reason reason, const union address *peer,
                         int64_t now_ms) {
    char address[HTTP_ADDRESS_SIZE];
    c->proxied_refused[reason]++;
    if (reason == HTTP_PROXIED_INCOMPLETE || now_ms < next_line_ms) return;
    next_line_ms = now_ms + LOG_EVERY_MS;
    address_format(peer, address, sizeof address);
    log_warn("http", "proxy_header_refused", "address=%s reason=%s action=\"%s\"", address,
             reasons[reason].name, reasons[reason].action);
}
