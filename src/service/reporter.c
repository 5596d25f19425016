// TEMPORARY by the lead until the real one comes
#include "service/reporter.h"
struct reporter *reporter_new(struct loop *l, struct http_client *c, const struct reporter_config *k) { (void)l;(void)c;(void)k; return 0; }
void reporter_free(struct reporter *r) { (void)r; }
