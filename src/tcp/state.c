#include "tcp/state.h"

#include "base/alloc.h"

#include <stddef.h>

/* A pair without a row keeps the state. */
static const struct {
    enum tcp_state from;
    enum tcp_event on;
    enum tcp_state to;
} transitions[] = {
    {TCP_STATE_NEW,         TCP_EVENT_SYN,      TCP_STATE_OPENING    },
    {TCP_STATE_NEW,         TCP_EVENT_SYN_ACK,  TCP_STATE_OPENING    }, /* the SYN was not captured */
    {TCP_STATE_NEW,         TCP_EVENT_SEGMENT,  TCP_STATE_ESTABLISHED}, /* joined midway */
    {TCP_STATE_NEW,         TCP_EVENT_RST,      TCP_STATE_RESET      },
    {TCP_STATE_OPENING,     TCP_EVENT_SYN_ACK,  TCP_STATE_ESTABLISHED},
    {TCP_STATE_OPENING,     TCP_EVENT_SEGMENT,  TCP_STATE_ESTABLISHED},
    {TCP_STATE_OPENING,     TCP_EVENT_RST,      TCP_STATE_RESET      }, /* refused */
    {TCP_STATE_ESTABLISHED, TCP_EVENT_END_ONE,  TCP_STATE_HALF_CLOSED},
    {TCP_STATE_ESTABLISHED, TCP_EVENT_RST,      TCP_STATE_RESET      },
    {TCP_STATE_HALF_CLOSED, TCP_EVENT_RST,      TCP_STATE_RESET      },
    {TCP_STATE_HALF_CLOSED, TCP_EVENT_END_BOTH, TCP_STATE_CLOSED     },
    {TCP_STATE_RESET,       TCP_EVENT_END_BOTH, TCP_STATE_CLOSED     },
    {TCP_STATE_RESET,       TCP_EVENT_GOES_ON,  TCP_STATE_ESTABLISHED}, /* the RST was forged */
    {TCP_STATE_OPENING,     TCP_EVENT_GIVE_UP,  TCP_STATE_CLOSED     },
    {TCP_STATE_ESTABLISHED, TCP_EVENT_GIVE_UP,  TCP_STATE_CLOSED     },
    {TCP_STATE_HALF_CLOSED, TCP_EVENT_GIVE_UP,  TCP_STATE_CLOSED     },
    {TCP_STATE_RESET,       TCP_EVENT_GIVE_UP,  TCP_STATE_CLOSED     },
};

enum tcp_state tcp_state_step(enum tcp_state from, enum tcp_event on)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(transitions); i++) {
        if (transitions[i].from == from && transitions[i].on == on) {
            return transitions[i].to;
        }
    }
    return from;
}
