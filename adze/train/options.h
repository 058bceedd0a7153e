#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::train {

enum class OptimizerKind : std::uint8_t {
  Sgd,    ///< with momentum, Nesterov's where asked for
  Adam,   ///< Kingma and Ba, arXiv:1412.6980
  AdamW,  ///< weight decay beside the gradient: Loshchilov and Hutter, arXiv:1711.05101
};

enum class Loss : std::uint8_t {
  Auto,              ///< CrossEntropy with labels, else MeanSquaredError
  CrossEntropy,      ///< of logits; when the graph ends in a Softmax, of what enters it
  MeanSquaredError,  ///< against the targets, or against the input when there are none (autoencoders)
};

/// In what format products are computed while training. Weights stay in f32.
enum class Precision : std::uint8_t {
  F32,
  BF16,  ///< libtorch's autocast
  F16,   ///< with dynamic loss scaling; on processors without f16 arithmetic inputs and gradients are rounded to f16
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::Sgd;
  double momentum = 0.9;
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 5e-4;      ///< not for biases, norms and quantization scales
  double scale_learning_rate = 1;  ///< factor for quantization scales; with Adam and AdamW on their logarithm
};

/// One way in which a student learns from a teacher.
struct DistillTerm {
  enum class Kind : std::uint8_t {
    Logits,     ///< KL of softened outputs, times temperature²: Hinton et al., arXiv:1503.02531
    Feature,    ///< mean squared error of inner values through a learned projection: Romero et al., arXiv:1412.6550
    Attention,  ///< squared distance of normalized attention maps: Zagoruyko and Komodakis, arXiv:1612.03928
    /// Each block of the student, from one of these values to the next, reads what the teacher's block read and learns
    /// to give what it gave; no gradient passes between blocks, so all learn side by side: Li et al., DNA,
    /// arXiv:1911.13053. The error is relative to the variance of the teacher's value; shapes must agree.
    Block,
  };
  Kind kind = Kind::Logits;
  std::size_t teacher = 0;    ///< index of the teacher
  std::string student_value;  ///< Feature, Attention: names of inner values
  std::string teacher_value;
  double weight = 1;
  double temperature = 4;
};

struct DistillOptions {
  std::vector<Graph> teachers;
  std::vector<DistillTerm> terms;
  double task_weight = 1;  ///< of the loss against labels; 0: the teacher alone
};

/// One of several processes that train together. Each sees its part of every batch.
struct WorkerOptions {
  int rank = 0;
  int count = 1;
  std::string address = "127.0.0.1";  ///< of rank 0
  int port = 29500;
};

/// Everything that a Learner is told when it is made.
struct LearnerOptions {
  OptimizerOptions optimizer;
  Loss loss = Loss::Auto;
  Precision precision = Precision::F32;
  double label_smoothing = 0;
  double clip_norm = 0;   ///< 0: gradients are not clipped
  double ema_decay = 0;   ///< 0: no average of the weights
  int gradient_bits = 0;  ///< 0: gradients as they are; 2 … 8: those that enter layers are rounded to so many bits
  std::vector<std::string> freeze;
  std::map<std::string, double> rate_factors;  ///< on the learning rate, by parameter name
  DistillOptions distill;
  WorkerOptions workers;
  int threads = 1;
  std::string device = "cpu";      ///< "cpu" or "cuda"
  bool keep_zeros = false;         ///< weights that are 0 now stay 0; so it is when the graph's facts say so
  bool keep_values = false;        ///< weights of a tensor that are equal now stay equal; the graph's facts may say so
  bool freeze_statistics = false;  ///< batch norms use their kept statistics in training too
};

std::string_view optimizer_name(OptimizerKind kind);
OptimizerKind optimizer_from_name(std::string_view name);
std::string_view precision_name(Precision precision);
Precision precision_from_name(std::string_view name);
std::string_view loss_name(Loss loss);
Loss loss_from_name(std::string_view name);

/// Throws UsageError naming the option that cannot be.
void check_options(const LearnerOptions& options);

}  // namespace adze::train
