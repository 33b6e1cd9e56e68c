/*
 * cost - what a program costs: runs COMMAND with its output thrown away and prints its exit status,
 * seconds of wall clock, seconds of CPU and peak memory in bytes. tools/bench cannot do this
 * itself: Linux counts the peak of the process that starts a program as the program's own, and
 * Python's is large. Usage: cost COMMAND [ARGUMENT]...
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct timespec begin;
    struct timespec end;
    struct rusage usage;
    int status;
    pid_t child;
    if (argc < 2) {
        fputs("usage: cost COMMAND [ARGUMENT]...\n", stderr);
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0) {
            execvp(argv[1], argv + 1);
        }
        perror(argv[1]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("cost");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%d %.6f %.6f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
           seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss * 1024);
    return 0;
}
