// A pool of threads that share the tasks of one job after the other. They spin for a moment after a job, since the next one
// follows soon within a training step, and then sleep. Nobody waits for a thread that has not taken a task.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "native.h"

enum { MAX_THREADS = 256, SPINS = 2000 };

// In the place of a job's next task: none may be claimed.
static const uint64_t NO_TASK = 0xffffffff;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  int started;   // threads besides the caller's
  int threads;   // that may take tasks, the caller's included
  int sleepers;
  task_function run;
  void *context;
  long tasks;
  // Number of the job in the upper half, of its next task in the lower one: a task is claimed only while its job is the current.
  uint64_t next;
  long finished;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .threads = 1};

#define GET(field) __atomic_load_n(&pool.field, __ATOMIC_ACQUIRE)
#define SET(field, value) __atomic_store_n(&pool.field, value, __ATOMIC_RELEASE)

INLINE void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Takes tasks of the job until none is left.
static void work(uint64_t job) {
  for (;;) {
    uint64_t next = GET(next);
    task_function run = GET(run);
    void *context = GET(context);
    if (next >> 32 != job || (long)(next & 0xffffffff) >= GET(tasks)) return;
    // If this succeeds the job has been the current one all along, so the fields read above are its own.
    if (!__atomic_compare_exchange_n(&pool.next, &next, next + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
    run(context, (long)(next & 0xffffffff));
    __atomic_fetch_add(&pool.finished, 1, __ATOMIC_ACQ_REL);
  }
}

static void *serve(void *argument) {
  const int number = (int)(intptr_t)argument;
  uint64_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < SPINS && GET(next) >> 32 == seen; spin++) pause_briefly();
    if (GET(next) >> 32 == seen) {
      pthread_mutex_lock(&pool.lock);
      __atomic_fetch_add(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
      while (__atomic_load_n(&pool.next, __ATOMIC_SEQ_CST) >> 32 == seen) pthread_cond_wait(&pool.wake, &pool.lock);
      __atomic_fetch_sub(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
      pthread_mutex_unlock(&pool.lock);
    }
    seen = GET(next) >> 32;
    if (number < GET(threads)) work(seen);
  }
  return NULL;
}

// Lets `count` threads compute, the caller's included. Returns the number that it is; fewer if the system gives no more.
EXPORT int set_threads(int count) {
  count = (int)min_long(count < 1 ? 1 : count, MAX_THREADS);
  while (pool.started < count - 1) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)(pool.started + 1)) != 0) break;
    pthread_detach(thread);
    pool.started++;
  }
  SET(threads, (int)min_long(count, pool.started + 1));
  return pool.threads;
}

void parallel(long tasks, task_function run, void *context) {
  if (tasks <= 1 || pool.threads == 1) {
    for (long task = 0; task < tasks; task++) run(context, task);
    return;
  }
  const uint64_t job = (GET(next) >> 32) + 1;
  // No task can be claimed while the fields change: the last job's number of tasks no longer decides, this mark does.
  SET(next, (job - 1) << 32 | NO_TASK);
  SET(run, run);
  SET(context, context);
  SET(tasks, tasks);
  SET(finished, 0L);
  __atomic_store_n(&pool.next, job << 32, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&pool.sleepers, __ATOMIC_SEQ_CST) > 0) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
  work(job);
  for (int spin = 0; GET(finished) < tasks; spin++) {
    if (spin < SPINS) pause_briefly();
    else sched_yield();
  }
}

static __thread struct {
  float *memory;
  size_t count;
} scratches[SCRATCH_PURPOSES];

float *scratch(enum scratch_purpose purpose, size_t count) {
  if (scratches[purpose].count < count) {
    free(scratches[purpose].memory);
    void *memory;
    if (posix_memalign(&memory, 64, count * sizeof(float)) != 0) abort();
    scratches[purpose].memory = memory;
    scratches[purpose].count = count;
  }
  return scratches[purpose].memory;
}
