#include "gateway/http/message.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace entrepot::gateway::http {

std::optional<absl::string_view> Request::Find(absl::string_view name) const {
  for (const Field& field : fields) {
    if (absl::EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string Request::Join(absl::string_view name) const {
  std::string joined;
  bool first = true;
  for (const Field& field : fields) {
    if (!absl::EqualsIgnoreCase(field.name, name)) continue;
    absl::StrAppend(&joined, first ? "" : ", ", field.value);
    first = false;
  }
  return joined;
}

}  // namespace entrepot::gateway::http
