#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/evaluate/compare.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/runner.h"
#include "cli/model_zeros.h"
#include "cli/training_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string student, output;
  TrainingOptions training;
};

/// How true the student is to its teacher, beside how right both are: a student can be right without agreeing.
void show_fidelity(Console& console, const std::string& teacher_path, const Graph& student, const Dataset& judged) {
  const Graph teacher = load_model(teacher_path);
  CompareOptions options;
  options.layer_samples = 0;
  options.evaluate.batch_size = std::min(batch_size_for(teacher, 32), batch_size_for(student, 32));
  const CompareResult found =
      compare(make_runner(teacher), make_runner(student), judged, judged, options, console.progress());
  const auto percent = [](double value) { return cat(fixed(100 * value, 2), " %"); };
  Table table({"on held-out data", "teacher", "student"});
  table.add_row({"top-1", percent(found.a.top1), percent(found.b.top1)});
  table.add_row({"calibration error", fixed(found.a.calibration_error, 4), fixed(found.b.calibration_error, 4)});
  table.add_row({"agreement with the teacher", "", percent(found.agreement)});
  table.add_row({"KL divergence from the teacher", "", cat(static_cast<float>(found.output_kl), " nats")});
  console.line("");
  console.table(table);
  console.results()["fidelity"].push_back({{"teacher", teacher_path},
                                           {"top1_teacher", found.a.top1},
                                           {"top1_student", found.b.top1},
                                           {"calibration_error_teacher", found.a.calibration_error},
                                           {"calibration_error_student", found.b.calibration_error},
                                           {"agreement", found.agreement},
                                           {"kl_divergence", found.output_kl},
                                           {"samples", found.samples}});
}

ExitCode run_distill(Console& console, Arguments arguments) {
  TrainingOptions& training = arguments.training;
  training.prepare_files(console, arguments.output);
  TrainStep step;
  step.fresh = is_zoo_model(arguments.student);
  const bool add_norms = step.fresh && arguments.student.find("batch_norm") == std::string::npos;
  Graph student = load_model(add_norms ? arguments.student + ",batch_norm" : arguments.student);
  const TrainStepOutcome outcome = run_training(console, std::move(student), step, training);
  const train::TrainResult& result = outcome.result;
  const auto& judged = outcome.data.validation;
  if (workers_from_environment().rank > 0) return ExitCode::Done;  // the first process writes
  save_model(outcome.graph, arguments.output);
  console.model("student", arguments.output);
  show_training(console, result, training, cat("Distilling ", arguments.output));
  if (judged) {
    for (const std::string& path : training.teachers) show_fidelity(console, path, outcome.graph, *judged);
  }
  console.line("");
  console.line(cat(arguments.output, " written; next: adze compare ", training.teachers[0], " ", arguments.output,
                   " --data … --split test"));
  show_zeros(console, outcome.graph);
  remark_skipped(console, result.skipped);
  return ExitCode::Done;
}

}  // namespace

Verb distill_verb() {
  return {"distill", "Teach a small network what a large one knows",
          "  adze distill zoo:resnet8 --teacher resnet20.onnx --data cifar10 --epochs 40 -o student.onnx\n"
          "  adze distill student.onnx --teacher a.onnx --teacher b.onnx --data pictures --task-weight 0 -o s.onnx\n"
          "  adze distill zoo:resnet8 --teacher t.onnx --attention Relu_5=Relu_17:1000 --data cifar10 -o s.onnx\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->student, "MODEL",
                               "The student: a model file, or zoo:NAME,… with fresh weights", Options::Need::Optional);
            options.option(arguments->student, "-s,--student", "The same");
            options.option(arguments->output, "-o,--output", "File to write", Options::Need::Required);
            arguments->training.declare(options);
            arguments->training.declare_teachers(options, Options::Need::Required);
            return [arguments](Console& console) {
              if (arguments->student.empty()) throw UsageError("distil into which --student?");
              if (arguments->training.teachers.empty()) throw UsageError("a student needs a --teacher");
              return run_distill(console, *arguments);
            };
          }};
}

}  // namespace adze::cli
