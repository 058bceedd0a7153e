#include "adze/train/torch/losses.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fold_batch_norm.h"

namespace adze::train {

namespace {

using at::Tensor;

/// The value before a last Softmax or Sigmoid (and the reshapes around it), else the output.
ValueId logits_of(const Graph& graph) {
  ValueId id = graph.outputs().at(0);
  while (const Node* node = graph.producer_of(id)) {
    switch (node->kind) {
      case OpKind::Softmax:
      case OpKind::LogSoftmax:
      case OpKind::Sigmoid:
        return node->input(0);
      case OpKind::Identity:
      case OpKind::DequantizeLinear:
      case OpKind::QuantizeLinear:
        id = node->input(0);
        continue;
      default:
        return graph.outputs()[0];
    }
  }
  return graph.outputs()[0];
}

/// Rows of class scores: [N, C] as they are, [N, C, 1, 1] flattened, [N, T, C] as N·T rows.
Tensor rows_of(const Tensor& logits, const Tensor& labels) {
  if (labels.dim() == 2) return logits.reshape({-1, logits.size(-1)});
  return logits.reshape({logits.size(0), -1});
}

}  // namespace

Criterion::Criterion(const Graph& graph, Loss loss, double label_smoothing)
    : loss_(loss), label_smoothing_(label_smoothing) {
  if (graph.outputs().empty()) throw ModelError("the network has no output", {graph.source_file, "", ""});
  logits_ = loss == Loss::MeanSquaredError ? graph.outputs()[0] : logits_of(graph);
}

TaskLoss Criterion::compute(const Tensor& output, const TorchBatch& batch) const {
  const bool labelled = batch.labels.defined() && batch.labels.numel() > 0;
  if (loss_ == Loss::MeanSquaredError || (loss_ == Loss::Auto && !labelled)) return squared_error(output, batch);
  if (!labelled) throw ModelError("cross-entropy needs labels, and the data has none", {}, "use --loss mse");
  const bool single = batch.labels.dim() == 1 && output.numel() == output.size(0);
  return single ? binary_cross_entropy(output, batch) : cross_entropy(output, batch);
}

TaskLoss Criterion::cross_entropy(const Tensor& logits, const TorchBatch& batch) const {
  const Tensor rows = rows_of(logits, batch.labels).to(at::kFloat);
  const Tensor labels = batch.labels.reshape({-1});
  if (labels.size(0) != rows.size(0)) {
    throw ModelError(cat("the network gives ", rows.size(0), " rows of scores for ", labels.size(0), " labels"));
  }
  if (labels.max().item<std::int64_t>() >= rows.size(1)) {
    throw ModelError(
        cat("label ", labels.max().item<std::int64_t>(), " is beyond the network's ", rows.size(1), " classes"), {},
        "set the number of classes: zoo:NAME,classes=…");
  }
  const Tensor log_probability = at::log_softmax(rows, 1);
  const auto loss_against = [&](const Tensor& wanted) {
    const Tensor found = -log_probability.gather(1, wanted.clamp_min(0).unsqueeze(1)).squeeze(1);
    if (label_smoothing_ == 0) return found;
    return (1 - label_smoothing_) * found - label_smoothing_ * log_probability.mean(1);
  };
  Tensor each = loss_against(labels);
  if (batch.other_labels.defined()) {
    each = batch.shares * each + (1 - batch.shares) * loss_against(batch.other_labels.reshape({-1}));
  }
  const Tensor counts = labels >= 0;
  TaskLoss result;
  result.counted = counts.sum().item<std::int64_t>();
  result.loss = (each * counts).sum() / static_cast<double>(std::max<std::int64_t>(result.counted, 1));
  result.correct = rows.detach().argmax(1).eq(labels).sum().item<std::int64_t>();
  return result;
}

TaskLoss Criterion::binary_cross_entropy(const Tensor& logits, const TorchBatch& batch) const {
  const Tensor score = logits.reshape({-1}).to(at::kFloat), truth = batch.labels.to(at::kFloat);
  TaskLoss result;
  result.counted = truth.size(0);
  result.loss = at::binary_cross_entropy_with_logits(score, truth * (1 - label_smoothing_) + label_smoothing_ / 2);
  result.correct = (score.detach() > 0).eq(truth > 0.5).sum().item<std::int64_t>();
  return result;
}

TaskLoss Criterion::squared_error(const Tensor& output, const TorchBatch& batch) const {
  const Tensor& wanted = batch.targets.defined() ? batch.targets : batch.inputs.at(0);
  if (wanted.numel() != output.numel()) {
    throw ModelError(cat("the network gives ", output.numel(), " numbers for ", wanted.numel(), " targets"), {},
                     "data without labels is its own target, as for autoencoders; others need labelled data");
  }
  TaskLoss result;
  result.loss = at::mse_loss(output.to(at::kFloat), wanted.reshape(output.sizes()).to(at::kFloat));
  return result;
}

namespace {

/// The teacher as it runs fastest: batch norms folded into layers, where no value inside is asked for.
Graph prepared_teacher(const DistillOptions& options, std::size_t index) {
  Graph teacher = options.teachers[index];
  const bool output_alone = std::all_of(options.terms.begin(), options.terms.end(), [&](const DistillTerm& term) {
    return term.teacher != index || term.kind == DistillTerm::Kind::Logits;
  });
  if (output_alone) rewrite::rewrite(teacher, rewrite::fold_batch_norm_rules());
  return teacher;
}

}  // namespace

Distillation::Distillation(const Graph& student, const Criterion& criterion, const LearnerOptions& options) {
  for (std::size_t i = 0; i < options.distill.teachers.size(); ++i) {
    const Graph teacher = prepared_teacher(options.distill, i);
    ExecutorOptions executor_options;
    executor_options.train = false;
    executor_options.device = at::Device(options.device);
    teachers_.push_back(std::make_unique<Executor>(teacher, executor_options));
    teacher_logits_.push_back(Criterion(teacher, options.loss, 0).logits());
  }
  for (const DistillTerm& term : options.distill.terms) add_term(student, criterion, options, term);
}

void Distillation::add_term(const Graph& student, const Criterion& criterion, const LearnerOptions& options,
                            const DistillTerm& settings) {
  const Graph& teacher = options.distill.teachers.at(settings.teacher);
  if (settings.kind == DistillTerm::Kind::Logits) {
    taps_.push_back(criterion.logits());
    terms_.push_back({settings, teacher_logits_[settings.teacher]});
    return;
  }
  const auto named = [](const Graph& graph, const std::string& name, std::string_view whose) {
    const ValueId id = graph.find_value(name);
    if (id == ValueId::None) {
      throw UsageError(cat("the ", whose, " has no value ", adze::quoted(name)), "adze inspect --values lists them");
    }
    return id;
  };
  const ValueId own = named(student, settings.student_value, "student");
  const ValueId other = named(teacher, settings.teacher_value, "teacher");
  Term term{settings, other};
  const auto channels = [](const Graph& graph, ValueId id) -> std::int64_t {
    const auto& shape = graph.value(id).type.shape;
    if (!shape || shape->size() < 2) return -1;
    return shape->size() == 3 ? (*shape)[2].value : (*shape)[1].value;
  };
  const std::int64_t from = channels(student, own), to = channels(teacher, other);
  if (settings.kind == DistillTerm::Kind::Feature && from != to) {
    if (from < 0 || to < 0)
      throw UsageError(cat("the channels of ", adze::quoted(settings.student_value), " are not known"));
    term.projection = static_cast<int>(projections_.size());
    const double bound = std::sqrt(1.0 / static_cast<double>(from));
    const Tensor weight = at::empty({to, from}).uniform_(-bound, bound).to(at::Device(options.device));
    projections_.push_back({ValueId::None, cat("projection:", settings.student_value), weight});
    projections_.back().tensor.set_requires_grad(true);
  }
  taps_.push_back(own);
  terms_.push_back(term);
}

void Distillation::listen(const TorchBatch& batch) {
  const at::NoGradGuard no_grad;
  heard_.assign(terms_.size(), Tensor());
  for (std::size_t t = 0; t < teachers_.size(); ++t) {
    std::vector<ValueId> wanted;
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      if (terms_[i].settings.teacher != t) continue;
      wanted.push_back(terms_[i].teacher_value);
      whose.push_back(i);
    }
    if (wanted.empty()) continue;
    const std::vector<Tensor> found = teachers_[t]->run(batch.inputs, RunMode{}, wanted);
    const std::size_t outputs = teachers_[t]->graph().outputs().size();
    for (std::size_t k = 0; k < whose.size(); ++k) heard_[whose[k]] = found[outputs + k];
  }
}

