#include "session/endpoint.h"

enum endpoint_protection endpoint_judge(const struct endpoint_evidence *e)
{
    if (e->declared != 0) {
        return e->declared > 0 ? PROTECTION_PROTECTED : PROTECTION_PUBLIC;
    }
    if (e->granted_without > 0) {
        return PROTECTION_PUBLIC;
    }
    return e->granted_live > 0 && e->denied_without > 0 ? PROTECTION_PROTECTED : PROTECTION_UNKNOWN;
}
