/*
 * exec-timer <rounds> <program>...: starts the programs in turns, their input closed, and prints a line a round: for
 * each the microseconds from fork to the last byte of its output.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double run(char *program) {
  int out[2];
  char buffer[4096];
  double start, last = 0;
  if (pipe2(out, O_CLOEXEC) != 0) exit(1);
  start = now();
  if (vfork() == 0) {
    char *argv[] = {program, NULL};
    dup2(out[1], 1);
    execv(program, argv);
    _exit(127);
  }
  close(out[1]);
  while (read(out[0], buffer, sizeof buffer) > 0) last = now();
  close(out[0]);
  wait(NULL);
  return last - start;
}

int main(int argc, char **argv) {
  close(0);
  if (open("/dev/null", O_RDONLY) != 0) return 1;
  for (int round = 0; round < atoi(argv[1]); round++)
    for (int i = 2; i < argc; i++) printf("%.1f%c", run(argv[i]), i + 1 < argc ? ' ' : '\n');
  return 0;
}
