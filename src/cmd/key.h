/*
 * cmd/key.h - key files: 32 random bytes that only their owner can read. Databases made with one
 * key have equal hashes for equal tokens; without --key-file every database draws a key of its own.
 */
#ifndef HR_CMD_KEY_H
#define HR_CMD_KEY_H

#include "base/digest.h"

/**
 * Reads a key file that --key-file names.
 * @return -1, else the exit status after saying what is wrong with the file
 */
int cmd_key_read(const char *command, const char *path, struct hr_key *ret_key);
/** Makes a new one, 0600; never over a file that is there. @return the exit status, after saying so */
int cmd_key_make(const char *path);

#endif
