/* A driver of two GPUs that do not exist, and the versions of CUDA's libraries: for tests of what is told about them. */
#include <stdlib.h>
#include <string.h>

/* As the real one: only those that CUDA_VISIBLE_DEVICES names when a process first calls, a list of single digits here. */
static const char *list = "0,1";

static int visible(int index) { return strlen(list) > 2 * index ? list[2 * index] - '0' : -1; }

int cuInit(unsigned flags) {
  static int called;
  if (getenv("FAKE_CUDA_BROKEN")) return 803;
  if (getenv("FAKE_CUDA_CRASHES")) abort();
  if (!called++ && getenv("CUDA_VISIBLE_DEVICES")) list = strdup(getenv("CUDA_VISIBLE_DEVICES"));
  return visible(0) < 0 ? 100 : flags;
}

int cuGetErrorName(int code, const char **name) {
  *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
  return code == 803 ? 0 : 1;
}

int cuDeviceGetCount(int *count) {
  for (*count = 0; visible(*count) >= 0;) ++*count;
  return 0;
}

int cuDeviceGet(int *device, int index) {
  *device = visible(index);
  return 0;
}

int cuDeviceGetName(char *name, int length, int device) {
  strncpy(name, device == 0 ? "Fake H100" : "Fake A100", length);
  return 0;
}

int cuDeviceGetUuid(unsigned char *uuid, int device) {
  memset(uuid, 0xa0 + device, 16);
  return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  *bytes = (size_t)(device == 0 ? 80 : 40) << 30;
  return 0;
}

int cudaRuntimeGetVersion(int *version) { return *version = 0; }
size_t cudnnGetVersion(void) { return 0; }
