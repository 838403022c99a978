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

uint64_t BodyLength(const Body& body) {
  struct Length {
    uint64_t operator()(const std::string& text) const { return text.size(); }
    uint64_t operator()(const FileBody& file) const { return file.length_bytes; }
    uint64_t operator()(const StreamBody& stream) const { return stream.length_bytes; }
    uint64_t operator()(const SharedBytes& bytes) const { return bytes->size(); }
  };
  return std::visit(Length(), body);
}

std::optional<uint64_t> DeclaredLength(const Response& response, bool is_head) {
  if (response.status < 200 || response.status == 204 || response.status == 304) return std::nullopt;
  if (is_head && response.head_content_length) return response.head_content_length;
  return BodyLength(response.body);
}

}  // namespace entrepot::gateway::http
