#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_PROBLEMS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_PROBLEMS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/runtime/config/yaml_tree.h"

namespace entrepot::runtime {

// Collects all problems of a configuration, so that an operator can fix them in one go, and warnings.
//
// A field is a path in the file: "limits.idle_timeout", "rules[2].actions[0]", or "" for the whole. If the file is
// known (SetFile), problems are in the order of its lines, and each has the line of its field, or of the part that
// lacks the field. What lacks at the top has no line.
class ConfigProblems {
 public:
  // The file that the configuration was read from. ParseConfig() calls it.
  void SetFile(YamlNode file) { file_ = std::move(file); }
  // The value at this line could not be read into `field`. Problems that are added later are left out if they may
  // follow from this one: those of the field itself, of fields that it lacks, and of the message that contains it as a
  // whole.
  void AddUnreadable(int line, absl::string_view field, absl::string_view problem);

  // Whether the field, or a part of it, could not be read.
  bool IsUnreadable(absl::string_view field) const;

  // `problem` is what is wrong with the field: "must be longer than 0".
  void Add(absl::string_view field, absl::string_view problem);
  // Adds each line of the message of `status`, the error of a file that the field names. Adds nothing if it is OK.
  void AddLines(absl::string_view field, const absl::Status& status);

  // Adds a warning about something that is allowed. It is logged when the process starts.
  void Warn(absl::string_view field, absl::string_view warning);

  // Whether there are no problems. Warnings do not count.
  bool empty() const { return problems_.empty(); }
  // One line for each of the first thousand problems, in the order in which they were added: "limits.idle_timeout: must
  // be longer than 0".
  std::vector<std::string> lines() const;
  // The same with places, in the order of the file: "entrepot.yaml:7: limits.idle_timeout: must be longer than 0".
  std::vector<std::string> LinesOf(absl::string_view file_name) const;
  // OK if there are no problems. Otherwise kInvalidArgument, with the first hundred lines of LinesOf().
  absl::Status ToStatus(absl::string_view file_name) const;
  // One line per warning: "listen.address: is reachable from other machines".
  const std::vector<std::string>& warnings() const { return warnings_; }

  // "entrepot.yaml:7: limits.idle_timeout". Without the line if the file is not known.
  std::string PlaceOf(absl::string_view file_name, absl::string_view field) const;

 private:
  struct Problem {
    int line = 0;  // 0: none.
    std::string text;
  };
  // The field, or the innermost part of the file that should contain it.
  struct Found {
    absl::string_view field;
    int line = 0;
  };

  void Keep(int line, absl::string_view field, absl::string_view problem);
  Found Find(absl::string_view field) const;

  std::optional<YamlNode> file_;
  absl::flat_hash_set<std::string> unreadable_;
  // What contains them, with the "." or "[" that follows: "rules[", "rules[0].".
  absl::flat_hash_set<std::string> with_unreadable_;
  std::vector<Problem> problems_;
  size_t more_ = 0;  // Those that were counted only.
  std::vector<std::string> warnings_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_PROBLEMS_H_
