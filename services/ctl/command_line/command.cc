#include "services/ctl/command_line/command.h"

#include <cstddef>

namespace entrepot::ctl {

const std::vector<Option>& GlobalOptions() {
  static const std::vector<Option> options = {
      {.name = "--registry",
       .value = "URL",
       .help = "the registry; default: $ENTREPOT_REGISTRY, or http://localhost:5000",
       .environment = "ENTREPOT_REGISTRY"},
      {.name = "--username",
       .value = "NAME",
       .help = "your account, an administrator of the policy; default: $ENTREPOT_USERNAME",
       .environment = "ENTREPOT_USERNAME"},
      {.name = "--password-file",
       .value = "FILE",
       .help = "your password is the first line of FILE, or of the standard input if FILE is -;\n"
               "default: $ENTREPOT_PASSWORD, or a prompt"},
      {.name = "--ca-file",
       .value = "FILE",
       .help = "the authorities (PEM) that signed the registry's certificate; default: the system's"},
      {.name = "--output",
       .value = "FORMAT",
       .help = "table (default) for people, json for scripts",
       .choices = {"table", "json"}},
  };
  return options;
}

std::vector<std::string> CommandLine::ArgumentsFrom(size_t index) const {
  if (index >= arguments_.size()) return {};
  return {arguments_.begin() + static_cast<ptrdiff_t>(index), arguments_.end()};
}

std::vector<std::string> CommandLine::Values(const std::string& option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

std::string CommandLine::Value(const std::string& option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? "" : found->second.back();
}

}  // namespace entrepot::ctl
