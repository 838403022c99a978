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
  // A scalar's text, and whether it stood in quotes or a block, and so is text whatever it looks like.
  std::string text;
  bool quoted = false;
  // A list's items; a map's keys and values in turn, as they stand in the file, a key given twice included.
  std::vector<YamlNode> items;
};

// Parses the one document of `yaml_text`; kNothing where it has none. Values that depend on other parts of the text or
// on a schema (aliases, tags) are refused, as are text that is not UTF-8, control characters, more than kYamlBytesMax
// and nesting beyond kYamlDepthMax: kInvalidArgument, "<file_name>:<line>: <what is wrong>". No exception leaves.
absl::StatusOr<YamlNode> ParseYaml(absl::string_view yaml_text, absl::string_view file_name);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_YAML_TREE_H_
