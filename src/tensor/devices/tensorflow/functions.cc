// What graph.ts needs and neither the package's addon nor TensorFlow's C interface gives. Linked with --wrap=TFE_NewContext.
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

static TFE_Context *context;

extern "C" {

TFE_Context *__real_TFE_NewContext(const TFE_ContextOptions *options, TF_Status *status);

// The addon keeps its context to itself: it is seen as it is made.
TFE_Context *__wrap_TFE_NewContext(const TFE_ContextOptions *options, TF_Status *status) {
  return context = __real_TFE_NewContext(options, status);
}

TFE_Context *exp_context() { return context; }

// bun:ffi passes no structures.
void exp_add_input(TF_OperationDescription *description, const TF_Output *input) {
  TF_AddInput(description, *input);
}
}
