#include "cmd/key.h"

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* @return NULL, or what is wrong with the open file */
static const char *read_key(int fd, struct hr_key *ret_key)
{
    struct stat st;
    uint8_t bytes[HR_KEY_BYTES + 1];
    if (fstat(fd, &st) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return "it is not a regular file";
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return "others can read it; make it private with chmod 600";
    }
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n < sizeof(bytes)) { /* one read may be short */
        got = TEMP_FAILURE_RETRY(read(fd, bytes + n, sizeof(bytes) - n));
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        hr_wipe(bytes, sizeof(bytes));
        return strerror(errno);
    }
    if (n == HR_KEY_BYTES) {
        memcpy(ret_key->bytes, bytes, HR_KEY_BYTES);
    }
    hr_wipe(bytes, sizeof(bytes));
    return n == HR_KEY_BYTES ? NULL : "a key is 32 bytes; headrace db key -o FILE makes one";
}

int cmd_key_read(const char *command, const char *path, struct hr_key *ret_key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cmd_usage_error(command, "cannot read the key file %s: %s", path, strerror(errno));
    }
    const char *problem = read_key(fd, ret_key);
    close(fd);
    return problem == NULL ? -1 : cmd_usage_error(command, "the key file %s: %s", path, problem);
}

int cmd_key_make(const char *path)
{
    struct hr_key key;
    if (hr_digest_setup() < 0) {
        hr_error("the system has no randomness to draw a key from");
        return CMD_DATABASE;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        hr_error("cannot make the key file %s: %s", path, strerror(errno));
        return CMD_DATABASE;
    }
    hr_key_random(&key);
    bool done = write(fd, key.bytes, sizeof(key.bytes)) == (ssize_t)sizeof(key.bytes);
    int error = errno;
    hr_wipe(&key, sizeof(key));
    if (close(fd) != 0 && done) {
        done = false;
        error = errno;
    }
    if (!done) {
        hr_error("cannot write the key file %s: %s", path, strerror(error));
        unlink(path);
        return CMD_DATABASE;
    }
    hr_info("%s holds a new key; whoever has it can test guesses at tokens", path);
    return CMD_OK;
}
