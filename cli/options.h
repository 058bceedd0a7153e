#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace adze::cli {

/// The options of one verb, declared by binding variables. Keeps the command-line library out of the verbs.
class Options {
 public:
  struct Implementation;
  explicit Options(Implementation& implementation) : implementation_(implementation) {}

  enum class Need { Required, Optional };

  void positional(std::string& target, const std::string& name, const std::string& help, Need need = Need::Required);
  void positional(std::vector<std::string>& target, const std::string& name, const std::string& help,
                  Need need = Need::Required);
  void option(std::string& target, const std::string& flags, const std::string& help, Need need = Need::Optional);
  void option(std::int64_t& target, const std::string& flags, const std::string& help);
  void option(double& target, const std::string& flags, const std::string& help);
  void option(std::vector<std::string>& target, const std::string& flags, const std::string& help);
  /// One of a fixed set of words; another word is refused with the nearest.
  void choice(std::string& target, const std::string& flags, const std::string& help, std::vector<std::string> words);
  void flag(bool& target, const std::string& flags, const std::string& help);

 private:
  Implementation& implementation_;
};

}  // namespace adze::cli
