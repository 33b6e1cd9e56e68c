/*
 * daemon/calls.h - the system calls that a process which reads raw packets keeps.
 */
#ifndef HR_DAEMON_CALLS_H
#define HR_DAEMON_CALLS_H

struct trust_needs;

/**
 * A seccomp filter over all threads made from now on. No program is started any more, no process
 * made, no name space; nothing is typed into a terminal, and nothing sent through the descriptors
 * that packets come from.
 * @return 0 or a negative errno
 */
int calls_confine(const struct trust_needs *needs);

#endif
