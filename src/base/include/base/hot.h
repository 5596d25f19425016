// Turns off the build's hardening (cmake/hardening.cmake) for the few functions that run once per delivery,
// where it would be a noticeable part of the cost: the stack check, because they have no buffer that a client
// fills, and the landing pad for indirect calls, because nothing calls them through a pointer.
#pragma once

#if defined __has_attribute && __has_attribute(no_stack_protector)
#define HOT_WITHOUT_CANARY __attribute__((no_stack_protector))
#else
#define HOT_WITHOUT_CANARY
#endif

#ifdef __CET__
#define HOT_DIRECT_ONLY __attribute__((nocf_check))
#else
#define HOT_DIRECT_ONLY
#endif

#define HOT_PATH HOT_WITHOUT_CANARY HOT_DIRECT_ONLY