std::map<ValueId, Tensor> Distillation::block_inputs() const {
  std::map<ValueId, Tensor> result;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    if (terms_[i].settings.kind == DistillTerm::Kind::Block) result[taps_[i]] = heard_[i];
  }
  return result;
}

Tensor Distillation::loss(std::span<const Tensor> tapped) const {
  Tensor sum;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const Tensor term = terms_[i].settings.weight * term_loss(terms_[i], tapped[i], heard_[i]);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

namespace {

/// KL(teacher ‖ student) of outputs softened by the temperature T, times T², so that gradients keep their size.
Tensor softened_divergence(const Tensor& student, const Tensor& teacher, double temperature) {
  const Tensor s = student.to(at::kFloat).reshape({-1, student.size(-1)});
  const Tensor t = teacher.to(at::kFloat).reshape({-1, teacher.size(-1)});
  const Tensor log_q = at::log_softmax(s / temperature, 1), log_p = at::log_softmax(t / temperature, 1);
  return (log_p.exp() * (log_p - log_q)).sum() / static_cast<double>(s.size(0)) * temperature * temperature;
}

/// Pictures brought to the smaller of both sizes.
void match_sizes(Tensor& a, Tensor& b) {
  if (a.dim() != 4 || b.dim() != 4 || a.sizes().slice(2) == b.sizes().slice(2)) return;
  const std::int64_t height = std::min(a.size(2), b.size(2)), width = std::min(a.size(3), b.size(3));
  a = at::adaptive_avg_pool2d(a, {height, width});
  b = at::adaptive_avg_pool2d(b, {height, width});
}

/// Mean of squares over channels, flattened, of length 1.
Tensor attention_map(const Tensor& x) {
  const Tensor energy = (x * x).mean(1).reshape({x.size(0), -1});
  return energy / energy.norm(2, 1, true).clamp_min(1e-12);
}

}  // namespace

Tensor Distillation::term_loss(const Term& term, const Tensor& student, const Tensor& teacher) const {
  switch (term.settings.kind) {
    case DistillTerm::Kind::Logits:
      return softened_divergence(student, teacher, term.settings.temperature);
    case DistillTerm::Kind::Feature: {
      Tensor s = student.to(at::kFloat), t = teacher.to(at::kFloat);
      match_sizes(s, t);
      if (term.projection >= 0) {
        const Tensor& weight = projections_[static_cast<std::size_t>(term.projection)].tensor;
        s = s.dim() == 4 ? at::conv2d(s, weight.reshape({weight.size(0), weight.size(1), 1, 1}))
                         : at::linear(s, weight);
      }
      return at::mse_loss(s, t);
    }
    case DistillTerm::Kind::Block: {
      if (student.sizes() != teacher.sizes()) {
        throw UsageError(
            cat("block ", adze::quoted(term.settings.student_value), " gives ",
                shape_text(Shape(student.sizes().vec())), ", the teacher's ", shape_text(Shape(teacher.sizes().vec()))),
            "blocks are compared where both networks have the same shape");
      }
      const Tensor t = teacher.to(at::kFloat);
      return at::mse_loss(student.to(at::kFloat), t) / t.var().clamp_min(1e-12);
    }
    case DistillTerm::Kind::Attention: {
      Tensor s = student.to(at::kFloat), t = teacher.to(at::kFloat);
      match_sizes(s, t);
      const Tensor difference = attention_map(s) - attention_map(t);
      return (difference * difference).sum(1).mean();
    }
  }
  throw InternalError("unknown kind of distillation");
}

}  // namespace adze::train
