/* adze's C interface: open a model, run it, close it. Plain C99; opaque handles; every call returns a status.
 *
 *   adze_session* session;
 *   if (adze_session_open("model.onnx", NULL, &session) != ADZE_OK) puts(adze_last_error());
 *
 * A session packs its weights and plans its memory once; adze_session_run then only computes. Different threads may use
 * different sessions at the same time; calls on one session take turns. Sessions of one model file share its packed
 * weights while they are open. Link with the adze library (pkg-config adze) by
 * a C++ linker. */
#ifndef ADZE_CAPI_ADZE_H
#define ADZE_CAPI_ADZE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The same numbers as the exit codes of the adze command. */
typedef enum adze_status {
  ADZE_OK = 0,
  ADZE_INTERNAL = 1,    /* a bug in adze */
  ADZE_USAGE = 2,       /* a wrong argument */
  ADZE_BAD_INPUT = 3,   /* a model or tensor that cannot be accepted */
  ADZE_UNSUPPORTED = 4, /* an operator, dtype or feature that adze lacks; the text names it */
  ADZE_LIMIT = 6        /* out of memory, or another budget */
} adze_status;

/* Element types, ONNX's numbers. */
typedef enum adze_dtype {
  ADZE_F32 = 1,
  ADZE_U8 = 2,
  ADZE_S8 = 3,
  ADZE_U16 = 4,
  ADZE_S16 = 5,
  ADZE_S32 = 6,
  ADZE_S64 = 7,
  ADZE_BOOL = 9,
  ADZE_F16 = 10,
  ADZE_F64 = 11,
  ADZE_U32 = 12,
  ADZE_U64 = 13,
  ADZE_BF16 = 16
} adze_dtype;

#define ADZE_MAX_RANK 8

/* A dense row-major array that the caller owns. */
typedef struct adze_tensor {
  adze_dtype dtype;
  int32_t rank;
  int64_t dims[ADZE_MAX_RANK];
  void* data;
  size_t bytes; /* of data; for an output: how much room there is */
} adze_tensor;

/* An input or output of a model. dims are -1 where the model leaves them open. */
typedef struct adze_tensor_info {
  const char* name; /* valid while the session is open */
  adze_dtype dtype;
  int32_t rank; /* -1: not known */
  int64_t dims[ADZE_MAX_RANK];
} adze_tensor_info;

typedef struct adze_session_options {
  int32_t threads; /* 1 by default; 0: all cores. Results do not depend on it. */
  const char* isa; /* highest instruction set, "avx2" …; NULL: the best there is */
  /* adze_session_open keeps packed weights and the prepared model here: written once, then a session starts in a few
   * milliseconds. Written anew when the model, the machine's instruction set or adze has changed. NULL: nowhere */
  const char* weight_file;
} adze_session_options;

typedef struct adze_session adze_session;

/* "0.1.0" */
const char* adze_version(void);

/* What went wrong in the last call of this thread that did not return ADZE_OK, with the file, the node and the way out.
 * Valid until the thread's next call. */
const char* adze_last_error(void);

/* Opens an ONNX or TFLite file. options may be NULL. *session is NULL when the call fails. */
adze_status adze_session_open(const char* path, const adze_session_options* options, adze_session** session);
/* The same for a model in memory, which is copied. */
adze_status adze_session_open_bytes(const void* model, size_t bytes, const adze_session_options* options,
                                    adze_session** session);
/* NULL is allowed. */
void adze_session_close(adze_session* session);

size_t adze_session_inputs(const adze_session* session);
size_t adze_session_outputs(const adze_session* session);
adze_status adze_session_input(const adze_session* session, size_t index, adze_tensor_info* info);
adze_status adze_session_output(const adze_session* session, size_t index, adze_tensor_info* info);

/* Runs the model on all its inputs. Each output's data is filled, and its dtype, rank and dims are set; an output whose
 * room (bytes) is too small fails with ADZE_USAGE and has dims set, so that the caller can make room. */
adze_status adze_session_run(adze_session* session, const adze_tensor* inputs, size_t num_inputs, adze_tensor* outputs,
                             size_t num_outputs);

#ifdef __cplusplus
}
#endif
#endif
