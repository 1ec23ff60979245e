/*
 * The most float32 operations per second that this machine's cores do: `peak THREADS` prints GFLOP/s. Each thread has as many
 * independent chains of multiply-adds in registers as hide their latency, and touches no memory.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Vectors as wide as the registers are; fewer chains than there are registers, so that none is spilled. */
#if defined(__AVX512F__)
#define BYTES 64
#define CHAINS 16
#elif defined(__AVX__)
#define BYTES 32
#define CHAINS 12
#else
#define BYTES 16
#define CHAINS 24
#endif
typedef float vector __attribute__((vector_size(BYTES)));

#define LENGTH 5000000L
#define REPEATS 40

static void *multiply_add(void *result) {
  vector chains[CHAINS], factor, term;
  for (int k = 0; k < BYTES / 4; k++) factor[k] = 0.999f, term[k] = 0.001f;
  for (int c = 0; c < CHAINS; c++) chains[c] = term * (float)c;
  for (long i = 0; i < LENGTH; i++)
    for (int c = 0; c < CHAINS; c++) chains[c] = chains[c] * factor + term;
  for (int c = 1; c < CHAINS; c++) chains[0] += chains[c];
  *(volatile float *)result = chains[0][0];
  return NULL;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 0;
  if (threads < 1) return 2;
  pthread_t *ids = malloc(threads * sizeof *ids);
  float *results = malloc(threads * sizeof *results);
  double best = 0;
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    double start = seconds();
    for (int t = 0; t < threads; t++) pthread_create(&ids[t], NULL, multiply_add, &results[t]);
    for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
    double rate = 2.0 * threads * LENGTH * CHAINS * (BYTES / 4) / (seconds() - start) / 1e9;
    if (rate > best) best = rate;
  }
  printf("%.1f\n", best);
  return 0;
}
