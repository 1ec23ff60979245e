// The pool of threads under many short jobs of changing size: every task of every job is done once, before `parallel` returns.
#include <stdio.h>
#include <stdlib.h>

#include "native.h"

enum { MAX_TASKS = 64 };

struct job {
  long number;
  int done[MAX_TASKS];
};

static void task(void *context, long i) {
  struct job *job = context;
  // Of different lengths, so that threads come too late for some jobs.
  for (volatile long wait = (job->number * 31 + i * 17) % 97; wait > 0; wait--) {}
  __atomic_fetch_add(&job->done[i], 1, __ATOMIC_RELAXED);
}

int set_threads(int count);

int main(int count, char **arguments) {
  if (count < 2) return 2;
  const long jobs = atol(arguments[1]);
  set_threads(4);
  for (long number = 0; number < jobs; number++) {
    struct job job = {.number = number};
    const long tasks = number % 2 ? MAX_TASKS : 2 + number * 7919 % 5;
    parallel(tasks, task, &job);
    for (long i = 0; i < MAX_TASKS; i++) {
      if (job.done[i] == (i < tasks)) continue;
      printf("job %ld: task %ld of %ld was done %d times\n", number, i, tasks, job.done[i]);
      return 1;
    }
  }
  puts("every task once");
  return 0;
}
