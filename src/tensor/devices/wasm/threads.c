// The thread pool and the scratch memory of native.h for WebAssembly. The threads are workers of the JavaScript engine, which
// share this memory and call `serve`; they spin for a moment after a job, since the next one follows soon within a training
// step, and then sleep. Nobody waits for a thread that has not taken a task.
#include "native.h"

enum { SPINS = 2000, PAGE = 65536 };

// In the place of a job's next task: none may be claimed.
static const uint64_t NO_TASK = 0xffffffff;

static struct {
  int threads;  // that may take tasks, the caller's included
  task_function run;
  void *context;
  long tasks;
  // Number of the job in the upper half, of its next task in the lower one: a task is claimed only while its job is the current.
  uint64_t next;
  int finished;
} pool = {.threads = 1};

#define GET(field) __atomic_load_n(&pool.field, __ATOMIC_SEQ_CST)
#define SET(field, value) __atomic_store_n(&pool.field, value, __ATOMIC_SEQ_CST)

static int current_job(void) { return (int)(GET(next) >> 32); }

// Where that number lies in memory, for the threads to sleep on.
static int *job_word(void) { return (int *)&pool.next + 1; }

// At most for a millisecond: in Bun 1.4.5 a sleeper is now and then not woken.
static void sleep_while(int *word, int value) { __builtin_wasm_memory_atomic_wait32(word, value, 1000000); }
static void wake(int *word) { __builtin_wasm_memory_atomic_notify(word, UINT32_MAX); }

// Takes tasks of the job until none is left.
static void work(int job) {
  for (;;) {
    uint64_t next = GET(next);
    task_function run = GET(run);
    void *context = GET(context);
    const uint32_t task = (uint32_t)next;
    const long tasks = GET(tasks);
    if ((int)(next >> 32) != job || task >= (uint32_t)tasks) return;
    // If this succeeds the job has been the current one all along, so the fields read above are its own.
    if (!__atomic_compare_exchange_n(&pool.next, &next, next + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    run(context, (long)task);
    if (__atomic_add_fetch(&pool.finished, 1, __ATOMIC_SEQ_CST) == tasks) wake(&pool.finished);
  }
}

// What the worker of a number, from 1 on, does for ever.
EXPORT void serve(int number) {
  for (int seen = 0;;) {
    for (int spin = 0; spin < SPINS && current_job() == seen; spin++) {}
    while (current_job() == seen) sleep_while(job_word(), seen);
    seen = current_job();
    if (number < GET(threads)) work(seen);
  }
}

// Lets `count` threads compute, the caller's included, of which workers that serve are the others.
EXPORT int set_threads(int count) {
  SET(threads, count);
  return count;
}

void parallel(long tasks, task_function run, void *context) {
  if (tasks <= 1 || pool.threads == 1) {
    for (long task = 0; task < tasks; task++) run(context, task);
    return;
  }
  const uint32_t job = (uint32_t)current_job() + 1;
  // No task can be claimed while the fields change: the last job's number of tasks no longer decides, this mark does.
  SET(next, (uint64_t)(job - 1) << 32 | NO_TASK);
  SET(run, run);
  SET(context, context);
  SET(tasks, tasks);
  SET(finished, 0);
  SET(next, (uint64_t)job << 32);
  wake(job_word());
  work((int)job);
  for (int spin = 0, finished; (finished = GET(finished)) < tasks; spin++)
    if (spin >= SPINS) sleep_while(&pool.finished, finished);
}

static __thread struct {
  float *memory;
  size_t count;
} scratches[SCRATCH_PURPOSES];

float *scratch(enum scratch_purpose purpose, size_t count) {
  if (scratches[purpose].count < count) {
    // Memory is never given back here, so its size doubles at least: what lies idle is no more than what is used.
    size_t pages = count * sizeof(float) / PAGE + 1;
    if (pages < 2 * scratches[purpose].count * sizeof(float) / PAGE) pages = 2 * scratches[purpose].count * sizeof(float) / PAGE;
    const size_t first = __builtin_wasm_memory_grow(0, pages);
    if (first == SIZE_MAX) __builtin_trap();
    scratches[purpose].memory = (float *)(first * PAGE);
    scratches[purpose].count = pages * PAGE / sizeof(float);
  }
  return scratches[purpose].memory;
}
