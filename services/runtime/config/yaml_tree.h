#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_YAML_TREE_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_YAML_TREE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::runtime {

inline constexpr size_t kYamlBytesMax = 1024 * 1024;
inline constexpr int kYamlDepthMax = 32;

struct YamlNode {
  enum class Kind { kNothing, kScalar, kList, kMap };

  Kind kind = Kind::kNothing;
  int line = 1;
  // The text of a scalar, and whether it was written in quotes or as a block. If so, it is text whatever it looks like.
  std::string text;
  bool quoted = false;
  // The items of a list; or the keys and values of a map, alternating, in the order of the file, including keys that
  // are given twice.
  std::vector<YamlNode> items;
};

// Parses the single document of `yaml_text`; the result is kNothing if there is none. Aliases and tags are refused,
// since their values depend on other parts of the text or on a schema. So are text that is not UTF-8, control
// characters, more than kYamlBytesMax, and nesting beyond kYamlDepthMax: kInvalidArgument, "<file_name>:<line>:
// <mistake>". Never throws.
absl::StatusOr<YamlNode> ParseYaml(absl::string_view yaml_text, absl::string_view file_name);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_YAML_TREE_H_
