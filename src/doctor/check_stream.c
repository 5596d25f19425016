#include "check.h"

#include <inttypes.h>
#include <stddef.h>

#include "stream_probe.h"

enum { SOON_MS = 1000 };

static const char buffers[] =
    "Switch off what buffers event streams there: proxy_buffering off, no compression "
    "(docs/proxies.md has tested files).";

static const char reach[] = "Start the services and the proxy; look from another machine too.";
static const char certificate[] =
    "Give the proxy a certificate for this name that has not ended, with its whole chain, by an authority "
    "that browsers and this machine trust (SSL_CERT_FILE names an authority of your own).";

static void check_answer(const char *url, const struct stream_facts *f, struct doctor_report *r) {
    static const char check[] = "stream";
    if (!f->status)
        doctor_add(r, check, DOCTOR_FAULT, buffers,
                   "A stream at %s was not answered in time: a proxy keeps it back, or passes it to nothing.",
                   url);
    else if (f->status == 401 || f->status == 403)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Give --token, of a user who may watch it.",
                   "The stream of %s at %s needs a token (%d).", f->video, url, f->status);
    else if (f->status != 200)
        doctor_add(r, check, DOCTOR_FAULT,
                   "Let the proxy pass /connect on to a reader, or to the port of up.",
                   "A stream at %s was answered with %d.", url, f->status);
    else if (f->first_ms < 0)
        doctor_add(r, check, DOCTOR_FAULT, buffers,
                   "A stream at %s begins, but its first event is kept back.", url);
    else if (f->next_ms < 0)
        doctor_add(r, check, DOCTOR_FAULT, buffers,
                   "A stream at %s begins, but what follows is kept back, or the stream is cut.", url);
    else if (f->first_ms > SOON_MS)
        doctor_add(r, check, DOCTOR_WARNING, "Measure the way to the reader, and its load.",
                   "The first event of a stream at %s took %" PRId64 " ms.", url, f->first_ms);
    else
        doctor_add(r, check, DOCTOR_OK, NULL,
                   "At %s the first event of a stream took %" PRId64 " ms, and the next came %" PRId64
                   " ms later.",
                   url, f->first_ms, f->next_ms);
}

void check_stream(const struct doctor_config *c, const struct stream_facts *f, struct doctor_report *r) {
    static const char check[] = "stream";
    if (!c->ask)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Give --ask URL, the address that browsers use.",
                   "No address was given at which to watch a stream.");
    else if (f->why[0])
        doctor_add(r, check, DOCTOR_FAULT, f->tls_failed ? certificate : reach, "%s was not reached: %s.",
                   c->ask, f->why);
    else if (!f->video[0])
        doctor_add(r, check, DOCTOR_UNKNOWN, "Give --video, one that exists.",
                   "%s names no video that is watched, and a new one would be a change.", c->ask);
    else
        check_answer(c->ask, f, r);
}
