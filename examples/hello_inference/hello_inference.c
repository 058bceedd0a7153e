/* Runs a model with one f32 input and one f32 output on zeros and prints the first outputs. */
#include <adze/capi/adze.h>
#include <stdio.h>

static float x[1 << 20], y[1 << 20];

int main(int argc, char** argv) {
  adze_session* session;
  adze_tensor_info info;
  adze_tensor input = {ADZE_F32, 0, {0}, x, 4}, output = {ADZE_F32, 0, {0}, y, sizeof y};
  if (argc < 2 || adze_session_open(argv[1], NULL, &session) != ADZE_OK) {
    fprintf(stderr, "%s\n", argc < 2 ? "usage: hello_inference MODEL" : adze_last_error());
    return 1;
  }
  adze_session_input(session, 0, &info);
  input.rank = info.rank;
  for (int i = 0; i < info.rank; ++i) input.bytes *= (size_t)(input.dims[i] = info.dims[i] < 0 ? 1 : info.dims[i]);
  if (adze_session_run(session, &input, 1, &output, 1) != ADZE_OK) {
    fprintf(stderr, "%s\n", adze_last_error());
    return 1;
  }
  for (int64_t i = 0; i < output.dims[output.rank - 1] && i < 12; ++i) printf("%g\n", y[i]);
  adze_session_close(session);
  return 0;
}
