#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/base/version.h"
#include "cli/verb.h"

namespace adze::cli {

struct Options::Implementation {
  CLI::App& app;
};

namespace {

template <typename T>
CLI::Option* add(CLI::App& app, T& target, const std::string& flags, const std::string& help) {
  return app.add_option(flags, target, help)->capture_default_str();
}

class HelpText : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    return "\n" + CLI::Formatter::make_usage(app, std::move(name));
  }
};

struct ParsedVerb {
  Verb verb;
  CLI::App* app;
  Action action;
};

void add_common(CLI::App& app, CommonOptions& common) {
  app.add_flag("--json", common.json, "Print one JSON object on stdout, nothing else")->group("Common");
  app.add_option("--seed", common.seed, "Seed of every random choice")->capture_default_str()->group("Common");
  app.add_option("-t,--threads", common.threads, "Threads to use; 0 = all cores")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->envname("ADZE_THREADS")
      ->group("Common");
  app.add_flag("-f,--force", common.force, "Overwrite existing output files")->group("Common");
  app.add_flag("-q,--quiet", common.quiet, "No progress, no remarks")->group("Common");
}

/// CLI11's own exit codes and texts, in our terms: what was wrong and the nearest spelling.
[[noreturn]] void throw_usage(const CLI::ParseError& error, const std::vector<std::string>& words,
                              const std::vector<std::string>& verbs, const CLI::App* verb_app) {
  if (verb_app == nullptr && !words.empty() && words[0].starts_with("-") == false) {
    const std::string near = nearest(words[0], verbs);
    throw UsageError(cat("unknown verb ", adze::quoted(words[0])), near.empty() ? "adze --help" : cat("adze ", near));
  }
  std::string hint = verb_app != nullptr ? cat("adze ", verb_app->get_name(), " --help") : "adze --help";
  if (verb_app != nullptr && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : verb_app->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
    for (const std::string& word : words) {
      const std::string flag = word.substr(0, word.find('='));
      if (!flag.starts_with("--") || std::find(flags.begin(), flags.end(), flag) != flags.end()) continue;
      const std::string near = nearest(flag, flags);
      throw UsageError(cat("unknown option ", flag), near.empty() ? hint : near);
    }
  }
  throw UsageError(error.what(), hint);
}

}  // namespace

void Options::positional(std::string& target, const std::string& name, const std::string& help, Need need) {
  add(implementation_.app, target, name, help)->required(need == Need::Required);
}

void Options::positional(std::vector<std::string>& target, const std::string& name, const std::string& help,
                         Need need) {
  add(implementation_.app, target, name, help)->required(need == Need::Required);
}

void Options::option(std::string& target, const std::string& flags, const std::string& help, Need need) {
  add(implementation_.app, target, flags, help)->required(need == Need::Required);
}

void Options::option(std::int64_t& target, const std::string& flags, const std::string& help) {
  add(implementation_.app, target, flags, help);
}

void Options::option(double& target, const std::string& flags, const std::string& help) {
  CLI::Option* added = add(implementation_.app, target, flags, help);
  if (target < 0) added->default_str("");  // stands for "not given"
}

void Options::option(std::vector<std::string>& target, const std::string& flags, const std::string& help) {
  add(implementation_.app, target, flags, help)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Options::choice(std::string& target, const std::string& flags, const std::string& help,
                     std::vector<std::string> words) {
  const std::string list = join(words, ", ");
  const auto check = [words, list](const std::string& word) -> std::string {
    if (std::find(words.begin(), words.end(), word) != words.end()) return {};
    const std::string near = nearest(word, words);
    return cat(adze::quoted(word), " is not one of: ", list, near.empty() ? "" : cat("; did you mean ", near, "?"));
  };
  add(implementation_.app, target, flags, cat(help, " (", list, ")"))->check(CLI::Validator(check, ""));
}

void Options::flag(bool& target, const std::string& flags, const std::string& help) {
  implementation_.app.add_flag(flags, target, help);
}

ExitCode run_command(const std::vector<std::string>& words) {
  CLI::App app("adze makes a trained network small, fast and frugal enough for its device, and proves it.", "adze");
  app.formatter(std::make_shared<HelpText>());
  app.set_version_flag("--version", cat("adze ", version()));
  app.require_subcommand(1);
  app.footer(
      "Start with:  adze demo      Help on a verb:  adze VERB --help\n"
      "Exit codes:  0 done, 1 internal fault, 2 usage, 3 bad input, 4 unsupported, 5 goal missed, 6 limit, "
      "130 interrupted");
  CommonOptions common;
  std::vector<ParsedVerb> parsed;
  std::vector<std::string> names;
  for (Verb& verb : all_verbs()) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    sub->footer("Examples:\n" + verb.examples);
    Options::Implementation implementation{*sub};
    Options options(implementation);
    Action action = verb.declare(options);
    add_common(*sub, common);
    names.push_back(verb.name);
    parsed.push_back({std::move(verb), sub, std::move(action)});
  }
  if (words.empty()) {
    std::fprintf(stderr, "%s", app.help().c_str());
    return ExitCode::Usage;
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto subcommands = app.get_subcommands();
    std::printf("%s", (subcommands.empty() ? app.help() : subcommands[0]->help()).c_str());
    return ExitCode::Done;
  } catch (const CLI::CallForVersion&) {
    std::printf("adze %s\n", std::string(version()).c_str());
    return ExitCode::Done;
  } catch (const CLI::ParseError& error) {
    const auto subcommands = app.get_subcommands();
    throw_usage(error, words, names, subcommands.empty() ? nullptr : subcommands[0]);
  }
  set_num_threads(static_cast<int>(common.threads));
  for (ParsedVerb& candidate : parsed) {
    if (!candidate.app->parsed()) continue;
    Console console(candidate.verb.name, words);
    console.options = common;
    const ExitCode code = candidate.action(console);
    console.finish();
    return code;
  }
  return ExitCode::Usage;
}

}  // namespace adze::cli
