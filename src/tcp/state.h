/*
 * tcp/state.h - the life of a connection as an observer sees it, as one table.
 */
#ifndef HR_TCP_STATE_H
#define HR_TCP_STATE_H

enum tcp_state {
    TCP_STATE_NEW,         /* no segment yet */
    TCP_STATE_OPENING,     /* SYN, or SYN and ACK, of one side and nothing more */
    TCP_STATE_ESTABLISHED, /* both, or joined midway */
    TCP_STATE_HALF_CLOSED, /* one direction has ended */
    TCP_STATE_RESET,       /* RST seen; segments that it overtook may follow */
    TCP_STATE_CLOSED,      /* both directions have ended: late segments are absorbed */
};

enum tcp_event {
    TCP_EVENT_SYN,
    TCP_EVENT_SYN_ACK,
    TCP_EVENT_SEGMENT,  /* neither SYN nor RST */
    TCP_EVENT_END_ONE,  /* the first direction has come to its FIN, every byte before it accounted
                           for */
    TCP_EVENT_END_BOTH, /* and the second */
    TCP_EVENT_RST,
    TCP_EVENT_GOES_ON, /* nobody had reset it */
    TCP_EVENT_GIVE_UP, /* time-out, bound, end of the capture, 4-tuple used anew */
};

/** @return the state that follows; the same one where nothing changes */
enum tcp_state tcp_state_step(enum tcp_state from, enum tcp_event on);

#endif
